//! `keystead root-key`: the key that seals every other, for the installation's operator.

use crate::exit::{Exit, Outcome};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::RootKeyStatus;

/// The root key, which seals every other secret; for the operator
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead root-key status
  keystead root-key rotate
  keystead root-key retire

docs/BACKUP.md says where root keys come from and when an earlier one may go.")]
pub(crate) enum RootKey {
    /// Show which root keys there are, and how much each has sealed
    #[command(after_help = "Examples:\n  keystead root-key status --json")]
    Status,
    /// Make another root key the current one; what the old one sealed is sealed anew
    ///
    /// With a file a new key is made in it. A command or a passphrase file must give
    /// the new one after the old one; with the environment, restart instead.
    #[command(after_help = "Examples:\n  keystead root-key rotate")]
    Rotate,
    /// Let go of earlier root keys, once nothing is sealed by them
    ///
    /// Backups from before still need them: keep a copy as long as you keep those.
    #[command(after_help = "Examples:\n  keystead root-key retire")]
    Retire,
}

impl RootKey {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let status = match self {
            Self::Status => session.client.root_key().await?,
            Self::Rotate => session.client.rotate_root_key().await?,
            Self::Retire => session.client.retire_root_keys().await?,
        };
        let next = match self {
            Self::Status => None,
            Self::Rotate => {
                Some("Next: copy it to where you keep root keys; at 0 waiting, keystead root-key retire.")
            }
            Self::Retire => Some("Keep a copy of the earlier ones as long as you keep backups from before."),
        };
        if let Some(next) = next {
            session.output.note(next);
        }
        session.output.one(&status)?;
        Ok(Exit::Done)
    }
}

impl Present for RootKeyStatus {
    const HEADINGS: &'static [&'static str] = &["SOURCE", "CURRENT", "WAITING"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.source.as_str().into(),
            self.current.as_str().into(),
            self.waiting.to_string().as_str().into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = vec![
            ("source", self.source.as_str().into()),
            ("current", self.current.as_str().into()),
            ("waiting", self.waiting.to_string().as_str().into()),
        ];
        for key in &self.keys {
            let role = if key.current { "current" } else { "earlier" };
            fields.push(("key", format!("{} ({role}), has sealed {}", key.id, key.sealed).as_str().into()));
        }
        fields
    }
}
