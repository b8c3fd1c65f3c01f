//! `keystead keys disable|enable|suspend|revoke`: whether a key works.

use crate::exit::Outcome;
use crate::flags::moment::{Moment, moment};
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{RevokeKey, SuspendKey};

/// Switch a key off until a time
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys suspend key_4fGhX2abcDEF --until 12h
  keystead keys suspend key_4fGhX2abcDEF --until 2027-01-31T12:00:00Z")]
pub(crate) struct Suspend {
    /// Its id (key_…)
    id: String,
    /// It works again from then on: 2027-01-31T12:00:00Z, 2027-01-31, or so far from now: 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Moment,
}

/// End a key for good
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys revoke key_4fGhX2abcDEF --reason 'Leaked in a build log'")]
pub(crate) struct Revoke {
    /// Its id (key_…)
    id: String,
    /// Why, for people: 1 to 512 characters
    #[arg(long)]
    reason: String,
}

impl Suspend {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let until = self.until.ahead(session.now);
        let key = session.client.suspend_key(&self.id, &SuspendKey { until }).await?;
        let next = format!("To end it earlier: keystead keys enable {}", key.id);
        session.changed(&key, &format!("Suspended {}.", key.id), &next)
    }
}

impl Revoke {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let key = session.client.revoke_key(&self.id, &RevokeKey { reason: self.reason }).await?;
        let next = format!("It cannot come back. To purge it: keystead keys delete {}", key.id);
        session.changed(&key, &format!("Revoked {}.", key.id), &next)
    }
}

pub(super) async fn disable(id: &str, session: &Session) -> Outcome {
    let key = session.client.disable_key(id).await?;
    session.changed(
        &key,
        &format!("Disabled {}.", key.id),
        &format!("To undo it: keystead keys enable {}", key.id),
    )
}

pub(super) async fn enable(id: &str, session: &Session) -> Outcome {
    let key = session.client.enable_key(id).await?;
    session.changed(&key, &format!("Enabled {}.", key.id), "It works from its next request on.")
}
