//! The environments that the configuration names: those of the installation's own proxies, and of the sockets at which
//! other proxies ask.

use crate::configuration::Whose;
use keystead_domain::cells::Place;
use keystead_domain::ids::{OrganizationId, RequestId};
use keystead_service::{Door, Keystead, Refused};
use parking_lot::Mutex;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often an organization is looked for that is not there.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often the log says that nothing is let through.
const TELL_INTERVAL: Duration = Duration::from_secs(60);

/// An environment by the names that it has in the configuration; it need not be there yet.
pub struct OwnPlace {
    keystead: Arc<Keystead>,
    whose: Whose,
    found: OnceLock<OrganizationId>,
    looked: tokio::sync::Mutex<Option<Instant>>,
    told: Mutex<Option<Instant>>,
}

impl fmt::Debug for OwnPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPlace").field("whose", &self.whose).finish_non_exhaustive()
    }
}

impl OwnPlace {
    /// The one that is named so.
    #[must_use]
    pub fn new(keystead: &Arc<Keystead>, whose: Whose) -> Self {
        Self {
            keystead: Arc::clone(keystead),
            whose,
            found: OnceLock::new(),
            looked: tokio::sync::Mutex::new(None),
            told: Mutex::new(None),
        }
    }

    /// Its door for one request, as its project is guarded now. None is told in the log, at most once a minute.
    pub(crate) async fn door(&self, request: RequestId) -> Option<Door> {
        let organization = self.organization().await?;
        let place = self.place(organization).ok_or_else(|| Refused::not_found("environment"));
        match place.and_then(|place| self.keystead.own_door(&place, request)) {
            Ok(door) => Some(door),
            Err(refused) => {
                self.tell(&refused);
                None
            }
        }
    }

    /// The same, where it was found before; no wait, and nothing is told.
    pub(crate) fn door_found(&self, request: RequestId) -> Option<Door> {
        let place = self.place(*self.found.get()?)?;
        self.keystead.own_door(&place, request).ok()
    }

    fn place(&self, organization: OrganizationId) -> Option<Arc<Place>> {
        self.keystead.own_environment(organization, &self.whose.project, &self.whose.environment)
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
        match self.keystead.own_organization(self.whose.organization.as_deref()).await {
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
            let Whose { project, environment, .. } = &self.whose;
            tracing::error!(project, environment, %refused, "a guard or door lets nothing through");
        }
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
