//! Asks about requests, and says what becomes of each.

use super::answer::{self, Said, plain};
use super::cache::Cache;
use super::need::Need;
use super::question::question;
use super::refusal::{Reason, Refusal};
use super::verdict::Verdict;
use crate::{Client, Error};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{Extensions, HeaderName};
use ipnet::IpNet;
use keystead_api::{Code, Verify};
use reqwest::Method;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub(super) type PeerFrom = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;
pub(super) type PathFrom = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;
pub(super) type ErrorLog = Arc<dyn Fn(&str) + Send + Sync>;

/// What all layers of one guard share.
pub(super) struct Judge {
    pub(super) client: Client,
    /// In which project and environment keys are looked for.
    pub(super) place: Option<(String, String)>,
    pub(super) places: Vec<HeaderName>,
    pub(super) trusted: Vec<IpNet>,
    pub(super) realm: String,
    pub(super) metadata: bool,
    pub(super) pass_preflight: bool,
    pub(super) open_when_unreachable: bool,
    pub(super) timeout: Duration,
    pub(super) cache: Option<Cache>,
    pub(super) peer: PeerFrom,
    pub(super) path: PathFrom,
    pub(super) error_log: ErrorLog,
}

/// Which guard has asked about a request, and so counted it.
#[derive(Clone)]
pub(super) struct AskedBy(pub(super) Arc<Judge>);

impl Judge {
    /// The verdict with which a request passes, or why it does not.
    pub(super) async fn judge(self: &Arc<Self>, parts: &Parts, need: Need) -> Result<Verdict, Refusal> {
        let again = parts.extensions.get::<AskedBy>().is_some_and(|before| Arc::ptr_eq(&before.0, self));
        let ask = question(self, parts, need, again)?;
        match self.ask(&ask).await {
            Ok(Outcome::Passes(verdict)) => Ok(verdict),
            Ok(Outcome::Refused(refusal)) => Err(refusal),
            Err(error) => self.failed(&ask.key, &error),
        }
    }

    async fn ask(&self, ask: &Verify) -> Result<Outcome, Error> {
        let question = serde_json::to_vec(ask)
            .map_err(|_| Error::invalid("The question cannot be written.", "Check what requests need."))?;
        let Some(cache) = &self.cache else { return Ok(self.outcome(ask, self.send(question).await?)) };
        let at = cache.digest(&question);
        if let Some(said) = cache.get(&at) {
            return Ok(Outcome::Passes(Verdict::new(said)));
        }
        let asked = cache.now();
        let outcome = self.outcome(ask, self.send(question).await?);
        if let Outcome::Passes(verdict) = &outcome {
            cache.keep(at, verdict.said(), asked);
        }
        Ok(outcome)
    }

    async fn send(&self, question: Vec<u8>) -> Result<Said, Error> {
        let request = self.client.request(Method::POST, &["v1", "verify"])?;
        let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/json");
        let answer = self.client.exchange(request.timeout(self.timeout).body(question)).await?;
        answer::read(&self.client, &answer)
    }

    fn outcome(&self, ask: &Verify, said: Said) -> Outcome {
        let (reason, request_id, retry_after_seconds) = match said {
            Said::Known(said) if said.valid && said.code == Code::Valid => {
                return Outcome::Passes(Verdict::new(Arc::from(said)));
            }
            Said::Known(said) => (Reason::Verdict(said.code), said.request_id, said.retry_after_seconds),
            Said::Unknown { request_id } => (Reason::Unknown, request_id, None),
        };
        let request_id = plain(&self.client, &ask.key, &request_id);
        Outcome::Refused(Refusal { reason, request_id, retry_after_seconds })
    }

    /// What becomes of a request that nobody judged. What a client could bring about by what it sends never opens; one
    /// that goes away takes this future with it.
    fn failed(&self, key: &str, error: &Error) -> Result<Verdict, Refusal> {
        (self.error_log)(&plain(&self.client, key, &format!("no verdict: {error}")));
        let is_down = match error {
            Error::Unreachable { .. } | Error::Timeout { .. } => true,
            Error::Problem { .. } | Error::Protocol { .. } => {
                error.status().is_some_and(|status| (500..600).contains(&status))
            }
            Error::Invalid { .. } => false,
        };
        if self.open_when_unreachable && is_down {
            return Ok(Verdict::unjudged());
        }
        let retry_after_seconds = match error {
            Error::Problem { retry_after_seconds, .. } => *retry_after_seconds,
            _ => None,
        };
        let reason = Reason::Verdict(Code::Unavailable);
        Err(Refusal { retry_after_seconds, ..Refusal::from(reason) })
    }
}

enum Outcome {
    Passes(Verdict),
    Refused(Refusal),
}
