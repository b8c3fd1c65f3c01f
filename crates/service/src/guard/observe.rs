//! What observing guards find: gathered in memory, written at the interval of usage, and reported.

use super::Door;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::{Keystead, management};
use hashbrown::HashMap;
use http::header::USER_AGENT;
use keystead_api::{GuardObservation, Page, PageQuery};
use keystead_domain::ids::{EnvironmentId, OrganizationId, ProjectId};
use keystead_domain::invalid::Invalid;
use keystead_domain::time::{DAY, Micros};
use keystead_guard::{Request, Route, UNLISTED};
use keystead_store::{GuardObservationRow, Ledger};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Rows of one project; more routes, keys and reasons than that are counted as dropped.
const ROWS_MAX: i64 = 1_000;
/// Rows that wait to be written.
const WAITING_MAX: usize = 4_096;
/// How long a row is kept after its last request.
const KEPT: i64 = 30 * DAY;
/// The longest endpoint or user agent that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// A request that enforcing would have refused.
#[derive(Debug)]
pub(crate) struct Observed {
    organization: OrganizationId,
    project: ProjectId,
    environment: EnvironmentId,
    route: String,
    code: &'static str,
    /// The key, where one was recognised.
    pub(super) key: Option<String>,
    last: Last,
}

/// What is kept of the last request of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Last {
    why: String,
    endpoint: String,
    ip: Option<String>,
    user_agent: Option<String>,
}

/// What waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<HashMap<Key, Gathered>>);

/// What requests are gathered by: project, environment, route, code, key.
type Key = (OrganizationId, ProjectId, EnvironmentId, String, &'static str, Option<String>);

#[derive(Debug)]
struct Gathered {
    count: u64,
    first_at: Micros,
    last_at: Micros,
    last: Last,
}

impl Observed {
    pub(super) fn new(
        door: &Door,
        route: Option<&Route>,
        code: &'static str,
        why: &str,
        (request, ip): (&Request<'_>, Option<IpAddr>),
    ) -> Self {
        let environment = door.environment();
        let agent = request.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            organization: environment.project.organization,
            project: environment.project.id,
            environment: environment.environment,
            route: route.map_or_else(|| UNLISTED.to_owned(), |route| route.label.to_string()),
            code,
            key: None,
            last: Last {
                why: why.to_owned(),
                endpoint: short(&format!("{} {}", request.method, request.path)),
                ip: ip.map(|ip| ip.to_string()),
                user_agent: agent.map(short),
            },
        }
    }
}

fn short(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

impl Keystead {
    pub(super) fn observe(&self, observed: Observed) {
        let now = self.clock.now();
        let key = (
            observed.organization,
            observed.project,
            observed.environment,
            observed.route,
            observed.code,
            observed.key,
        );
        let waiting = &mut *self.usage.observed.0.lock();
        if waiting.len() >= WAITING_MAX && !waiting.contains_key(&key) {
            self.usage.count_lost(1);
            return;
        }
        let gathered = waiting.entry(key).or_insert_with(|| Gathered {
            count: 0,
            first_at: now,
            last_at: now,
            last: observed.last.clone(),
        });
        gathered.count = gathered.count.saturating_add(1);
        (gathered.last_at, gathered.last) = (now, observed.last);
    }

    /// Writes what was gathered. What cannot be written is dropped, counted and reported.
    pub(crate) async fn flush_observed(&self) {
        let waiting = std::mem::take(&mut *self.usage.observed.0.lock());
        if waiting.is_empty() {
            return;
        }
        let (rows, before) = (waiting.len() as u64, self.clock.now().plus(-KEPT));
        let written = self
            .store
            .bookkeeping(move |ledger| Box::pin(async move { write(ledger, waiting, before).await }));
        match written.await {
            Ok(0) => {}
            Ok(dropped) => {
                self.usage.count_lost(dropped);
                tracing::warn!(dropped, "a guard's report is full: some of what was observed is not in it");
            }
            Err(error) => {
                self.usage.count_lost(rows);
                tracing::error!(%error, rows, "what guards observed could not be written and is lost");
            }
        }
    }

    /// The requests that enforcing would refuse, the most frequent first. There are at most 1,000 rows, so that one
    /// page holds all of them and a cursor is refused.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see how it is guarded.
    pub async fn guard_report(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<GuardObservation>, Refused> {
        let project = self.enter(caller, management::GUARDS_READ, project).await?;
        let limit = Cut::<16>::read(query.limit.or(Some(1_000)), None)?.rows() as usize - 1;
        if query.cursor.is_some() {
            return Err(Invalid::new("/cursor", "This list has one page.", "Leave the cursor out.").into());
        }
        let mut rows = self.store.read().await?.guard_observations(project.organization, project.id).await?;
        rows.sort_by_key(|row| (Reverse(row.count), Reverse(row.last_at)));
        rows.truncate(limit);
        let items = rows.into_iter().map(|row| self.show_observation(row));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor: None })
    }

    fn show_observation(&self, row: GuardObservationRow) -> Result<GuardObservation, Refused> {
        let place = self.keyring.directory.place_by_id(row.environment_id);
        let last: Last = json(&row.body)?;
        Ok(GuardObservation {
            environment: place.map_or_else(|| row.environment_id.to_string(), |place| place.slug.to_string()),
            route: row.route,
            code: row.code,
            why: last.why,
            key_id: (!row.key_id.is_empty()).then_some(row.key_id),
            count: u64::try_from(row.count).unwrap_or_default(),
            first_at: row.first_at.to_timestamp(),
            last_at: row.last_at.to_timestamp(),
            endpoint: last.endpoint,
            ip: last.ip,
            user_agent: last.user_agent,
        })
    }
}

/// Adds what was gathered to what is there; how many requests found no place.
async fn write(ledger: &mut Ledger, waiting: HashMap<Key, Gathered>, before: Micros) -> Result<u64, Refused> {
    let projects: HashSet<ProjectId> = waiting.keys().map(|(_, project, ..)| *project).collect();
    for project in projects {
        ledger.trim_guard_observations(project, before).await?;
    }
    let mut dropped = 0_u64;
    for ((organization_id, project_id, environment_id, route, code, key), gathered) in waiting {
        let row = GuardObservationRow {
            project_id,
            environment_id,
            route,
            code: code.to_owned(),
            key_id: key.unwrap_or_default(),
            organization_id,
            count: i64::try_from(gathered.count).unwrap_or(i64::MAX),
            first_at: gathered.first_at,
            last_at: gathered.last_at,
            body: to_json(&gathered.last)?,
        };
        if !ledger.add_guard_observation(&row, ROWS_MAX).await? {
            dropped = dropped.saturating_add(gathered.count);
        }
    }
    Ok(dropped)
}
