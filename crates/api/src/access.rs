//! Permissions given (grants) and permissions asked (expressions).

use crate::objects::object;
use serde::{Deserialize, Serialize};

/// A permission given to a key: a name or pattern, optionally only on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum PermissionGrant {
    /// On every resource: `"routes.read"`, `"routes.*"`, `"**"`.
    Everywhere(String),
    /// Only on resources that match.
    Narrowed(#[serde(deserialize_with = "object")] NarrowedPermission),
}

/// A permission that holds only on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NarrowedPermission {
    /// A name or pattern.
    pub permission: String,
    /// Paths such as `networks/NET-7`; `*` stands for one segment, a final `**` for the rest. 1 to 64.
    pub resources: Vec<String>,
}

/// A role given to a key, optionally only on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum RoleGrant {
    /// On every resource: the role's name.
    Everywhere(String),
    /// Only on resources that match.
    Narrowed(#[serde(deserialize_with = "object")] NarrowedRole),
}

/// A role that holds only on some resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NarrowedRole {
    /// The role's name.
    pub role: String,
    /// Paths such as `networks/NET-7`; `*` stands for one segment, a final `**` for the rest. 1 to 64.
    pub resources: Vec<String>,
}

/// Which permissions a request needs; nests at most 8 deep, at most 64 names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(no_recursion))]
#[serde(untagged)]
pub enum PermissionQuery {
    /// This one.
    One(String),
    /// All of these.
    All(#[serde(deserialize_with = "object")] AllOf),
    /// At least one of these.
    Any(#[serde(deserialize_with = "object")] AnyOf),
    /// This one, on a resource of its own instead of the request's.
    On(#[serde(deserialize_with = "object")] PermissionOn),
}

/// Every part must hold; an empty list is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AllOf {
    /// The parts.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub all: Vec<PermissionQuery>,
}

/// One part must hold; an empty list is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnyOf {
    /// The parts.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub any: Vec<PermissionQuery>,
}

/// A permission on a named resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PermissionOn {
    /// Its name.
    pub permission: String,
    /// A path such as `networks/NET-7`.
    pub resource: String,
}

/// A permission that a key has now, with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EffectivePermission {
    /// Its name in the catalogue.
    pub permission: String,
    /// Only on these resources; `null` means on all.
    pub resources: Option<Vec<String>>,
    /// The grant it comes from: `permission routes.*` or `role editor`.
    pub via: String,
    /// `null` when it holds; else what takes it away (the owner's or the consumer's ceiling).
    pub lost: Option<String>,
}
