//! Identity providers of an organization, and signing in through one. What holds a secret does not print it.

use crate::Timestamp;
use crate::patch::present;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        }
    )*};
}

hidden!(
    CreateIdentityProvider,
    UpdateIdentityProvider,
    BegunSingleSignOn,
    FinishSingleSignOn,
    SingleSignOnCallback
);

/// Which of the provider's groups is which team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupTeam {
    /// The group, as the provider writes it.
    pub group: String,
    /// The team, by name or id.
    pub team: String,
}

/// An OpenID Connect provider through which an organization's members sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityProvider {
    /// `idp_…`
    pub id: String,
    /// Unique in the organization.
    pub name: String,
    /// Its issuer's URL; never changes.
    pub issuer: String,
    /// By which id it knows this server.
    pub client_id: String,
    /// Whether this server has a secret there; the secret itself is never shown.
    pub has_secret: bool,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// The claim that holds a person's groups.
    pub groups_claim: Option<String>,
    /// Which group is which team.
    pub group_teams: Vec<GroupTeam>,
    /// Verified addresses in these domains lead to members.
    pub email_domains: Vec<String>,
    /// Whether who signs in with such an address and is no member becomes one.
    pub just_in_time: bool,
    /// Whether the organization's members sign in through a provider only.
    pub enforced: bool,
    /// The address to name at the provider as where browsers come back to; for the command line also
    /// `http://127.0.0.1/callback`.
    pub redirect_uri: String,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// Counts changes; also the `ETag`.
    pub version: i64,
}

/// A new identity provider.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateIdentityProvider {
    /// `a-z`, `0-9`, `-`, `_`, 1 to 64 characters; never changes.
    pub name: String,
    /// Its issuer's URL, exactly as it names itself.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there; none for a public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What to ask it for, at most 16; `openid`, `email` and `profile` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The claim that holds a person's groups, such as `groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// Which group is which team, at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_teams: Vec<GroupTeam>,
    /// Verified addresses in these domains lead to members, 1 to 20.
    pub email_domains: Vec<String>,
    /// Makes a member of whoever signs in with such an address and is none.
    #[serde(default)]
    pub just_in_time: bool,
}

/// What to change of an identity provider.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateIdentityProvider {
    /// Another client's id.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub client_id: Option<String>,
    /// Another secret; `null` for a public client.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub client_secret: Option<Option<String>>,
    /// The whole new list.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub scopes: Option<Vec<String>>,
    /// Another claim; `null` for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub groups_claim: Option<Option<String>>,
    /// The whole new list. Holds for each person at their next sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub group_teams: Option<Vec<GroupTeam>>,
    /// The whole new list.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub email_domains: Option<Vec<String>>,
    /// Whether who is no member becomes one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub just_in_time: Option<bool>,
    /// Refuses passwords to the organization's members, and ends their sessions that began with one; but owners with
    /// a second factor may still use it. Only once somebody has signed in through the provider.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub enforced: Option<bool>,
}

/// What a try of an identity provider found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityProviderTest {
    /// Whether a sign-in could begin. Whether the client and its secret are right only a sign-in shows.
    pub ok: bool,
    /// What is in the way.
    pub problem: Option<String>,
    /// Where people are sent.
    pub authorization_endpoint: Option<String>,
    /// With which algorithms it says that it signs.
    pub algorithms: Vec<String>,
    /// How many of its keys can be used here.
    pub signing_keys: u32,
}

/// Begins a sign-in through an identity provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartSingleSignOn {
    /// The organization's slug.
    pub organization: String,
    /// The provider's name; may be left out where the organization has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// For programs: the port of this machine's loopback on which they wait for the browser (RFC 8252). What belongs
    /// to the sign-in is then answered instead of set as a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub loopback_port: Option<u16>,
    /// Has the provider ask the person again who they are, as what needs a second factor wants it.
    #[serde(default)]
    pub again: bool,
}

/// A sign-in that was begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BegunSingleSignOn {
    /// Where to send the person's browser.
    pub url: String,
    /// What proves later that who finishes is who began; only with `loopback_port`, else it is a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Until when it can be finished.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

/// Finishes a sign-in that was begun with `loopback_port`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FinishSingleSignOn {
    /// What was answered when it was begun.
    pub flow: String,
    /// What came back with the browser.
    pub state: String,
    /// What came back with the browser.
    pub code: String,
    /// What came back with the browser, where the provider sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// What a browser brings back from a provider.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct SingleSignOnCallback {
    /// Which sign-in it belongs to.
    #[serde(default)]
    pub state: Option<String>,
    /// What stands for who signed in.
    #[serde(default)]
    pub code: Option<String>,
    /// Who sends it.
    #[serde(default)]
    pub iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    pub error: Option<String>,
}
