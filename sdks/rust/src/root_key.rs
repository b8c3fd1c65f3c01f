//! The root key of the installation; for its operator.

use crate::{Client, Error};
use keystead_api::RootKeyStatus;

impl Client {
    /// Which root keys there are, and how much each has sealed.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn root_key(&self) -> Result<RootKeyStatus, Error> {
        self.get(&["v1", "root-key"], &()).await
    }

    /// Makes another root key the current one.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when the source gives no other key.
    pub async fn rotate_root_key(&self) -> Result<RootKeyStatus, Error> {
        self.post_nothing(&["v1", "root-key", "rotate"]).await
    }

    /// Lets go of earlier root keys.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something is still sealed by one.
    pub async fn retire_root_keys(&self) -> Result<RootKeyStatus, Error> {
        self.post_nothing(&["v1", "root-key", "retire"]).await
    }
}
