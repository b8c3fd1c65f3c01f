//! Probes, the description of the API, and what identities are verified with; none of them needs a key.

use crate::{Client, Error};

impl Client {
    /// Whether the server runs.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn is_live(&self) -> Result<bool, Error> {
        self.probe(&["livez"]).await
    }

    /// Whether the server can judge requests: its keys are loaded and fresh.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn is_ready(&self) -> Result<bool, Error> {
        self.probe(&["readyz"]).await
    }

    /// The server's OpenAPI 3.1 document.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn openapi(&self) -> Result<serde_json::Value, Error> {
        self.get(&["openapi.json"], &()).await
    }

    /// What `X-Keystead-Identity` is verified with: a JWK set.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 503 while the server cannot know of every change.
    pub async fn published_identity_keys(&self) -> Result<serde_json::Value, Error> {
        self.get(&[".well-known", "jwks.json"], &()).await
    }
}
