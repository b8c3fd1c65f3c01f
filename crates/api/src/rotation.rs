//! Rotation: a new secret for a key, while the old one lives on for a while.

use crate::{CreatedKey, Seen, Timestamp};
use serde::{Deserialize, Serialize};

/// How to rotate a key: by a time of grace, or until the new key is used. Without either, the
/// project's rotation plan says for how long the old key lives on, else a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// How long the old key lives on, 0 to 7,776,000 (90 days); never beyond its own expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 7_776_000))]
    pub grace_seconds: Option<u64>,
    /// The old key lives on until the new one first passes, and an overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_first_use: Option<bool>,
    /// With `until_first_use`: how long the old key lives on from then, 0 to 7,776,000; 3,600 when
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 7_776_000))]
    pub overlap_seconds: Option<u64>,
    /// When the new key expires: needs `keys.create` too. When left out, it expires when the old one
    /// would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// Use of the old key after its end revokes every key of the lineage; as the project's rotation
    /// plan says when left out, and no without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_lineage_on_reuse: Option<bool>,
}

/// The new key of a rotation, with its secret: shown only now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotatedKey {
    /// The new key.
    #[serde(flatten)]
    pub created: CreatedKey,
    /// The key that it takes over from: `key_…`
    pub replaces: String,
    /// The rotation as it stands.
    pub rotation: KeyRotation,
}

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RotationState {
    /// Both keys are valid; the new one has not been used yet, and the old one's end waits for that.
    WaitingForFirstUse,
    /// Both keys are valid, and the old one's end is known.
    Draining,
    /// The old key has ended.
    Complete,
    /// The new key was dropped, and the old one has its own expiry again.
    Cancelled,
}

/// What ends the old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RotationMode {
    /// A time of grace.
    Grace,
    /// The new key's first use, and an overlap.
    FirstUse,
}

/// A rotation, seen from either of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyRotation {
    /// How far it has come.
    pub state: RotationState,
    /// What ends the old key.
    pub mode: RotationMode,
    /// The key that is rotated away.
    pub old_key_id: String,
    /// The key that takes over.
    pub new_key_id: String,
    /// When it was started.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub started_at: Timestamp,
    /// How long the old key lives on after the new one's first use.
    pub overlap_seconds: Option<u64>,
    /// When the new key first passed, where that is waited for.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub first_used_at: Option<Timestamp>,
    /// When the old key ends or ended; `null` while that waits for the new one's first use, and after
    /// a cancellation.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub ends_at: Option<Timestamp>,
    /// Whether use of the old key after its end revokes the lineage.
    pub revoke_lineage_on_reuse: bool,
    /// Who still uses the old key, from where, since when: since the rotation was started, and not
    /// after the old key's end. Flushed every few seconds.
    pub old_key_use: Seen,
    /// Use of the old key after its end, which was refused.
    pub reuse: Seen,
}
