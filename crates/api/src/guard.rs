//! What an API's endpoints need of the requests that reach them, and how they are guarded.

use crate::patch::present;
use crate::{PermissionQuery, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether refusals are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GuardMode {
    /// Every request passes; what would have been refused is in the report.
    Observe,
    /// What is not allowed is refused.
    Enforce,
}

/// What becomes of requests to endpoints that no route lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnlistedEndpoints {
    /// They are refused.
    #[default]
    Deny,
    /// Any valid key may call them.
    AnyKey,
}

/// How the API of a project is guarded: its routes, and what holds for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Whether refusals are carried out; a route may say otherwise for itself.
    pub mode: GuardMode,
    /// What becomes of endpoints that no route lists.
    #[serde(default)]
    pub unlisted: UnlistedEndpoints,
    /// Where requests carry their key, 1 to 4 of `bearer` (`Authorization: Bearer`), `header:NAME` and `query:NAME`.
    /// Two keys in one request are refused. The doors for other proxies take none from a query.
    #[serde(default = "credentials")]
    pub credentials: Vec<String>,
    /// Whether browsers' CORS preflights (which carry no key) pass.
    #[serde(default = "yes")]
    pub preflight: bool,
    /// Whether clients are told what remains of their limits: `RateLimit` and `RateLimit-Policy`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rate_limit_headers: bool,
    /// Networks (CIDR) of the proxies before the one that asks; the client's address is the last one in
    /// `X-Forwarded-For` that is in none of them. At most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<String>,
    /// For whom the signed identity in `X-Keystead-Identity` is: 1 to 128 visible ASCII characters, in which
    /// `{environment}` stands for the environment's slug. What begins with `keystead:` is reserved. When left out,
    /// `keystead:ORGANIZATION:PROJECT:ENVIRONMENT`: the organization's id and two slugs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 128))]
    pub audience: Option<String>,
    /// What each endpoint needs; at most 2,000. The most specific path decides; then its methods.
    #[serde(default)]
    pub routes: Vec<GuardRoute>,
}

fn credentials() -> Vec<String> {
    vec!["bearer".into(), "header:x-api-key".into()]
}

const fn yes() -> bool {
    true
}

impl Guard {
    /// One without routes: every endpoint is refused, or would be.
    #[must_use]
    pub fn new(mode: GuardMode) -> Self {
        Self {
            mode,
            unlisted: UnlistedEndpoints::Deny,
            credentials: credentials(),
            preflight: true,
            rate_limit_headers: false,
            trusted_proxies: Vec::new(),
            audience: None,
            routes: Vec::new(),
        }
    }
}

/// What an endpoint needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuardRoute {
    /// Its methods; all when left out. `GET` includes `HEAD`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Its path: `*` stands for one segment, a final `**` for the rest.
    pub path: String,
    /// Which permissions it needs; any valid key may call it when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionQuery>,
    /// What the permissions are needed on: `networks/{1}`, where `{1}` is what stands in the path for its first `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What a request takes of limits, quotas and credits; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Rate limits of its own, at most 4; beside those of keys and consumers, and all or nothing with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<GuardLimit>,
    /// Whether anybody may call it, without a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// Whether refusals are carried out, where it differs from the guard's mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<GuardMode>,
    /// Where its requests carry their key, where it differs from the guard's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<String>>,
    /// The operation of the OpenAPI document that it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether the document that was imported last has it no more. It still holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
}

/// A rate limit of a route, sliding over time (GCRA), in each environment apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuardLimit {
    /// Unique in its route: `a-z`, `0-9`, `-`, `_`, 1 to 32 characters.
    pub name: String,
    /// Requests (or units of the route's cost) in one window, 1 to 1,000,000,000.
    pub limit: u64,
    /// `10s`, `1m`, `1h`, `1d`; one second to 31 days.
    pub window: String,
    /// How many may come at once; `limit` when left out, at most `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// Whose requests are counted together. A public route knows no keys: `all` or `address`.
    #[serde(default, skip_serializing_if = "LimitPer::is_key")]
    pub per: LimitPer,
}

/// Whose requests a route's limit counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LimitPer {
    /// Those of each key, with the keys that it was rotated from and into and those minted from it.
    #[default]
    Key,
    /// Those of all keys of a consumer; a key without one counts by itself.
    Consumer,
    /// Everybody's.
    All,
    /// Those of each network: an IPv4 address, or a /64 of IPv6. Each node counts it by itself.
    Address,
}

impl LimitPer {
    const fn is_key(&self) -> bool {
        matches!(self, Self::Key)
    }
}

/// A project's guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardView {
    /// What it says.
    pub rules: Guard,
    /// The `iss` of signed identities: the organization's, whatever its guards say.
    pub identity_issuer: String,
    /// The `aud` of signed identities, in which `{environment}` stands for the environment's slug.
    pub identity_audience: String,
    /// When it was last changed; left out while nobody has guarded the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime, nullable = false))]
    pub updated_at: Option<Timestamp>,
    /// Counts changes; also the `ETag`. 0 while nobody has guarded the project.
    pub version: i64,
}

/// Sets the mode of a guard, or of some of its routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetGuardMode {
    /// The mode; left out, the named routes follow the guard's mode again.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub mode: Option<GuardMode>,
    /// Which routes, each as its operation or as `GET /orders/*`; without any, the guard itself and with it every
    /// route that has no mode of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
}

/// Reads the routes of an OpenAPI document into a guard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuardImport {
    /// An OpenAPI document 3.0 or 3.1, as JSON. Only `paths`, `security`, `servers`, `components.securitySchemes` and
    /// `tags` are read; `$ref` of a whole path is not followed.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub document: serde_json::Map<String, serde_json::Value>,
    /// Whether to apply it; otherwise only the difference is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apply: bool,
    /// The mode of a guard that does not exist yet; needed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<GuardMode>,
    /// What stands before every path, such as `/v1`; the path of the document's first server when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// Whether permissions, and whether an endpoint is public, are taken from the document also where a route has
    /// others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// Whether routes that the document has no more are removed, instead of flagged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove_absent: bool,
}

/// What importing an OpenAPI document changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardDifference {
    /// Whether it was applied.
    pub applied: bool,
    /// Routes that are new.
    pub added: Vec<GuardRoute>,
    /// Routes that change.
    pub changed: Vec<GuardRouteChange>,
    /// Routes that the document has no more: flagged, or removed where that was asked.
    pub absent: Vec<GuardRoute>,
    /// How many routes stay as they are.
    pub unchanged: usize,
    /// Permissions that the catalogue gets.
    pub permissions: Vec<String>,
    /// What deserves a look.
    pub notes: Vec<String>,
    /// The guard's version: the new one where it was applied.
    pub version: i64,
}

/// A route before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardRouteChange {
    /// As it is.
    pub before: GuardRoute,
    /// As it becomes.
    pub after: GuardRoute,
}

/// Requests that observe mode let pass and enforcing would refuse: of one route, key and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuardObservation {
    /// The environment's slug.
    pub environment: String,
    /// The route, as `GET /orders/*`; `unlisted` where none lists the endpoint.
    pub route: String,
    /// The verdict; `malformed` also where there was no key or more than one.
    pub code: String,
    /// Why, for people.
    pub why: String,
    /// The key, where one was recognised.
    pub key_id: Option<String>,
    /// How many.
    pub count: u64,
    /// The first of them.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub first_at: Timestamp,
    /// The last of them.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last_at: Timestamp,
    /// The last one's endpoint, without query.
    pub endpoint: String,
    /// The last one's address.
    pub ip: Option<String>,
    /// The last one's user agent.
    pub user_agent: Option<String>,
}
