//! How people sign in, and what they do with their own account. What holds a secret does not print it.

use crate::{PasskeyProof, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Prints a type by its name alone: its fields are secrets.
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
    SignIn,
    SignedIn,
    CurrentSession,
    AcceptInvitation,
    Invitation,
    ChangePassword,
    ProvePassword,
    OneTimeCode,
    TotpSecret,
    RecoveryCodes,
    RecoverAccount
);

/// Who signs in.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's e-mail address, in any case.
    pub email: String,
    /// Its password.
    pub password: String,
    /// The organization's slug; needed by members of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The one-time code or a recovery code, where the account has a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// That a passkey was used, in place of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyProof>,
    /// Answers the session's token instead of setting a cookie: for programs such as the command line.
    #[serde(default)]
    pub token: bool,
}

/// A session: somebody who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// `ses_…`
    pub id: String,
    /// The slug of the organization that it is for.
    pub organization: String,
    /// As which member: `mem_…`.
    pub member_id: String,
    /// From which address it began.
    pub address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last used, to within a minute.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last_seen_at: Timestamp,
    /// When it ends; sooner when it is not used.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// When the second factor was last proved in it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub second_factor_at: Option<Timestamp>,
    /// Through which identity provider it began: `idp_…`; `null` where it was a password.
    pub identity_provider: Option<String>,
}

/// The session that asks, and whose it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurrentSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// The account's e-mail address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// Whether the account has a second factor.
    pub second_factor: bool,
    /// What a browser sends as `X-CSRF-Token` with every request that changes something.
    pub csrf_token: String,
}

/// A session that has just begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The session, and whose it is.
    #[serde(flatten)]
    pub current: CurrentSession,
    /// Its token, where `token` asked for it; shown only now. Sent as `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// An invitation of a member.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Of which member: `mem_…`.
    pub member_id: String,
    /// To which address.
    pub email: String,
    /// When it ends.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// Whether it goes out by e-mail.
    pub mailed: bool,
    /// The link, where this server sends no e-mail: hand it to the person yourself. Shown only now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Accepts an invitation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The link's token: what stands after its `#`.
    pub token: String,
    /// A new password; that of the account where the address has one already.
    pub password: String,
    /// The person's name; as the administrator wrote it when left out. An account that exists keeps its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The one-time code, where the account exists and has a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// That a passkey was used, in place of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyProof>,
}

/// What somebody joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Joined {
    /// The organization's slug.
    pub organization: String,
    /// As which member: `mem_…`.
    pub member_id: String,
    /// With which address to sign in.
    pub email: String,
}

/// Another password for the caller's account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password until now.
    pub current: String,
    /// The new one.
    pub new: String,
}

/// The account's password, once more.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProvePassword {
    /// The password.
    pub password: String,
}

/// A one-time code, or a recovery code.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OneTimeCode {
    /// The code; spaces do not matter.
    pub code: String,
}

/// The secret that an app computes one-time codes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TotpSecret {
    /// In base32, to be typed; shown only now.
    pub secret: String,
    /// The same as a URI, to be shown as a QR code.
    pub uri: String,
}

/// Codes for when the app is lost: each works once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    /// Shown only now; those from before work no more.
    pub codes: Vec<String>,
}

/// Who lost a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestRecovery {
    /// The account's e-mail address.
    pub email: String,
}

/// Sets another password by a link that was mailed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecoverAccount {
    /// The link's token: what stands after its `#`.
    pub token: String,
    /// The new password.
    pub password: String,
    /// The one-time code or a recovery code, where the account has a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// That a passkey was used, in place of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey: Option<PasskeyProof>,
}
