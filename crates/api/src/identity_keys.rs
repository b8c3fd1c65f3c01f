//! The keys that sign identities.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A key that signs `X-Keystead-Identity`, and whose public half is published at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityKey {
    /// `sig_…`: the `kid` of what it signs.
    pub id: String,
    /// Whether it signs now.
    pub state: IdentityKeyState,
    /// From when on it signs, until the next one does.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub signs_from: Timestamp,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// Whether a key signs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentityKeyState {
    /// It signed before; what it signed is still believed.
    Earlier,
    /// It signs.
    Current,
    /// It will sign.
    Next,
}
