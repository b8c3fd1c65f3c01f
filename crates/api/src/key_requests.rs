//! What is asked of issued keys: to make, change, mint, suspend, revoke one; and the two answers that show one.

use crate::patch::present;
use crate::{
    CreditsSpec, Key, KeyKind, LimitSpec, PermissionGrant, QuotaSpec, Restrictions, RoleGrant, Timestamp,
};
use serde::{Deserialize, Serialize};

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
    /// Whose it is: a service account's id or name, a consumer's id, or `me` for the person who creates it.
    /// When left out: the consumer if one is named, else whoever creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// In which team's name a person makes it for themselves, by the team's name or id: it may do what the team
    /// may, while they are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
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
    /// Why it cannot wait for the approval that a guardrail demands, 1 to 512 characters: it is made at once,
    /// and everyone who decides on approvals is told. Needs `approvals.break_glass`; for one key at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
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
    /// Why the change cannot wait for the approval that a guardrail demands: see `break_glass` of a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub break_glass: Option<String>,
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
