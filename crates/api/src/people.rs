//! People: members, their teams, and what they may do.

use crate::contacts::ContactState;
use crate::patch::present;
use crate::{KeyStatus, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that a member or team may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorityGrant {
    /// A permission, or a pattern such as `routes.*` or `**`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Or a role of the project, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The project with whose API it is done, by slug or id; `*`: every project's. Left out: Keystead itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only in this environment of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only on these resources, as with keys. For Keystead itself `projects/<slug>` or
    /// `projects/<slug>/environments/<slug>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

/// A person in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// `mem_…`
    pub id: String,
    /// In lower case.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// What the person may do whatever their teams.
    pub grants: Vec<AuthorityGrant>,
    /// The teams that the person is in.
    pub teams: Vec<TeamRef>,
    /// While disabled, nothing of theirs works.
    pub disabled: bool,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub disabled_at: Option<Timestamp>,
    /// When the person joined; `null` while they are only invited.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub joined_at: Option<Timestamp>,
    /// When the member was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// Which team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamRef {
    /// `team_…`
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A new member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateMember {
    /// An e-mail address; unique in the organization, whatever the case of its letters.
    pub email: String,
    /// The person's name, 1 to 128 characters.
    pub name: String,
    /// What the person may do whatever their teams, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<AuthorityGrant>,
    /// Teams to put the person in, by name or id, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}

/// What to change of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateMember {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// The whole new list of grants.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub grants: Option<Vec<AuthorityGrant>>,
    /// Stops or restarts everything of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub disabled: Option<bool>,
}

/// A named group of members with a shared address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Team {
    /// `team_…`
    pub id: String,
    /// Unique in the organization.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// The e-mail address that all of it reads.
    pub contact: Option<String>,
    /// What is known of it; `null` without one.
    #[serde(default)]
    pub contact_state: Option<ContactState>,
    /// When whoever reads it last said that it is the team's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub contact_verified_at: Option<Timestamp>,
    /// Whether anybody can look the contact up while it is verified.
    #[serde(default)]
    pub listed: bool,
    /// What its members may do in its name.
    pub grants: Vec<AuthorityGrant>,
    /// When it was created.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    /// `a-z`, `0-9`, `-`, `_`, 1 to 64 characters; unique in the organization, never changes.
    pub name: String,
    /// What it is for, at most 1,024 characters.
    #[serde(default)]
    pub purpose: String,
    /// An e-mail address that all of it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether anybody can look the contact up, once it is verified.
    #[serde(default)]
    pub listed: bool,
    /// What its members may do in its name, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<AuthorityGrant>,
}

/// What to change of a team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateTeam {
    /// A new purpose.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub purpose: Option<String>,
    /// A new contact; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub contact: Option<Option<String>>,
    /// Whether anybody can look the contact up while it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub listed: Option<bool>,
    /// The whole new list of grants.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub grants: Option<Vec<AuthorityGrant>>,
}

/// A member's place in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamMember {
    /// `mem_…`
    pub member: String,
    /// In lower case.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// While disabled, nothing of theirs works.
    pub disabled: bool,
    /// Since when the person has had a place in the team.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
    /// When the person left; keys made in the team's name stopped then. `null` while they are in it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub left_at: Option<Timestamp>,
}

/// Everyone who is or was in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamMembers {
    /// Those who joined first come first.
    pub members: Vec<TeamMember>,
}

/// A key that a person owns, themselves or in a team's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnedKey {
    /// `key_…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its project, by slug.
    pub project: String,
    /// Its environment, by slug.
    pub environment: String,
    /// The team in whose name it was made.
    pub team: Option<TeamRef>,
    /// What it is now; `disabled` also where its owner is, or has left the team.
    pub status: KeyStatus,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last passed.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
}
