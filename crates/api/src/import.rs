//! Keys that exist elsewhere: brought in by a hash, or in the clear.

use crate::{CreateKey, GuardrailViolation};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Keys to import: each is taken or refused by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportKeys {
    /// 1 to 500.
    pub items: Vec<ImportKey>,
    /// Only says what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// A key that exists elsewhere. Exactly one of `hash` and `plain` is needed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportKey {
    /// What it is called where it comes from, 1 to 128 characters: in a project it is imported once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// A hash of the whole token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ImportHash>,
    /// The token itself: 16 to 512 visible ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<String>,
    /// How the token begins, as lists shall show it: 6 to 32 characters, and never secret. Needed for bcrypt
    /// and argon2id, whose keys are found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// All else about it, as for a new key.
    pub key: CreateKey,
}

impl fmt::Debug for ImportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A hash of a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportHash {
    /// How it was made.
    pub algorithm: HashAlgorithm,
    /// SHA hashes in hex or base64; bcrypt as `$2b$…`, argon2id as `$argon2id$…`.
    pub value: String,
}

impl fmt::Debug for ImportHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportHash").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// How a hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// SHA-256 of the token's bytes.
    Sha256,
    /// SHA-512 of the token's bytes.
    Sha512,
    /// bcrypt, cost at most 14; of tokens of at most 72 bytes.
    Bcrypt,
    /// argon2id, at most 128 MiB, 10 passes, 16 lanes.
    Argon2id,
}

/// What came of each key, in the order of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedKeys {
    /// In the order of the request.
    pub items: Vec<ImportedKey>,
}

/// What came of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedKey {
    /// Whether it was taken.
    pub outcome: ImportOutcome,
    /// Its id here; `null` when it was refused, and of what a dry run would import.
    pub id: Option<String>,
    /// Which field was wrong, as a JSON pointer into the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Guardrails that do not allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<GuardrailViolation>,
    /// What was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Whether a key was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// It was imported, or would be.
    Imported,
    /// It was imported before; nothing was done.
    Exists,
    /// It was not imported, and why is said.
    Refused,
}
