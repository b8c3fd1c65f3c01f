//! What may forbid a request that everything else lets pass: policies, as a verdict asks them. What they say is
//! not known here; they can only take away.

use crate::decide::Ask;
use crate::entry::Entry;
use crate::ids::AccessPolicyId;
use crate::time::Micros;
use arc_swap::ArcSwapOption;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a request is for, where policies see a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Deed {
    /// To use what the key opens: the guarded API, or Keystead's own.
    #[default]
    Use,
    /// To mint a key from it.
    Mint,
    /// To look at or mend the policies, by who must not be locked out of that: no policy is asked.
    Mend,
}

/// Why a policy forbids a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Because it says so.
    Says,
    /// Because it could not be evaluated: what that would have said is not known.
    Failed,
    /// Because it is none any more: it does not fit what this version knows.
    Broken,
}

/// A policy that forbids a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// Its id.
    pub policy: AccessPolicyId,
    /// Its name.
    pub name: Arc<str>,
    /// Why it does.
    pub why: Why,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, name, why } = self;
        match why {
            Why::Says => write!(f, "the policy {name} ({policy}) forbids it"),
            Why::Failed => write!(f, "the policy {name} ({policy}) cannot be evaluated for it"),
            Why::Broken => write!(f, "the policy {name} ({policy}) is not valid in this version"),
        }
    }
}

/// Says which policy forbids a request of a key, if one does.
type Judge = dyn Fn(&Entry, &Ask<'_>, Micros) -> Option<Forbidden> + Send + Sync;

/// The policies that keys of a project are asked for.
pub struct Conditions(Box<Judge>);

impl Conditions {
    /// Those for which `judge` speaks.
    pub fn new(
        judge: impl Fn(&Entry, &Ask<'_>, Micros) -> Option<Forbidden> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(judge))
    }

    /// Which of them forbids a request of this key.
    #[must_use]
    pub fn forbid(&self, entry: &Entry, ask: &Ask<'_>, now: Micros) -> Option<Forbidden> {
        if ask.deed == Deed::Mend { None } else { (self.0)(entry, ask, now) }
    }
}

impl fmt::Debug for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conditions")
    }
}

/// The policies of a project as they are now; for most projects none.
#[derive(Debug, Default)]
pub struct ConditionCell {
    /// All that a key pays whose project has none.
    any: AtomicBool,
    now: ArcSwapOption<Conditions>,
}

impl ConditionCell {
    /// Says what they are now.
    pub fn set(&self, conditions: Option<Arc<Conditions>>) {
        let any = conditions.is_some();
        if any {
            self.now.store(conditions);
            self.any.store(true, Ordering::Release);
        } else {
            self.any.store(false, Ordering::Release);
            self.now.store(None);
        }
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Which of them forbids a request of this key, which is one of the project's.
    #[must_use]
    pub fn forbid(&self, entry: &Entry, ask: &Ask<'_>, now: Micros) -> Option<Forbidden> {
        if !self.is_any() {
            return None;
        }
        self.now.load().as_ref().and_then(|conditions| conditions.forbid(entry, ask, now))
    }
}
