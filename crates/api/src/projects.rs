//! Projects, their environments, permission catalogues and roles.

use crate::Timestamp;
use crate::patch::present;
use serde::{Deserialize, Serialize};

/// What a team works on: it protects an API, so it issues keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    /// `prj_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// For URLs; unique in the organization; never changes.
    pub slug: String,
    /// How its keys begin.
    pub prefix: String,
    /// Whether its keys guard Keystead's own API.
    pub system: bool,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    /// For people, 1 to 128 characters.
    pub name: String,
    /// For URLs: `a-z`, `0-9`, `-`, 1 to 64 characters.
    pub slug: String,
    /// How its keys begin: `a-z`, `0-9`, `_`, 1 to 32 characters, first a letter; the slug with
    /// `_` for `-` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// What to change of a project. Keys that exist keep their prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// A new prefix for keys made from now on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub prefix: Option<String>,
}

/// Where keys are valid: `production`, `development`, …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Environment {
    /// `env_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// For URLs; unique in the project; never changes.
    pub slug: String,
    /// Stands in its keys: `acme_<tag>_…`.
    pub tag: String,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateEnvironment {
    /// For people, 1 to 128 characters.
    pub name: String,
    /// For URLs: `a-z`, `0-9`, `-`, 1 to 64 characters.
    pub slug: String,
    /// Stands in its keys: `a-z`, `0-9`, 1 to 16 characters. When left out: `live` for
    /// `production`, `test` for `staging`, `dev` for `development`, else the slug's letters and
    /// digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// What to change of an environment. Its slug and tag never change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateEnvironment {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
}

/// An entry of a project's permission catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Permission {
    /// `perm_…`
    pub id: String,
    /// Dotted: `routes.write`.
    pub name: String,
    /// What it lets its holder do.
    pub description: String,
    /// May be held by keys that are meant to be seen.
    pub public_safe: bool,
    /// Deserves extra care when it is given.
    pub sensitive: bool,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreatePermission {
    /// Dotted: segments of `a-z`, `0-9`, `_`, `-`; at most 8 segments, 128 characters.
    pub name: String,
    /// What it lets its holder do, at most 1,024 characters.
    #[serde(default)]
    pub description: String,
    /// May be held by keys that are meant to be seen.
    #[serde(default)]
    pub public_safe: bool,
    /// Deserves extra care when it is given.
    #[serde(default)]
    pub sensitive: bool,
}

/// What to change of a permission. Its name never changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdatePermission {
    /// A new description.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// May be held by keys that are meant to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub public_safe: Option<bool>,
    /// Deserves extra care when it is given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub sensitive: Option<bool>,
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Role {
    /// `role_…`
    pub id: String,
    /// Unique in the project; never changes.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Permission names and patterns.
    pub permissions: Vec<String>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    /// `a-z`, `0-9`, `-`, `_`, 1 to 64 characters.
    pub name: String,
    /// What it is for, at most 1,024 characters.
    #[serde(default)]
    pub description: String,
    /// Permission names, or patterns with `*` (one segment) and a final `**` (the rest); each must
    /// be in, or match something in, the catalogue. At most 256.
    pub permissions: Vec<String>,
}

/// What to change of a role; every key that holds it follows on its next request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateRole {
    /// A new description.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// The whole new set of permissions.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub permissions: Option<Vec<String>>,
}
