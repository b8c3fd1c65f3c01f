//! Many keys at once: create a batch, act on all that match.

use crate::{CreateKey, CreatedKey, Key, KeyQuery, RotateKey, RotatedKey, UpdateKey};
use serde::{Deserialize, Serialize};

/// Keys to issue together: all of them or none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateKeys {
    /// 1 to 1,000.
    pub items: Vec<CreateKey>,
}

/// Keys just made, with their secrets: shown only now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedKeys {
    /// In the order of the request.
    pub items: Vec<CreatedKey>,
}

/// What to do with every key that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Switch off until enabled.
    Disable,
    /// Switch on; also ends a suspension.
    Enable,
    /// End for good, with `reason`.
    Revoke,
    /// Make `changes`.
    Update,
    /// Give a new secret under a new id; the old key lives on as `rotation` says.
    Rotate,
}

/// An act on every key of a project that matches, some keys a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkKeys {
    /// What to do.
    pub action: BulkAction,
    /// Which keys, as in the list; `limit` and `cursor` in it are refused. `{}` means all.
    pub filter: KeyQuery,
    /// Only says what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// `matched` of the dry run; nothing is done when more match by now. Required unless `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    /// Why, for `revoke`: 1 to 512 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to change, for `update`; `credits` cannot be set for many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<UpdateKey>,
    /// How, for `rotate`, as in the rotation of one key; left out, as the project's plan says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotateKey>,
    /// Keys handled in this call, 1 to 200; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the call before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Everything that a person owns, handed to somebody else, some keys a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HandOverKeys {
    /// To whom: another member's id or e-mail address, or a service account's id (`sa_…`), which takes the keys of
    /// its own project.
    pub to: String,
    /// Only says what would happen, also which keys would be refused and why.
    #[serde(default)]
    pub dry_run: bool,
    /// `matched` of the dry run; nothing is done when there are more by now. Required unless `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    /// Keys handled in this call, 1 to 200; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the call before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What came of one call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkOutcome {
    /// How many keys match that this call and those after it come to.
    pub matched: u64,
    /// How many were done in this call; in the dry run of a hand-over, how many would be.
    pub done: u64,
    /// Those that could not be done, and why; the others are not held up.
    pub refused: Vec<BulkRefusal>,
    /// Of `rotate`: the new keys, with their secrets. Shown only now.
    #[serde(default)]
    pub rotated: Vec<RotatedKey>,
    /// Up to 20 of those that match; only in a dry run.
    pub sample: Vec<Key>,
    /// Send it as `cursor` for the next keys; `null` when all are handled.
    pub next_cursor: Option<String>,
}

/// A key that an act on many could not be done on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkRefusal {
    /// The key.
    pub id: String,
    /// What was in the way.
    pub detail: String,
    /// What to do about it.
    pub fix: String,
}
