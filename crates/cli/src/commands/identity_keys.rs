//! `keystead identity-keys`: the keys that sign whose request an API has, for the installation's operator.

use crate::exit::Outcome;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{IdentityKey, IdentityKeyState};

/// The keys that sign X-Keystead-Identity; for the operator
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead identity-keys list
  keystead identity-keys replace

They make way for each other every 30 days by themselves. docs/IDENTITY.md says
what they sign, and what to do when one has leaked.")]
pub(crate) enum IdentityKeys {
    /// List them in the order in which they sign
    #[command(after_help = "Examples:\n  keystead identity-keys list --json")]
    List,
    /// Sign with a new key from now on and publish no other: one has leaked
    ///
    /// Where the root key has leaked, too, exchange that first. APIs that keep the
    /// published keys refuse requests until they have fetched them again.
    #[command(after_help = "Examples:\n  keystead identity-keys replace")]
    Replace,
}

impl IdentityKeys {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List => session.whole(&session.client.list_identity_keys().await?),
            Self::Replace => {
                let key = session.client.replace_identity_keys().await?;
                session.output.note(&format!(
                    "{} signs now, and no other key is published. Next: restart APIs that keep the published keys; \
                     until they fetch them again they believe the old ones, for as long as they keep them.",
                    key.id
                ));
                session.show(&key)
            }
        }
    }
}

const fn state(key: &IdentityKey) -> &'static str {
    match key.state {
        IdentityKeyState::Earlier => "earlier",
        IdentityKeyState::Current => "current",
        IdentityKeyState::Next => "next",
    }
}

impl Present for IdentityKey {
    const HEADINGS: &'static [&'static str] = &["ID", "STATE", "SIGNS FROM", "CREATED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            state(self).into(),
            Cell::time(Some(self.signs_from)),
            Cell::time(Some(self.created_at)),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("state", state(self).into()),
            ("signs from", Cell::time(Some(self.signs_from))),
            ("created", Cell::time(Some(self.created_at))),
        ]
    }
}
