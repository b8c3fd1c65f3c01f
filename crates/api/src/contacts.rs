//! Contacts: the addresses that teams are reached at, verified by mail, and looked up by anybody where their
//! organization lists them.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known of a team's contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactState {
    /// Nobody who reads it has said that it is the team's.
    Unverified,
    /// Somebody who reads it said so, within a year.
    Verified,
    /// Somebody did, longer ago.
    Lapsed,
}

/// A contact that was asked whether it is the team's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactAsked {
    /// The team's id.
    pub team_id: String,
    /// The address.
    pub contact: String,
    /// Until when the link works, once.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// Whether the link is on its way by e-mail.
    pub mailed: bool,
    /// The link, where this server sends no e-mail: hand it to whoever reads the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Says that an address is the team's, by the link that it was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmContact {
    /// What follows the `#` in the link.
    pub token: String,
}

impl std::fmt::Debug for ConfirmContact {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfirmContact").finish_non_exhaustive()
    }
}

/// A contact that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactConfirmed {
    /// The organization's slug.
    pub organization: String,
    /// The team's name.
    pub team: String,
    /// The address.
    pub contact: String,
}

/// How an organization is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contacts {
    /// Its name.
    pub organization: String,
    /// By the teams' names.
    pub contacts: Vec<Contact>,
}

/// How a team is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// The team's name.
    pub team: String,
    /// Its address.
    pub contact: String,
    /// When whoever reads it last said that it is the team's.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub verified_at: Timestamp,
}
