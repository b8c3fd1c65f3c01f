//! `keystead keys rotate|rotate-complete|rotate-cancel`: a new secret for a key.

use super::rotate_due::{Due, rotate_due};
use crate::exit::{Exit, Outcome};
use crate::flags::moment::{Moment, moment, seconds};
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{RotateKey, RotatedKey, Timestamp};

/// Rotate a key and print the new one, once; or rotate all that are due
///
/// Standard output holds the new key alone. The old one lives on for a while, at most until it
/// expires, so that there is time to put the new one in its place.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys rotate key_4fGhX2abcDEF
  keystead keys rotate key_4fGhX2abcDEF --grace 7d
  keystead keys rotate key_4fGhX2abcDEF --until-first-use --overlap 1h
  keystead keys rotate --due --project acme --dry-run
  keystead keys rotate --due --project acme --output new-keys.jsonl")]
pub(crate) struct Rotate {
    /// Its id (key_…)
    #[arg(required_unless_present = "due", conflicts_with = "due")]
    id: Option<String>,
    #[command(flatten)]
    ending: Ending,
    /// When the new key expires: 2027-01-31, or so far from now: 90d; by default when the old one would
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<Moment>,
    #[command(flatten)]
    due: Due,
}

#[derive(Debug, Args)]
pub(super) struct Ending {
    /// How long the old key lives on: 0s, 24h, 7d; by default as the project's plan says, or a day
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with = "until_first_use")]
    grace: Option<u64>,
    /// The old key lives on until the new one is used for the first time, and an overlap
    #[arg(long)]
    until_first_use: bool,
    /// How long it lives on from then; an hour by default
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "until_first_use")]
    overlap: Option<u64>,
    /// Whether use of the old key after its end revokes all keys that came after it; by default as the
    /// project's plan says, or not
    #[arg(long, value_name = "BOOL")]
    revoke_lineage_on_reuse: Option<bool>,
}

impl Ending {
    /// Whether nobody said anything.
    pub(super) fn is_unsaid(&self) -> bool {
        self.body(None, Timestamp::UNIX_EPOCH) == RotateKey::default()
    }

    pub(super) fn body(&self, expires: Option<Moment>, now: Timestamp) -> RotateKey {
        RotateKey {
            grace_seconds: self.grace,
            until_first_use: self.until_first_use.then_some(true),
            overlap_seconds: self.overlap,
            expires_at: expires.map(|moment| moment.ahead(now)),
            revoke_lineage_on_reuse: self.revoke_lineage_on_reuse,
        }
    }
}

impl Rotate {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let body = self.ending.body(self.expires, session.now);
        match self.id {
            Some(id) => show(&session.client.rotate_key(&id, &body).await?, session),
            None => rotate_due(self.due, &body, session).await,
        }
    }
}

/// The new key, alone on standard output.
pub(super) fn show(rotated: &RotatedKey, session: &Session) -> Outcome {
    if session.output.is_json() {
        session.output.json(rotated)?;
        return Ok(Exit::Done);
    }
    let key = &rotated.created.details;
    let until = rotated.rotation.ends_at.map_or_else(
        || "until the new one is used, and a while longer".to_owned(),
        |end| format!("until {end}"),
    );
    session.output.note(&format!("{} takes over from {}, which lives {until}.", key.id, rotated.replaces));
    session
        .output
        .warning("The key is shown only now, and nobody can show it again: store it in a safe place.");
    session.output.note(&format!(
        "Next: see who still uses the old one with keystead keys show {}; end it with keystead keys rotate-complete {}; to keep it instead: keystead keys rotate-cancel {}",
        key.id, key.id, key.id
    ));
    session.output.secret(&rotated.created.key)?;
    Ok(Exit::Done)
}

/// Ends the old key.
pub(super) async fn complete(id: &str, session: &Session) -> Outcome {
    let rotation = session.client.complete_rotation(id).await?;
    let did = format!("{} has ended; {} has taken over.", rotation.old_key_id, rotation.new_key_id);
    session.changed(&rotation, &did, "")
}

/// Drops the new key.
pub(super) async fn cancel(id: &str, session: &Session) -> Outcome {
    let rotation = session.client.cancel_rotation(id).await?;
    let did = format!("{} is revoked; {} stays as it was.", rotation.new_key_id, rotation.old_key_id);
    session.changed(&rotation, &did, "")
}

#[cfg(test)]
mod tests {
    use crate::arguments::{Cli, ClientCommand, client_command};
    use crate::commands::keys::Keys;
    use clap::Parser;
    use serde_json::json;

    const ROTATE: [&str; 3] = ["keystead", "keys", "rotate"];

    #[test]
    fn every_field_of_a_rotation_is_reachable_by_flags() {
        let body = |flags: &[&str]| {
            let ClientCommand::Keys(Keys::Rotate(rotate)) = client_command(ROTATE.iter().chain(flags)) else {
                panic!()
            };
            let now = "2026-01-01T00:00:00Z".parse().unwrap();
            serde_json::to_value(rotate.ending.body(rotate.expires, now)).unwrap()
        };
        assert_eq!(body(&["key_1"]), json!({}));
        assert_eq!(
            body(&["key_1", "--grace", "7d", "--expires", "90d", "--revoke-lineage-on-reuse", "true"]),
            json!({"grace_seconds": 604_800, "expires_at": "2026-04-01T00:00:00Z", "revoke_lineage_on_reuse": true})
        );
        assert_eq!(
            body(&["key_1", "--until-first-use", "--overlap", "30m"]),
            json!({"until_first_use": true, "overlap_seconds": 1_800})
        );
    }

    #[test]
    fn a_key_or_all_that_are_due() {
        let refused = |flags: &[&str]| Cli::try_parse_from(ROTATE.iter().chain(flags)).is_err();
        assert!(refused(&[]));
        assert!(refused(&["key_1", "--due", "-p", "acme"]));
        assert!(refused(&["key_1", "--grace", "1d", "--until-first-use"]));
        assert!(refused(&["key_1", "--overlap", "1d"]));
        assert!(refused(&["key_1", "--dry-run"]));
        assert!(!refused(&["--due", "-p", "acme", "--yes", "--output", "keys"]));
    }
}
