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
}

impl Damage {
    pub(crate) const ALL: [Self; 5] =
        [Self::Lost, Self::Revived, Self::Unaudited, Self::Undone, Self::GivenBack];

    /// Does it to a key that it can be done to; `false` when there is none yet.
    pub(crate) async fn inflict(self, place: &Place, journal: &Journal) -> Result<bool> {
        let fits = |known: &&Known| match self {
            Self::Lost | Self::Unaudited => known.key.is_some() && !known.may_be(Action::Delete),
            Self::Revived => known.was_acknowledged(Action::Revoke) && !known.may_be(Action::Delete),
            Self::Undone => known.was_acknowledged(Action::Disable) && !known.may_be(Action::Revoke),
            Self::GivenBack => known.credits.is_some_and(|credits| credits.accepted > 0),
        };
        let Some((name, known)) = journal.keys.iter().find(|(_, known)| fits(known)) else {
            return Ok(false);
        };
        let granted = known.credits.map_or(0, |credits| credits.granted);
        let touched =
            place.meddle(self.sql(name, granted)).await.context("the database cannot be damaged")?;
        ensure!(touched == 1, "{self:?} touched {touched} rows of {name}");
        Ok(true)
    }

    /// The names are the journal's own: digits, letters and dashes.
    fn sql(self, name: &str, granted: u64) -> String {
        match self {
            Self::Lost => format!("DELETE FROM keys WHERE name = '{name}'"),
            Self::Revived => {
                format!("UPDATE keys SET revoked_at = NULL, revoked_reason = NULL WHERE name = '{name}'")
            }
            Self::Unaudited => {
                format!("DELETE FROM audit WHERE target_name = '{name}' AND action = 'key.create'")
            }
            Self::Undone => format!("UPDATE keys SET disabled = NOT disabled WHERE name = '{name}'"),
            Self::GivenBack => format!(
                "UPDATE meters SET credits_remaining = {granted} \
                 WHERE id = (SELECT lineage_id FROM keys WHERE name = '{name}')"
            ),
        }
    }
}
