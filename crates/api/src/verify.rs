//! "May this request pass?"

use crate::{
    ConsumerRef, CreditsStatus, KeyKind, LimitStatus, NarrowedPermission, OwnerRef, PermissionQuery,
    QuotaStatus, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A request to judge. A restriction whose input is left out denies.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The key that came with the request.
    pub key: String,
    /// The project (id or slug); required unless the asker's own grant pins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The environment (id or slug); required unless the asker's own grant pins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The HTTP method, in capitals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path, without query; an ambiguous one (`%2f`, `..`, `//`, `;`) matches no endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The `Origin` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The `User-Agent` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What the permissions are needed on: a path such as `networks/NET-7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Which permissions the request needs; none when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionQuery>,
    /// What it takes of limits, quotas and credits; 1 when left out, 0 takes nothing, at most 1,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Labels for the usage record; at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `metadata` adds the key's metadata to the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Include>,
    /// Lists every check with its outcome, and takes nothing; needs `keys.read`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explain: bool,
}

impl std::fmt::Debug for Verify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verify").field("project", &self.project).finish_non_exhaustive()
    }
}

/// What to add to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Include {
    /// The key's metadata.
    Metadata,
}

/// The closed set of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// It may pass.
    Valid,
    /// Not a Keystead key, or mistyped: the checksum does not fit.
    Malformed,
    /// No such key in that project and environment.
    NotFound,
    /// The id exists, the secret is another.
    WrongSecret,
    /// The key, its owner or its consumer is switched off.
    Disabled,
    /// Ended for good.
    Revoked,
    /// Its validity has ended.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// Switched off until a time.
    Suspended,
    /// The address may not use it.
    NetworkDenied,
    /// The web origin may not use it.
    OriginDenied,
    /// It may not call that endpoint.
    EndpointDenied,
    /// It lacks a permission that the request needs.
    InsufficientPermissions,
    /// A condition (weekly hours) does not hold.
    ConditionDenied,
    /// A rate limit is used up.
    RateLimited,
    /// A quota is used up.
    QuotaExceeded,
    /// The credits are used up.
    CreditsExhausted,
    /// This node cannot know: ask again.
    Unavailable,
}

impl Code {
    /// Every code, in the order of the checks.
    pub const ALL: [Self; 18] = [
        Self::Valid,
        Self::Malformed,
        Self::NotFound,
        Self::WrongSecret,
        Self::Disabled,
        Self::Revoked,
        Self::Expired,
        Self::NotYetValid,
        Self::Suspended,
        Self::NetworkDenied,
        Self::OriginDenied,
        Self::EndpointDenied,
        Self::InsufficientPermissions,
        Self::ConditionDenied,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::CreditsExhausted,
        Self::Unavailable,
    ];

    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Malformed => "malformed",
            Self::NotFound => "not_found",
            Self::WrongSecret => "wrong_secret",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Suspended => "suspended",
            Self::NetworkDenied => "network_denied",
            Self::OriginDenied => "origin_denied",
            Self::EndpointDenied => "endpoint_denied",
            Self::InsufficientPermissions => "insufficient_permissions",
            Self::ConditionDenied => "condition_denied",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::CreditsExhausted => "credits_exhausted",
            Self::Unavailable => "unavailable",
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

// What verdicts have in common is shared by them: copying it cost more than deciding.
/// A verdict with its details. Of a key that is not this project's and environment's, nothing is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verification {
    /// Whether the request may pass.
    pub valid: bool,
    /// Why, or why not.
    pub code: Code,
    /// What the code alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<VerdictDetail>,
    /// `key_…`
    pub key_id: Option<String>,
    /// What the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KeyKind>,
    /// The project's slug.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub project: Option<Arc<str>>,
    /// The environment's slug.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub environment: Option<Arc<str>>,
    /// Whose the key is.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<OwnerRef>))]
    pub owner: Option<Arc<OwnerRef>>,
    /// To whom it is issued.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<ConsumerRef>))]
    pub consumer: Option<Arc<ConsumerRef>>,
    /// What it may do now on every resource: names of the catalogue.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub permissions: Arc<[String]>,
    /// What it may do now on some resources only.
    #[serde(default, skip_serializing_if = "<[NarrowedPermission]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<NarrowedPermission>))]
    pub narrowed_permissions: Arc<[NarrowedPermission]>,
    /// When its validity ends.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// What remains of each rate limit.
    pub limits: Vec<LimitStatus>,
    /// What remains of the quotas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaStatus>,
    /// What remains of the credits.
    pub credits: Option<CreditsStatus>,
    /// How many requests the key may still pass, where that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_remaining: Option<u64>,
    /// When to try again, in seconds, for `rate_limited`, `quota_exceeded`, `credits_exhausted`,
    /// `suspended`, `not_yet_valid` and `unavailable`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// The key's metadata, where included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
    /// Every check with its outcome, where asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<Check>,
    /// The request's id, as in the server's log.
    pub request_id: String,
}

/// What a verdict's code alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerdictDetail {
    /// With `expired`: another key took over, and this one's time beside it is over.
    Rotated,
}

/// One check of an explained verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// What was checked: `format`, `key`, `secret`, `state`, `validity`, `network`, …
    pub check: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// The verdict that it gives when it alone decides.
    pub code: Option<Code>,
    /// Why, for people.
    pub why: String,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It let the request pass.
    Passed,
    /// It refused.
    Failed,
    /// Nothing to check.
    NotApplicable,
    /// An earlier one left nothing to check.
    Skipped,
}

/// Several requests to judge, each on its own, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyBatch {
    /// 1 to 1,000.
    pub items: Vec<Verify>,
}

/// Their verdicts, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifiedBatch {
    /// One for each item.
    pub items: Vec<Verification>,
}
