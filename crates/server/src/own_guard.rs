//! What the installation's own proxies ask: the keyring in the same process, for each request.

use crate::configuration::Guard;
use crate::request_id::RequestIds;
use http::request::Parts;
use keystead_api::Code;
use keystead_domain::ids::OrganizationId;
use keystead_guard::{Answer, Refusal, Request};
use keystead_proxy::Decide;
use keystead_service::Keystead;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often an organization is looked for that is not there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Whose keys are asked.
struct Own {
    keystead: Arc<Keystead>,
    ids: Arc<RequestIds>,
    organization: Option<String>,
    project: String,
    environment: String,
    found: OnceLock<OrganizationId>,
    looked: Mutex<Option<Instant>>,
}

/// What decides on the requests of a guard. An environment that is not there (yet), or a project that is not guarded,
/// lets nothing through.
#[must_use]
pub fn decide(keystead: &Arc<Keystead>, guard: &Guard, ids: &Arc<RequestIds>) -> Decide {
    let own = Arc::new(Own {
        keystead: Arc::clone(keystead),
        ids: Arc::clone(ids),
        organization: guard.organization.clone(),
        project: guard.project.clone(),
        environment: guard.environment.clone(),
        found: OnceLock::new(),
        looked: Mutex::new(None),
    });
    Arc::new(move |parts: &Parts, peer: IpAddr| {
        let own = Arc::clone(&own);
        Box::pin(async move { own.answer(parts, peer).await })
    })
}

impl Own {
    async fn answer(&self, parts: &Parts, peer: IpAddr) -> Answer {
        let unavailable = || Answer::Refuse(Refusal::of(Code::Unavailable, None));
        let Some(organization) = self.organization().await else { return unavailable() };
        let place = self.keystead.own_environment(organization, &self.project, &self.environment);
        let Some(place) = place else { return unavailable() };
        let door = match self.keystead.own_door(&place, self.ids.next()) {
            Ok(door) => door,
            Err(refused) => {
                tracing::debug!(project = self.project, %refused, "a guard lets nothing through");
                return unavailable();
            }
        };
        let request = Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query(),
            headers: &parts.headers,
            strips_query: true,
        };
        self.keystead.guard_request(&door, &request, Some(peer)).await
    }

    /// Found once, and looked for at most once a second: a flood of requests is none of the database.
    async fn organization(&self) -> Option<OrganizationId> {
        if let Some(found) = self.found.get() {
            return Some(*found);
        }
        let now = Instant::now();
        {
            let mut looked = self.looked.lock();
            if looked.is_some_and(|at| now.duration_since(at) < LOOK_INTERVAL) {
                return None;
            }
            *looked = Some(now);
        }
        match self.keystead.own_organization(self.organization.as_deref()).await {
            Ok(found) => Some(*self.found.get_or_init(|| found)),
            Err(refused) => {
                tracing::error!(project = self.project, %refused, "a guard lets nothing through");
                None
            }
        }
    }
}
