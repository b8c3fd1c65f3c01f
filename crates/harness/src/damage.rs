//! Damage on purpose: what a server that loses things would leave behind. Each must be found.

use crate::journal::{Action, Journal, Known};
use crate::place::Place;
use anyhow::{Context, Result, ensure};

/// What is damaged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Damage {
    /// An acknowledged key is not there.
    Lost,
    /// A revoked key lives.
    Revived,
    /// An act without its audit record.
    Unaudited,
    /// An audit record whose effect is undone.
    Undone,
    /// Spent credits are back.
    GivenBack,
    /// The key that took over is not there.
    Unsucceeded,
    /// A key that was rotated away lives.
    Outlived,
    /// A rotation without the old key's audit record.
    Halved,
    /// A minted key of its own.
    Freed,
}

impl Damage {
    pub(crate) const ALL: [Self; 9] = [
        Self::Lost,
        Self::Revived,
        Self::Unaudited,
        Self::Undone,
        Self::GivenBack,
        Self::Unsucceeded,
        Self::Outlived,
        Self::Halved,
        Self::Freed,
    ];

    /// Does it to a key that it can be done to; `false` when there is none yet.
    pub(crate) async fn inflict(self, place: &Place, journal: &Journal) -> Result<bool> {
        let fits = |known: &&Known| match self {
            Self::Lost => known.key.is_some() && !known.may_be(Action::Delete) && known.replaces.is_none(),
            Self::Unaudited => known.was_just_acknowledged(Action::Create) && !known.may_be(Action::Delete),
            Self::Revived => known.was_acknowledged(Action::Revoke) && !known.may_be(Action::Delete),
            Self::Undone => {
                known.was_acknowledged(Action::Disable)
                    && !known.may_be(Action::Revoke)
                    && !known.may_be(Action::Rotate)
                    && known.replaces.is_none()
                    && known.parent.is_none()
            }
            Self::GivenBack => {
                let spent = |known: &Known| Some(journal.credits.get(&known.lineage)?.accepted > 0);
                spent(known) == Some(true) && !known.may_be(Action::Delete) && known.parent.is_none()
            }
            Self::Unsucceeded => {
                known.replaces.is_some() && known.key.is_some() && !known.may_be(Action::Delete)
            }
            Self::Outlived => {
                // One whose end is not noted yet would be ended again by the next start.
                known.was_acknowledged(Action::Complete)
                    && !known.may_be(Action::Revoke)
                    && !known.may_be(Action::Disable)
            }
            // Records that were read before are looked at again at the end only.
            Self::Halved => known.was_just_acknowledged(Action::Rotate) && !known.may_be(Action::Delete),
            Self::Freed => {
                let parent = known.parent.as_ref().and_then(|parent| journal.keys.get(parent));
                parent.is_some_and(|parent| !parent.may_be(Action::Delete))
                    && known.key.is_some()
                    && !known.may_be(Action::Delete)
            }
        };
        let Some(known) = journal.keys.values().find(|known| known.id.is_some() && fits(known)) else {
            return Ok(false);
        };
        let id = known.id.as_deref().unwrap_or_default();
        let granted = journal.credits.get(&known.lineage).map_or(0, |credits| credits.granted);
        let touched = place.meddle(self.sql(id, granted)).await.context("the database cannot be damaged")?;
        ensure!(touched == 1, "{self:?} touched {touched} rows of {id}");
        Ok(true)
    }

    /// Ids are letters and digits, and a key begins with what ends with its id.
    fn sql(self, id: &str, granted: u64) -> String {
        let key = format!("start LIKE '%{}'", id.trim_start_matches("key_"));
        match self {
            Self::Lost | Self::Unsucceeded => format!("DELETE FROM keys WHERE {key}"),
            Self::Revived => {
                format!("UPDATE keys SET revoked_at = NULL, revoked_reason = NULL WHERE {key}")
            }
            Self::Unaudited => {
                format!("DELETE FROM audit WHERE target_id = '{id}' AND action = 'key.create'")
            }
            Self::Undone => format!("UPDATE keys SET disabled = NOT disabled WHERE {key}"),
            Self::GivenBack => format!(
                "UPDATE meters SET credits_remaining = {granted} \
                 WHERE id = (SELECT lineage_id FROM keys WHERE {key})"
            ),
            Self::Outlived => format!("UPDATE keys SET expires_at = NULL WHERE {key}"),
            Self::Halved => format!("DELETE FROM audit WHERE target_id = '{id}' AND action = 'key.rotate'"),
            Self::Freed => format!("UPDATE keys SET parent_id = NULL WHERE {key}"),
        }
    }
}
