//! Bounded aggregates of what was seen of a key's lineage, and of keys that nobody knows.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// How a lineage has been used; flushed every few seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seen {
    /// When it last passed.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// When it was last refused.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_refused_at: Option<Timestamp>,
    /// How often it passed.
    pub passed: u64,
    /// How often it was refused.
    pub refused: u64,
    /// How often it passed without naming a permission; absent where that was not counted from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_unnamed: Option<u64>,
    /// When a key that was minted from it last passed or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub minted_at: Option<Timestamp>,
    /// Networks it came from, most recent first: /24 of IPv4, /48 of IPv6; at most 16.
    pub networks: Vec<Sighting>,
    /// User agents, most recent first; at most 16.
    pub user_agents: Vec<Sighting>,
    /// Methods and paths, most recent first; at most 32.
    pub endpoints: Vec<Sighting>,
    /// Permissions that were asked and held, most recent first; at most 64.
    pub permissions: Vec<Sighting>,
}

/// Something seen, how often and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sighting {
    /// What was seen, at most 256 characters.
    pub value: String,
    /// How often since it entered this list.
    pub count: u64,
    /// When it entered this list.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub first_at: Timestamp,
    /// When it was last seen.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last_at: Timestamp,
}

/// Refusals of keys that could not be tied to one: what brute force looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnknownKeyAttempts {
    /// The environment's slug; `null` where the asker named none.
    pub environment: Option<String>,
    /// `malformed`, `not_found` or `wrong_secret`.
    pub code: String,
    /// How often.
    pub count: u64,
    /// When first.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub first_at: Timestamp,
    /// When last.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last_at: Timestamp,
    /// Networks it came from, most recent first; at most 16.
    pub networks: Vec<Sighting>,
}
