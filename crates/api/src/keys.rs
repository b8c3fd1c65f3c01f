//! Issued keys, as they are shown.

use crate::{
    ConsumerRef, CreditsStatus, EffectivePermission, KeyRotation, LimitSpec, LimitStatus, OwnerRef,
    PermissionGrant, QuotaSpec, QuotaStatus, Restrictions, RoleGrant, Seen, Timestamp,
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
