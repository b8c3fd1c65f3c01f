//! Probes and the description of the API; none of them needs a key.

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
}
