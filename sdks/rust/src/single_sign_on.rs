//! Identity providers, and signing in through one.

use crate::{Client, Error};
use keystead_api::{
    BegunSingleSignOn, CreateIdentityProvider, FinishSingleSignOn, IdentityProvider, IdentityProviderTest,
    Page, SignedIn, StartSingleSignOn, UpdateIdentityProvider,
};

impl Client {
    /// The organization's identity providers: all of them.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_identity_providers(&self) -> Result<Page<IdentityProvider>, Error> {
        self.get(&["v1", "identity-providers"], &()).await
    }

    /// Adds an identity provider.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `second_factor_required` when that has to be proved first.
    pub async fn create_identity_provider(
        &self,
        new: &CreateIdentityProvider,
    ) -> Result<IdentityProvider, Error> {
        self.post(&["v1", "identity-providers"], new).await
    }

    /// An identity provider by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn identity_provider(&self, provider: &str) -> Result<IdentityProvider, Error> {
        self.get(&["v1", "identity-providers", provider], &()).await
    }

    /// Changes an identity provider (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As [`Self::create_identity_provider`]; with status 412 when it has changed since.
    pub async fn update_identity_provider(
        &self,
        provider: &str,
        changes: &UpdateIdentityProvider,
        if_match: Option<i64>,
    ) -> Result<IdentityProvider, Error> {
        self.patch(&["v1", "identity-providers", provider], changes, if_match).await
    }

    /// Deletes an identity provider (id or name), and all that came from it; with `if_match`, only while its
    /// `version` is that.
    ///
    /// # Errors
    /// As [`Self::update_identity_provider`].
    pub async fn delete_identity_provider(&self, provider: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "identity-providers", provider], if_match).await
    }

    /// Has the server ask a provider (id or name) what a sign-in will need.
    ///
    /// # Errors
    /// As every call. What is wrong with the provider is no error: it is in the answer.
    pub async fn test_identity_provider(&self, provider: &str) -> Result<IdentityProviderTest, Error> {
        self.read_post(&["v1", "identity-providers", provider, "test"]).await
    }

    /// Begins a sign-in through an identity provider. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is no such organization or provider.
    pub async fn start_single_sign_on(&self, start: &StartSingleSignOn) -> Result<BegunSingleSignOn, Error> {
        self.ask(&["v1", "sign-in", "oidc", "start"], start).await
    }

    /// Finishes it with what the browser brought back. Needs no key; works once.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `single_sign_on_failed` says why somebody is not let in.
    pub async fn finish_single_sign_on(&self, finish: &FinishSingleSignOn) -> Result<SignedIn, Error> {
        self.ask(&["v1", "sign-in", "oidc", "finish"], finish).await
    }
}
