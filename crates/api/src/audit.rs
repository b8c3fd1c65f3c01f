//! The audit: who did what, through which key, when, from where.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// One administrative act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRecord {
    /// `aud_…`
    pub id: String,
    /// When it happened.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Who did it.
    pub actor: AuditActor,
    /// The address it came from; `null` for the server's own acts.
    pub address: Option<String>,
    /// What was done: `key.create`, `role.update`, …
    pub action: String,
    /// To what.
    pub target: AuditTarget,
    /// The project's id, where there is one.
    pub project: Option<String>,
    /// What changed, as it was; `null` for a creation.
    pub before: Option<serde_json::Value>,
    /// What changed, as it is; `null` for a deletion.
    pub after: Option<serde_json::Value>,
    /// The request's id, as in the server's log.
    pub request_id: Option<String>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// `key`, `member` or `server`.
    pub kind: String,
    /// `key_…`
    pub key_id: Option<String>,
    /// The key's owner then: `sa_…`, `con_…`, `mem_…`, or `seat_…` in a team's name.
    pub owner: Option<String>,
    /// The person: `mem_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// The team in whose name: `team_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The session: `ses_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The key's lineage: the id of the first key in it, `key_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
}

/// What was acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditTarget {
    /// `key`, `role`, `project`, …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// A key's lineage: the id of the first key in it, `key_…`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
}

/// Which records to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only of this project (id or slug).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only this action: `key.create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only by this key (`key_…`), this person (`mem_…`, whatever key or session), or in this team's name
    /// (`team_…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only on the target with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Only by or on a key of this key's lineage (`key_…`): before and after rotations, and what was minted from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// Only of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Only at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    pub since: Option<Timestamp>,
    /// Only before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    pub until: Option<Timestamp>,
    /// Items in one page, 1 to 1,000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
