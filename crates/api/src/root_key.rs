//! The root key, which seals every other secret of the installation.

use serde::{Deserialize, Serialize};

/// Which root keys there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootKeyStatus {
    /// Where they come from: `file`, `environment`, `command` or `passphrase`.
    pub source: String,
    /// The id of the one that seals.
    pub current: String,
    /// Every one, the current one first.
    pub keys: Vec<RootKeyUse>,
    /// Values that earlier ones sealed and that are yet to be sealed anew. At 0 the earlier ones can go.
    pub waiting: u64,
}

/// A root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootKeyUse {
    /// `rk_…`: it tells nothing of the key.
    pub id: String,
    /// Whether it is the one that seals.
    pub current: bool,
    /// Values that it has sealed.
    pub sealed: u64,
}
