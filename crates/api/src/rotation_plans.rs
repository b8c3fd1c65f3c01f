//! Rotation plans of projects, and the keys that are due by them.

use crate::{Key, Timestamp};
use serde::{Deserialize, Serialize};

/// How old a project's keys may become, and how they are rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotationPlan {
    /// How old a key may become; `null` where nobody says.
    pub max_age_days: Option<u32>,
    /// How many days before that it is announced.
    pub notice_days: u32,
    /// How long an old key lives on beside the new one when a rotation does not say.
    pub grace_seconds: u64,
    /// Whether use of a key after it was rotated away revokes its lineage, when a rotation does not say.
    pub revoke_lineage_on_reuse: bool,
    /// When it was last set; `null` for the plan that a project begins with.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub updated_at: Option<Timestamp>,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// The whole new plan; what is left out is as in the plan that a project begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRotationPlan {
    /// How old a key may become, 1 to 3,650 days; left out or `null`: nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 3_650))]
    pub max_age_days: Option<u32>,
    /// How many days before that it is announced, 0 to 365, less than `max_age_days`; 14 when left
    /// out, or half of `max_age_days` where that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(maximum = 365))]
    pub notice_days: Option<u32>,
    /// How long an old key lives on beside the new one, 0 to 7,776,000 (90 days); 86,400 (a day) when
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 7_776_000))]
    pub grace_seconds: Option<u64>,
    /// Use of a key after it was rotated away revokes its lineage.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoke_lineage_on_reuse: bool,
}

/// Whether a key is to be rotated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DueState {
    /// It is older than it may become.
    Due,
    /// It will be, within the plan's notice.
    Soon,
}

/// A key that is to be rotated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DueKey {
    /// Whether it is due now.
    pub state: DueState,
    /// When it is or was due.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub due_at: Timestamp,
    /// Why, for people.
    pub why: String,
    /// The key.
    pub key: Key,
}
