//! Organizations: tenants of an installation.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A tenant; everything else belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Organization {
    /// `org_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// For URLs; unique in the installation; never changes.
    pub slug: String,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// A new organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateOrganization {
    /// For people, 1 to 128 characters.
    pub name: String,
    /// For URLs: `a-z`, `0-9`, `-`, 1 to 64 characters.
    pub slug: String,
}

/// A new organization with the key that administers it, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedOrganization {
    /// The organization.
    #[serde(flatten)]
    pub organization: Organization,
    /// The administrator's key, shown only now.
    pub key: String,
    /// Its id, `key_…`.
    pub key_id: String,
}

impl std::fmt::Debug for CreatedOrganization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedOrganization")
            .field("organization", &self.organization)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
