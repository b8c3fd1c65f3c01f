//! Finding issued keys: filters, statuses to filter by, counts.

use crate::{KeyKind, Timestamp};
use serde::{Deserialize, Serialize};

/// Which keys to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams, utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    /// Only with this status; `inactive` means any but `active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<KeyStatusFilter>,
    /// Only of this owner (id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only of this consumer (id or external id).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Only of this environment (id or slug).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<KeyKind>,
    /// Only minted from this key (`key_…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Only with this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only those that begin so: any part of `start`, from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Only with this text in name or id, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only last used before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_before: Option<Timestamp>,
    /// Only last used at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_after: Option<Timestamp>,
    /// Only those that expire before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>, format = DateTime))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expiring_before: Option<Timestamp>,
    /// `true`: only those never used; `false`: only those used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_used: Option<bool>,
    /// `true`: only those, not revoked, whose person is disabled, or has left the team in whose name they were made;
    /// `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned: Option<bool>,
    /// Items in one page, 1 to 1,000; 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A status to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStatusFilter {
    /// Usable.
    Active,
    /// Switched off.
    Disabled,
    /// Switched off until a time.
    Suspended,
    /// Its validity has not begun.
    NotYetValid,
    /// Its validity has ended.
    Expired,
    /// Ended for good.
    Revoked,
    /// Any but active.
    Inactive,
}

/// How many keys match a filter (its paging is ignored), by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyCounts {
    /// All of them.
    pub total: u64,
    /// Usable.
    pub active: u64,
    /// Switched off.
    pub disabled: u64,
    /// Switched off until a time.
    pub suspended: u64,
    /// Their validity has not begun.
    pub not_yet_valid: u64,
    /// Their validity has ended.
    pub expired: u64,
    /// Ended for good.
    pub revoked: u64,
}
