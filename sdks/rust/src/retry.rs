//! Sending what changes something again, when its answer was lost: under one `Idempotency-Key`, so
//! that it is done once.

use crate::client::Answer;
use crate::{Client, Error};
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use reqwest::RequestBuilder;
use reqwest::header::HeaderName;
use std::fmt::Write;
use std::time::Duration;

/// Names a request, so that the server knows its retry as one.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest wait that is taken over from `Retry-After`, in seconds.
const WAIT_SECONDS_MAX: u64 = 5;

impl Client {
    /// The same client, whose calls that create or change something carry this `Idempotency-Key`:
    /// 1 to 255 visible ASCII characters. A key stands for one call: another call under it is
    /// refused (`idempotency_mismatch`), the same one is answered as before and not done again.
    ///
    /// Without it, each such call gets a random key of its own.
    #[must_use]
    pub fn with_idempotency_key(&self, key: impl Into<String>) -> Self {
        let mut client = self.clone();
        client.idempotency_key = Some(key.into().into());
        client
    }

    /// The same client for the `number`th of several calls that belong together: one that has an
    /// `Idempotency-Key` gets another for each.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Self {
        match &self.idempotency_key {
            Some(key) => self.with_idempotency_key(format!("{key}.{number}")),
            None => self.clone(),
        }
    }

    /// Sends a POST that changes something; again, where no answer came or the server had no room.
    pub(crate) async fn send_once(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let key = match &self.idempotency_key {
            Some(key) => Some(key.to_string()),
            None => random_key(),
        };
        let Some(key) = key else { return self.send(request).await };
        let mut request = request.header(IDEMPOTENCY_KEY, key);
        let mut wait = Duration::from_millis(200);
        for _ in 0..self.retries_max {
            let Some(again) = request.try_clone() else { break };
            match self.send(request).await {
                Err(error) if may_help(&error) => {
                    tokio::time::sleep(asked_wait(&error).unwrap_or(wait)).await
                }
                ended => return ended,
            }
            wait *= 4;
            request = again;
        }
        self.send(request).await
    }
}

/// Whether the call may succeed when it is sent again: the connection broke after it was made, or
/// the server was busy, perhaps with this very call.
fn may_help(error: &Error) -> bool {
    match error {
        Error::Unreachable { connected, .. } | Error::Timeout { connected, .. } => *connected,
        Error::Problem { problem, .. } => problem.status == 503 || problem.code == "idempotency_in_flight",
        Error::Protocol { .. } | Error::Invalid { .. } => false,
    }
}

fn asked_wait(error: &Error) -> Option<Duration> {
    match error {
        Error::Problem { retry_after_seconds, .. } => {
            retry_after_seconds.map(|seconds| Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)))
        }
        _ => None,
    }
}

/// 128 random bits in hex; `None` on a system without a generator, where nothing is sent twice.
fn random_key() -> Option<String> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).ok()?;
    Some(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
