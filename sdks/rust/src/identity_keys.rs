//! The keys that sign identities; for the installation's operator.

use crate::{Client, Error};
use keystead_api::{IdentityKey, Page};

impl Client {
    /// The keys that sign, signed a moment ago or will, all in one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_identity_keys(&self) -> Result<Page<IdentityKey>, Error> {
        self.get(&["v1", "identity-keys"], &()).await
    }

    /// Makes a key that signs from now on, and forgets all others.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn replace_identity_keys(&self) -> Result<IdentityKey, Error> {
        self.post_nothing(&["v1", "identity-keys", "replace"]).await
    }
}
