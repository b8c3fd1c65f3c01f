//! Rate limits, quotas and credits: what was set, and what remains.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A named rate limit, sliding over time (GCRA).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// Unique in its list: `a-z`, `0-9`, `-`, `_`, 1 to 32 characters.
    pub name: String,
    /// Requests (or units of cost) in one window, 1 to 1,000,000,000.
    pub limit: u64,
    /// `10s`, `1m`, `1h`, `1d`; one second to 31 days.
    pub window: String,
    /// How many may come at once; `limit` when left out, at most `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
}

/// Requests in a calendar period.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QuotaSpec {
    /// Requests (or units of cost) in one period, 1 to 1,000,000,000,000.
    pub limit: u64,
    /// The period.
    pub per: QuotaPeriod,
    /// An IANA name such as `Europe/Berlin`; `UTC` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum QuotaPeriod {
    /// From second 0 to second 0.
    Minute,
    /// From minute 0 to minute 0.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first to the first.
    Month,
}

/// A number of uses that is spent and can be refilled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreditsSpec {
    /// Uses left, 0 to 1,000,000,000,000.
    pub remaining: u64,
    /// When they are set back to `amount`, at midnight UTC.
    #[serde(default)]
    pub refill: Refill,
    /// What a refill sets; `remaining` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
}

/// When credits are refilled, at midnight UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Refill {
    /// Never.
    #[default]
    None,
    /// Each midnight.
    Daily,
    /// Each Monday.
    Weekly,
    /// Each first of the month.
    Monthly,
}

/// What remains of a rate limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitStatus {
    /// Its name.
    pub name: String,
    /// Whose limit it is: `key`, `consumer`, or `route` (of a guard).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub of: Cow<'static, str>,
    /// Units in one window.
    pub limit: u64,
    /// The window in seconds.
    pub window_seconds: u64,
    /// Units that may still pass now.
    pub remaining: u64,
    /// Milliseconds until the request's cost may pass; 0 when it may now.
    pub retry_after_ms: u64,
}

/// What remains of a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaStatus {
    /// Whose quota it is: `key` or `consumer`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub of: Cow<'static, str>,
    /// Units in one period.
    pub limit: u64,
    /// The period.
    pub per: QuotaPeriod,
    /// Units left in this period.
    pub remaining: u64,
    /// When the next period begins.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub resets_at: Timestamp,
}

/// What remains of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreditsStatus {
    /// Uses left.
    pub remaining: u64,
    /// When they are refilled.
    pub refill: Refill,
    /// What a refill sets.
    pub amount: u64,
    /// When the next refill comes.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub refills_at: Option<Timestamp>,
}
