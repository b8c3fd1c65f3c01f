//! Issued keys.

use crate::patch::present;
use crate::{
    ConsumerRef, CreditsSpec, CreditsStatus, EffectivePermission, KeyRotation, LimitSpec, LimitStatus,
    OwnerRef, PermissionGrant, QuotaSpec, QuotaStatus, Restrictions, RoleGrant, Seen, Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a key is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Known to its holder only.
    #[default]
    Private,
    /// Meant to be seen in a page or an app: narrowed to origins or endpoints, with permissions that
    /// are safe in public only; it can be read again.
    Public,
    /// Issued to a consumer, and for a time.
    Partner,
    /// For a day at most, perhaps for a number of uses; can be minted from another key by its holder.
    Temporary,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Private, Self::Public, Self::Partner, Self::Temporary];

    /// Its name, also as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Partner => "partner",
            Self::Temporary => "temporary",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether a key is usable now, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Usable.
    Active,
    /// Switched off; can be switched on.
    Disabled,
    /// Switched off until a time.
    Suspended,
    /// Its validity has not begun.
    NotYetValid,
    /// Its validity has ended.
    Expired,
    /// Ended for good.
    Revoked,
}

/// A new key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// For people, 1 to 128 characters.
    pub name: String,
    /// The environment's id or slug.
    pub environment: String,
    /// What it is for; `private` when left out.
    #[serde(default)]
    pub kind: KeyKind,
    /// Whose it is: a service account's id or name, or a consumer's id. When left out: the consumer if one
    /// is named, else the owner of the key that creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// To whom it is issued: a consumer's id or external id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Permissions given; at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionGrant>,
    /// Roles given; at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleGrant>,
    /// What narrows it.
    #[serde(default)]
    pub restrictions: Restrictions,
    /// Rate limits; at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitSpec>,
    /// Requests in a calendar period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSpec>,
    /// A number of uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<CreditsSpec>,
    /// Not valid before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub not_before: Option<Timestamp>,
    /// Not valid from then on. A `partner` key must have it; a `temporary` one that has none gets 24
    /// hours from now, which is also its latest unless the organization's guardrails say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// How many requests a `temporary` key may pass, whatever each costs: 1 to 1,000,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// Whether its holder may mint temporary keys from it; by default a `private` key's may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_mint: Option<bool>,
    /// `a-z`, `0-9`, `-`, `_`, `.`, `:`; each 1 to 64 characters; at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A JSON object of yours, at most 8 KiB; never a place for secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A key just made, with its secret: shown only now.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedKey {
    /// The key itself, shown only now.
    pub key: String,
    /// Everything else about it.
    #[serde(flatten)]
    pub details: Key,
}

impl std::fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedKey").field("details", &self.details).finish_non_exhaustive()
    }
}

/// A key: everything but its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Key {
    /// `key_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// How it begins, up to its public id: `acme_live_4fGh…`.
    pub start: String,
    /// The project's slug.
    pub project: String,
    /// The environment's slug.
    pub environment: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Whether it is usable now; of a minted key, whether its parent is too.
    pub status: KeyStatus,
    /// The key that it was minted from (`key_…`): what that may not, it may not, and what it spends
    /// is that one's.
    #[serde(default)]
    pub parent: Option<String>,
    /// How many requests it may pass.
    #[serde(default)]
    pub uses: Option<UsesStatus>,
    /// The rotation that runs now; more of it is shown with the key alone.
    #[serde(default)]
    pub rotating: Option<Rotating>,
    /// Whether its holder may mint temporary keys from it.
    #[serde(default)]
    pub may_mint: bool,
    /// Whose it is.
    pub owner: OwnerRef,
    /// To whom it is issued.
    pub consumer: Option<ConsumerRef>,
    /// Permissions given.
    pub permissions: Vec<PermissionGrant>,
    /// Roles given.
    pub roles: Vec<RoleGrant>,
    /// What narrows it.
    pub restrictions: Restrictions,
    /// Its rate limits.
    pub limits: Vec<LimitSpec>,
    /// Its quota.
    pub quota: Option<QuotaSpec>,
    /// Its credits.
    pub credits: Option<CreditsStatus>,
    /// Not valid before.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub not_before: Option<Timestamp>,
    /// Not valid from then on.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// Suspended until then.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub suspended_until: Option<Timestamp>,
    /// When and why it was revoked.
    pub revocation: Option<Revocation>,
    /// Labels.
    pub tags: Vec<String>,
    /// Your JSON object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// When it last passed; flushed every few seconds.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// The key that made it (`key_…`); `null` for the server's own.
    pub created_by: Option<String>,
    /// The address it was made from.
    pub created_from: Option<String>,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// How many requests a key may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsesStatus {
    /// In all.
    pub total: u64,
    /// Still.
    pub remaining: u64,
}

