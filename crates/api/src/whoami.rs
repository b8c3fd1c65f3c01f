//! Whose key is this?

use crate::KeyDetails;
use serde::{Deserialize, Serialize};

/// A raw key to find; when left out, the caller's own.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WhoAmI {
    /// The key, raw. To find another than the caller's own needs `keys.read` on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl std::fmt::Debug for WhoAmI {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WhoAmI { .. }")
    }
}

/// The key that a raw value is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhoIs {
    /// Whether it is the caller's own.
    pub own: bool,
    /// The key.
    #[serde(flatten)]
    pub key: KeyDetails,
}
