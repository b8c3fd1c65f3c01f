//! Who keys belong to: service accounts and consumers.

use crate::patch::present;
use crate::{LimitSpec, QuotaSpec, TeamRef, Timestamp};
use serde::{Deserialize, Serialize};

/// A principal that is no person: a program of the organization's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceAccount {
    /// `sa_…`
    pub id: String,
    /// Unique in the project; never changes.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What its keys may do at most: permission names and patterns; `null` sets no ceiling.
    pub ceiling: Option<Vec<String>>,
    /// While disabled, every key that it owns answers `disabled`.
    pub disabled: bool,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new service account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateServiceAccount {
    /// `a-z`, `0-9`, `-`, `_`, 1 to 64 characters.
    pub name: String,
    /// What it is, at most 1,024 characters.
    #[serde(default)]
    pub description: String,
    /// What its keys may do at most; left out or `null`: no ceiling; `[]`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Vec<String>>,
}

/// What to change of a service account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateServiceAccount {
    /// A new description.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub description: Option<String>,
    /// A new ceiling; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub ceiling: Option<Option<Vec<String>>>,
    /// Stops or restarts all of its keys.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
}

/// The outside party that keys are issued to: a customer, a partner, an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consumer {
    /// `con_…`
    pub id: String,
    /// For people.
    pub name: String,
    /// Your own name for it; unique in the project.
    pub external_id: Option<String>,
    /// Whom to write to about its keys: an e-mail address.
    pub contact: Option<String>,
    /// What its keys may do at most; `null` sets no ceiling.
    pub ceiling: Option<Vec<String>>,
    /// Rate limits shared by all of its keys.
    pub limits: Vec<LimitSpec>,
    /// A quota shared by all of its keys.
    pub quota: Option<QuotaSpec>,
    /// While disabled, every key of it answers `disabled`.
    pub disabled: bool,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateConsumer {
    /// For people, 1 to 128 characters.
    pub name: String,
    /// Your own name for it, 1 to 128 printable characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// What its keys may do at most; left out or `null`: no ceiling; `[]`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Vec<String>>,
    /// Rate limits shared by all of its keys, at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitSpec>,
    /// A quota shared by all of its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSpec>,
}

/// What to change of a consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateConsumer {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// A new external id; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub external_id: Option<Option<String>>,
    /// A new contact; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub contact: Option<Option<String>>,
    /// A new ceiling; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub ceiling: Option<Option<Vec<String>>>,
    /// The whole new list of limits.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub limits: Option<Vec<LimitSpec>>,
    /// A new quota; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub quota: Option<Option<QuotaSpec>>,
    /// Stops or restarts all of its keys.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
}

/// What kind of principal an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// A program of the organization's own.
    ServiceAccount,
    /// An outside party.
    Consumer,
    /// A person.
    Member,
    /// A person in a team's name.
    TeamMember,
}

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnerRef {
    /// What kind of principal.
    pub kind: OwnerKind,
    /// `sa_…`, `con_…` or `mem_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// The team in whose name the key was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamRef>,
}

/// Which consumer a key was issued to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsumerRef {
    /// `con_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Your own name for it.
    pub external_id: Option<String>,
}
