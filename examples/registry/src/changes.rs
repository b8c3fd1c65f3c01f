//! Who changed what: each change names one key, and with it one person.

use crate::guard::Admitted;
use crate::records::Registry;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// The latest that are remembered.
pub(crate) const CHANGES_MAX: usize = 1_000;

/// One change.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    at: Timestamp,
    /// Which key: `keystead keys show` tells all about it.
    key: String,
    /// Whose it is: `mem_…`, `sa_…`, `con_…`.
    owner: Option<String>,
    name: Option<String>,
    /// In which team's name.
    team: Option<String>,
    did: &'static str,
    to: String,
    /// What Keystead's own log calls it.
    request_id: String,
}

impl Change {
    pub(crate) fn new(by: Admitted, at: Timestamp) -> Self {
        let (owner, name, team) = match by.owner.map(Arc::unwrap_or_clone) {
            Some(owner) => (Some(owner.id), Some(owner.name), owner.team.map(|team| team.name)),
            None => (None, None, None),
        };
        let Admitted { key_id: key, permission: did, resource: to, request_id, .. } = by;
        Self { at, key, owner, name, team, did, to, request_id }
    }
}

/// The latest first.
pub(crate) async fn list(State(registry): State<Registry>) -> Json<Vec<Change>> {
    Json(registry.see(|records| records.changes.iter().rev().cloned().collect()))
}
