//! The audit as a tree that shows tampering: its signed checkpoints, and an export of all that can be verified.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The format of audit exports that this version writes.
pub const AUDIT_EXPORT_FORMAT: u32 = 1;

/// What the tree was at one time, signed. Whoever keeps it elsewhere can show later that what it vouches for
/// was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditCheckpoint {
    /// `chk_…`
    pub id: String,
    /// How many records the tree had.
    pub size: u64,
    /// The signed note, in the form of C2SP's tlog-checkpoint.
    pub note: String,
    /// What verifies it, as C2SP's signed-note writes it: keep it apart from the database.
    pub verifier: String,
    /// When it was signed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// One line of an export of the audit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum AuditExportLine {
    /// The first line.
    Head(AuditExportHead),
    /// A signed checkpoint.
    Checkpoint(AuditCheckpoint),
    /// A record.
    Record(AuditExportRecord),
    /// What retention left of one.
    Deleted(AuditExportLeaf),
    /// The last line: without it the export is not whole.
    End(AuditExportEnd),
}

/// What an export of the audit begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditExportHead {
    /// The format's number: 1.
    pub format: u32,
    /// The organization's id.
    pub organization: String,
    /// What verifies its checkpoints.
    pub verifier: String,
    /// How many records the tree had when the export began: so many come.
    pub size: u64,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub exported_at: Timestamp,
}

/// A record with what commits to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditExportRecord {
    /// Its place in the tree, from 0.
    pub position: u64,
    /// Its salt: 16 bytes, base64.
    pub salt: String,
    /// Its leaf: SHA-256 of the salt and of `record` byte for byte, base64.
    pub leaf: String,
    /// The record.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub record: Box<RawValue>,
}

/// What is left of a record that retention deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditExportLeaf {
    /// Its place in the tree, from 0.
    pub position: u64,
    /// Its leaf, base64.
    pub leaf: String,
}

/// What an export of the audit ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditExportEnd {
    /// How many lines came between head and end.
    pub lines: u64,
}
