//! What the installation's own proxies ask: the keyring in the same process, for each request.

use crate::configuration::Guard;
use crate::request_id::RequestIds;
use http::request::Parts;
use keystead_api::Code;
use keystead_domain::ids::OrganizationId;
use keystead_guard::{Answer, Refusal, Request};
use keystead_proxy::Judge;
use keystead_service::{Keystead, Refused};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often an organization is looked for that is not there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log says that a guard lets nothing through.
const TELL_INTERVAL: Duration = Duration::from_secs(60);

/// Whose keys are asked.
struct Own {
    keystead: Arc<Keystead>,
    ids: Arc<RequestIds>,
    organization: Option<String>,
    project: String,
    environment: String,
    found: OnceLock<OrganizationId>,
    looked: tokio::sync::Mutex<Option<Instant>>,
    told: Mutex<Option<Instant>>,
}

/// What decides on the requests of a guard. An environment that is not there (yet), or a project that is not guarded,
/// lets nothing through.
#[must_use]
pub fn decide(keystead: &Arc<Keystead>, guard: &Guard, ids: &Arc<RequestIds>) -> Judge {
    let own = Arc::new(Own {
        keystead: Arc::clone(keystead),
        ids: Arc::clone(ids),
        organization: guard.organization.clone(),
        project: guard.project.clone(),
        environment: guard.environment.clone(),
        found: OnceLock::new(),
        looked: tokio::sync::Mutex::new(None),
        told: Mutex::new(None),
    });
    let asked = Arc::clone(&own);
    Judge {
        decide: Arc::new(move |parts: &Parts, peer: IpAddr| {
            let own = Arc::clone(&own);
            Box::pin(async move { own.answer(parts, peer).await })
        }),
        still: Some(Arc::new(move |parts: &Parts, peer: IpAddr| asked.still(parts, peer))),
    }
}

impl Own {
    async fn answer(&self, parts: &Parts, peer: IpAddr) -> Answer {
        let unavailable = || Answer::Refuse(Refusal::of(Code::Unavailable, None));
        let Some(organization) = self.organization().await else { return unavailable() };
        let place = self.keystead.own_environment(organization, &self.project, &self.environment);
        let door = place.ok_or_else(|| Refused::not_found("environment"));
        let door = match door.and_then(|place| self.keystead.own_door(&place, self.ids.next())) {
            Ok(door) => door,
            Err(refused) => {
                self.tell(&refused);
                return unavailable();
            }
        };
        self.keystead.guard_request(&door, &read(parts), Some(peer)).await
    }

    /// Whether a tunnel may go on that this request has become. Where there is no such environment or no guard any more,
    /// it may not.
    fn still(&self, parts: &Parts, peer: IpAddr) -> bool {
        let place = self.found.get().and_then(|organization| {
            self.keystead.own_environment(*organization, &self.project, &self.environment)
        });
        let door = place.and_then(|place| self.keystead.own_door(&place, self.ids.next()).ok());
        door.is_some_and(|door| self.keystead.still_passes(&door, &read(parts), Some(peer)))
    }

    /// Found once, and looked for at most once a second: a flood of requests is none of the database. Who comes while
    /// it is looked for waits.
    async fn organization(&self) -> Option<OrganizationId> {
        if let Some(found) = self.found.get() {
            return Some(*found);
        }
        let mut looked = self.looked.lock().await;
        if let Some(found) = self.found.get() {
            return Some(*found);
        }
        if looked.is_some_and(|at| Instant::now().duration_since(at) < LOOK_INTERVAL) {
            return None;
        }
        match self.keystead.own_organization(self.organization.as_deref()).await {
            Ok(found) => Some(*self.found.get_or_init(|| found)),
            Err(refused) => {
                *looked = Some(Instant::now());
                self.tell(&refused);
                None
            }
        }
    }

    fn tell(&self, refused: &Refused) {
        if is_due(&self.told, TELL_INTERVAL) {
            let (project, environment) = (&self.project, &self.environment);
            tracing::error!(project, environment, %refused, "a guard lets nothing through");
        }
    }
}

fn read(parts: &Parts) -> Request<'_> {
    Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        strips_query: true,
    }
}

/// Whether the last time is long enough ago; then this is the last time.
fn is_due(last: &Mutex<Option<Instant>>, interval: Duration) -> bool {
    let now = Instant::now();
    let mut last = last.lock();
    let due = last.is_none_or(|at| now.duration_since(at) >= interval);
    if due {
        *last = Some(now);
    }
    due
}
