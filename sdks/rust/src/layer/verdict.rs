//! The verdict with which a request passed.

use keystead_api::{Code, Verification};
use std::ops::Deref;
use std::sync::Arc;

/// The verdict with which a request passed, in its extensions: who asks, what they may do, what remains of limits.
///
/// Look at `valid` where the guard may be open: what passes unjudged has the code `unavailable` and no identity.
#[derive(Debug, Clone)]
pub struct Verdict(Arc<Verification>);

impl Verdict {
    pub(super) fn new(said: Arc<Verification>) -> Self {
        Self(said)
    }

    pub(super) fn said(&self) -> &Arc<Verification> {
        &self.0
    }

    /// That of a request which nobody judged.
    pub(super) fn unjudged() -> Self {
        Self(Arc::new(Verification {
            valid: false,
            code: Code::Unavailable,
            detail: None,
            key_id: None,
            kind: None,
            project: None,
            environment: None,
            owner: None,
            consumer: None,
            permissions: Arc::default(),
            narrowed_permissions: Arc::default(),
            expires_at: None,
            limits: Vec::new(),
            quotas: Vec::new(),
            credits: None,
            uses_remaining: None,
            retry_after_seconds: None,
            metadata: None,
            explanation: Vec::new(),
            request_id: String::new(),
        }))
    }
}

impl Deref for Verdict {
    type Target = Verification;

    fn deref(&self) -> &Verification {
        &self.0
    }
}
