//! Guardrails: what keys may be at most, per organization and per project.

use crate::{ConsumerRef, KeyKind, LimitSpec, OwnerRef, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What keys may be at most. What is left out guards nothing; the organization's and the project's
/// both hold, so that the stricter wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Guardrails {
    /// Which kinds of keys there may be; `[]` allows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds_allowed: Option<Vec<KeyKind>>,
    /// How keys may begin: `acme`, or `acme_*` for all that begin with `acme_`. `[]` allows none; at
    /// most 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefixes_allowed: Option<Vec<String>>,
    /// How many keys an owner may have in one project, 1 to 1,000,000. Revoked and expired keys do not
    /// count; a lineage counts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_per_owner_max: Option<u32>,
    /// The rate limits of a key that is created without any; at most 8. The project's win.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits_default: Option<Vec<LimitSpec>>,
    /// Whether people must have accepted the current guidelines before they make, rotate or read a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guidelines_required: bool,
    /// Lessons that people must have passed before that, by name; at most 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lessons_required: Vec<String>,
    /// What holds for keys of every kind.
    #[serde(default, skip_serializing_if = "KindGuardrails::is_empty")]
    pub every_kind: KindGuardrails,
    /// What holds for keys of one kind besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_kind: BTreeMap<KeyKind, KindGuardrails>,
}

/// What keys of a kind may be at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KindGuardrails {
    /// From a key's creation to its expiry at most: `12h`, `90d`; one second to 3,650 days. A key that
    /// never expires lives longer than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_max: Option<String>,
    /// Whether it must have an expiry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expiry_required: bool,
    /// Whether it must name the networks that may use it. All of IPv4 or all of IPv6 names none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub networks_required: bool,
    /// Whether it must have a rate limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub limits_required: bool,
    /// Permissions that it may never be given: names, or patterns such as `admin.*`. At most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions_forbidden: Vec<String>,
    /// How old it may become before it is due to be rotated: `90d`; one second to 3,650 days. Refuses
    /// nothing: the report names the keys that are older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_age_max: Option<String>,
    /// What about it another person must approve.
    #[serde(default, skip_serializing_if = "ApprovalGuardrails::is_empty")]
    pub approval: ApprovalGuardrails,
}

/// What about a key another person must approve before it is made, or made so: see `POST /v1/approvals`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ApprovalGuardrails {
    /// Whether that it is given a permission that the catalogue marks as sensitive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive_permissions: bool,
    /// That it lives longer than this from its creation on: `12h`, `90d`; one second to 3,650 days. A key
    /// that never expires lives longer than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_over: Option<String>,
    /// Whether that it names no networks. All of IPv4 or all of IPv6 names none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_networks: bool,
}

impl ApprovalGuardrails {
    /// Whether nothing needs an approval.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl KindGuardrails {
    /// Whether it guards nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GuardrailName {
    /// Which kinds of keys there may be.
    KindsAllowed,
    /// How keys may begin.
    PrefixesAllowed,
    /// How many keys an owner may have.
    KeysPerOwnerMax,
    /// The limits of a key that is created without any.
    LimitsDefault,
    /// That people have accepted the guidelines.
    GuidelinesRequired,
    /// Which lessons people must have passed.
    LessonsRequired,
    /// How long a key may live.
    LifetimeMax,
    /// That it must expire.
    ExpiryRequired,
    /// That it must name networks.
    NetworksRequired,
    /// That it must have a rate limit.
    LimitsRequired,
    /// What it may never be given.
    PermissionsForbidden,
    /// How old it may become before it is rotated.
    RotationAgeMax,
    /// That sensitive permissions are approved.
    ApprovalSensitivePermissions,
    /// That a long life is approved.
    ApprovalLifetimeOver,
    /// That it is approved to name no networks.
    ApprovalWithoutNetworks,
}

impl GuardrailName {
    /// Whether an approval lifts it.
    #[must_use]
    pub const fn is_approval(self) -> bool {
        matches!(
            self,
            Self::ApprovalSensitivePermissions | Self::ApprovalLifetimeOver | Self::ApprovalWithoutNetworks
        )
    }
}

/// Where a guardrail comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GuardrailScope {
    /// Keystead's own, where the organization sets none.
    BuiltIn,
    /// The organization's.
    Organization,
    /// The project's.
    Project,
}

/// The guardrails of an organization or a project, and what holds there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardrailsView {
    /// Its own.
    pub rules: Guardrails,
    /// What holds, and where it comes from.
    pub effective: Vec<EffectiveGuardrail>,
    /// When its own were last set; `null` when they never were.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub updated_at: Option<Timestamp>,
    /// Counts changes; also the `ETag`. 0 when they were never set.
    pub version: i64,
}

/// A guardrail that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EffectiveGuardrail {
    /// Which.
    pub guardrail: GuardrailName,
    /// For keys of this kind; `null` where kinds make no difference.
    pub kind: Option<KeyKind>,
    /// As it was set.
    #[cfg_attr(feature = "openapi", schema(value_type = Value))]
    pub value: serde_json::Value,
    /// Where it comes from.
    pub from: GuardrailScope,
}

/// How a key is other than a guardrail allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardrailViolation {
    /// Which guardrail.
    pub guardrail: GuardrailName,
    /// Where it comes from.
    #[serde(rename = "where")]
    pub from: GuardrailScope,
    /// Which field of the key, as a JSON pointer; empty where it is no single one.
    pub field: String,
    /// What is other than allowed.
    pub detail: String,
    /// What to do about it.
    pub fix: String,
}

/// A key that is other than the guardrails allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ViolatingKey {
    /// `key_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// How it begins, up to its public id.
    pub start: String,
    /// The environment's slug.
    pub environment: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Whose it is.
    pub owner: OwnerRef,
    /// To whom it is issued.
    pub consumer: Option<ConsumerRef>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// Not valid from then on.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// How.
    pub violations: Vec<GuardrailViolation>,
}

/// What existing keys would be under other guardrails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardrailsPreview {
    /// Keys that were looked at: neither revoked nor expired.
    pub keys_checked: u64,
    /// Of these, those that would violate.
    pub keys_violating: u64,
    /// Of these, those that violate now already.
    pub keys_violating_now: u64,
    /// How many keys would violate each guardrail.
    pub by_guardrail: BTreeMap<GuardrailName, u64>,
    /// Whether all keys were looked at: after 200,000 it stops.
    pub complete: bool,
}
