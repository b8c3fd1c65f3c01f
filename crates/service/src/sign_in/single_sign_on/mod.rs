//! Signing in through an organization's identity provider (OpenID Connect, code flow with PKCE). A session that begins
//! so is for that organization only, and of an account of its own: what a tenant's provider says about an address
//! opens nothing that a password, or another organization, protects.

mod admit;
mod enforce;
mod finish;
mod flow;
mod groups;
mod start;

pub use flow::Returns;
pub use start::Begun;

use crate::Keystead;
use crate::refused::{NotSignedIn, Refused};
use keystead_oidc::{Bounds, Failure, Issuer};
use keystead_store::IdentityProviderRow;

/// Who signs at a provider, by what is stored.
///
/// # Errors
/// When the server may no longer connect to it.
pub(crate) fn issuer_of(row: &IdentityProviderRow, bounds: Bounds) -> Result<Issuer, Refused> {
    Issuer::read("", &row.issuer, bounds)
        .map_err(|_| Refused::SingleSignOn(NotSignedIn::Provider(Failure::NotAllowed)))
}

/// Why a provider did not help.
fn of_provider(failure: Failure) -> Refused {
    match failure {
        Failure::Busy => Refused::Busy,
        other => Refused::SingleSignOn(NotSignedIn::Provider(other)),
    }
}

impl Keystead {
    /// The address that a provider is told as where browsers come back to.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("{}/v1/sign-in/oidc/callback", self.sign_in.settings.url)
    }
}
