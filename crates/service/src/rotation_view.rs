//! A rotation as the API shows it: how far it has come, and who still uses the old key.

use crate::Keystead;
use crate::present::json;
use crate::refused::Refused;
use crate::rotate_key::is_open;
use keystead_api::{KeyRotation, Rotating, RotationMode, RotationPart, RotationState, Seen};
use keystead_domain::ids::KeyId;
use keystead_domain::time::Micros;
use keystead_store::{Conn, DrainPhase, RotationRow, RotationStage};

impl Keystead {
    /// A rotation, with what was seen of its old key.
    pub(crate) async fn rotation_and_use(
        &self,
        conn: &mut Conn,
        rotation: Option<&RotationRow>,
    ) -> Result<Option<KeyRotation>, Refused> {
        let Some(rotation) = rotation else {
            return Ok(None);
        };
        let mut shown = show(rotation, self.clock.now());
        for row in conn.drain_seen(rotation.old_key_id).await? {
            let seen: Seen = json(&row.body)?;
            match row.phase {
                DrainPhase::Draining => shown.old_key_use = seen,
                DrainPhase::Reused => shown.reuse = seen,
            }
        }
        Ok(Some(shown))
    }
}

/// The rotation that runs among those of a key, in short.
pub(crate) fn rotating(id: KeyId, rotations: &[RotationRow], now: Micros) -> Option<Rotating> {
    let has_part = |row: &&RotationRow| row.old_key_id == id || row.new_key_id == id;
    let row = rotations.iter().filter(has_part).find(|row| is_open(row, now))?;
    let (part, other) = match row.old_key_id == id {
        true => (RotationPart::Old, row.new_key_id),
        false => (RotationPart::New, row.old_key_id),
    };
    Some(Rotating { part, other_key_id: other.to_string(), ends_at: row.ends_at.map(Micros::to_timestamp) })
}

/// A rotation, without what was seen of its old key.
pub(crate) fn show(row: &RotationRow, now: Micros) -> KeyRotation {
    let instant = |at: Option<Micros>| at.map(Micros::to_timestamp);
    KeyRotation {
        state: state(row, now),
        mode: if row.overlap_seconds.is_some() { RotationMode::FirstUse } else { RotationMode::Grace },
        old_key_id: row.old_key_id.to_string(),
        new_key_id: row.new_key_id.to_string(),
        started_at: row.started_at.to_timestamp(),
        overlap_seconds: row.overlap_seconds.map(crate::accounts::unsigned),
        first_used_at: instant(row.first_used_at),
        ends_at: instant(row.ends_at),
        revoke_lineage_on_reuse: row.revoke_lineage_on_reuse,
        old_key_use: Seen::default(),
        reuse: Seen::default(),
    }
}

/// Time goes on by itself: a rotation is complete from its old key's end on.
pub(crate) fn state(row: &RotationRow, now: Micros) -> RotationState {
    match row.state {
        RotationStage::Complete => RotationState::Complete,
        RotationStage::Cancelled => RotationState::Cancelled,
        RotationStage::Draining => match row.ends_at {
            Some(end) if end <= now => RotationState::Complete,
            Some(_) => RotationState::Draining,
            // Nobody waits any more once the old key has ended by itself.
            None if row.old_expires_at.is_some_and(|end| end <= now) => RotationState::Complete,
            None => RotationState::WaitingForFirstUse,
        },
    }
}
