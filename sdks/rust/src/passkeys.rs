//! Passkeys: one's own, and signing in with one. What a browser is asked, and what it brings back, are the caller's.

use crate::{Client, Error};
use keystead_api::{
    AddPasskey, AddedPasskey, BeginPasskey, BegunPasskey, Page, Passkey, SignInWithPasskey, SignedIn,
    UpdatePasskey,
};

impl Client {
    /// One's own passkeys: all of them.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 403 where this client has a key.
    pub async fn list_passkeys(&self) -> Result<Page<Passkey>, Error> {
        self.get(&["v1", "account", "passkeys"], &()).await
    }

    /// Begins adding a passkey.
    ///
    /// # Errors
    /// As [`Self::list_passkeys`]; with the code `second_factor_required` when that has to be proved first, with status
    /// 409 where passkeys do not work, or there are as many as may be.
    pub async fn begin_passkey(&self, begin: &BeginPasskey) -> Result<BegunPasskey, Error> {
        self.ask(&["v1", "account", "passkeys", "begin"], begin).await
    }

    /// Adds the passkey that a browser has made.
    ///
    /// # Errors
    /// As [`Self::list_passkeys`]; with status 422 when it does not hold.
    pub async fn add_passkey(&self, add: &AddPasskey) -> Result<AddedPasskey, Error> {
        self.ask(&["v1", "account", "passkeys"], add).await
    }

    /// Gives a passkey another name; with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As [`Self::list_passkeys`]; with status 404 when there is none, 412 when it has changed since.
    pub async fn update_passkey(
        &self,
        passkey: &str,
        changes: &UpdatePasskey,
        if_match: Option<i64>,
    ) -> Result<Passkey, Error> {
        self.patch(&["v1", "account", "passkeys", passkey], changes, if_match).await
    }

    /// Deletes a passkey; every other session of the account ends.
    ///
    /// # Errors
    /// As [`Self::update_passkey`]; with the code `second_factor_required` when that was not proved lately.
    pub async fn delete_passkey(&self, passkey: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "account", "passkeys", passkey], if_match).await
    }

    /// Begins signing in with a passkey. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 where passkeys do not work.
    pub async fn begin_passkey_sign_in(&self) -> Result<BegunPasskey, Error> {
        self.read_post(&["v1", "sessions", "passkey", "begin"]).await
    }

    /// Signs in with a passkey alone; with `token` the answer holds a token. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `organization_required` when more is needed: the same passkey's
    /// answer can be sent again with it.
    pub async fn sign_in_with_passkey(&self, sign_in: &SignInWithPasskey) -> Result<SignedIn, Error> {
        self.ask(&["v1", "sessions", "passkey", "finish"], sign_in).await
    }

    /// Begins proving the second factor again with a passkey.
    ///
    /// # Errors
    /// As [`Self::list_passkeys`]; with status 409 when the account has none.
    pub async fn begin_passkey_step_up(&self) -> Result<BegunPasskey, Error> {
        self.read_post(&["v1", "sessions", "current", "second-factor", "passkey"]).await
    }
}