/// A key with all that can be said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyDetails {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// What it may do now, and where each permission comes from.
    pub effective_permissions: Vec<EffectivePermission>,
    /// What remains of each rate limit, its own and its consumer's.
    pub limit_status: Vec<LimitStatus>,
    /// What remains of the quotas, its own and its consumer's.
    pub quota_status: Vec<QuotaStatus>,
    /// How its lineage has been used.
    pub seen: Seen,
    /// The last rotation that it was a part of.
    pub rotation: Option<KeyRotation>,
}

/// A rotation that runs, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rotating {
    /// Which of its two keys this is.
    pub part: RotationPart,
    /// The other one (`key_…`).
    pub other_key_id: String,
    /// When the old one ends; `null` while that waits for the new one's first use.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ends_at: Option<Timestamp>,
}

/// Which key of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RotationPart {
    /// The one that is rotated away.
    Old,
    /// The one that takes over.
    New,
}

/// When and why a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revocation {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What to change of a key; a field left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateKey {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// A new owner: a service account's id or name, or a consumer's id.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub owner: Option<String>,
    /// A new consumer; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub consumer: Option<Option<String>>,
    /// The whole new list of permissions.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub permissions: Option<Vec<PermissionGrant>>,
    /// The whole new list of roles.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub roles: Option<Vec<RoleGrant>>,
    /// The whole new restrictions.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub restrictions: Option<Restrictions>,
    /// The whole new list of limits; one that keeps its name keeps its count.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub limits: Option<Vec<LimitSpec>>,
    /// A new quota; `null` removes it; what was used in this period stays used.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub quota: Option<Option<QuotaSpec>>,
    /// New credits, which replace what was left; `null` removes them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub credits: Option<Option<CreditsSpec>>,
    /// A new start of validity; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub not_before: Option<Option<Timestamp>>,
    /// A new end of validity; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether its holder may mint temporary keys from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub may_mint: Option<bool>,
    /// The whole new list of tags.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tags: Option<Vec<String>>,
    /// The whole new JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A temporary key to mint from the key that asks. It never has more rights, a longer life or wider
/// networks than that one, now or later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MintKey {
    /// For people, 1 to 128 characters; made from the parent's when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seconds until it expires: 1 to 86,400; 900 when left out. It never outlives its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u64>,
    /// How many requests it may pass, whatever each costs: 1 to 1,000,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// Permissions given, of those that the parent has now; all that the parent was given, its roles
    /// too, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<PermissionGrant>>,
    /// What narrows it, beside all that narrows its parent.
    #[serde(default)]
    pub restrictions: Restrictions,
    /// A JSON object of yours, at most 8 KiB; never a place for secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A public key, read again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevealedKey {
    /// `key_…`
    pub id: String,
    /// The key itself.
    pub key: String,
}

impl std::fmt::Debug for RevealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevealedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Until when to suspend a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SuspendKey {
    /// It is usable again from then on; in the future.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

/// Why a key is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// For people, 1 to 512 characters.
    pub reason: String,
}
