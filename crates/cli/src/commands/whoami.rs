//! `keystead whoami`: whose key is this?

use crate::exit::Outcome;
use crate::flags::body::Source;
use crate::input;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{Key, WhoAmI, WhoIs};

/// Show the key that commands use, or find another by its raw value
///
/// Another key is read from KEYSTEAD_VERIFY_KEY, standard input or a prompt, never from an argument.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead whoami
  keystead whoami --other
  keystead whoami --key-file ./found-in-a-log.txt --json")]
pub(crate) struct Whoami {
    /// Find another key than the one in use
    #[arg(long)]
    other: bool,
    /// Read the other key from this file; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    key_file: Option<Source>,
}

impl Whoami {
    pub(crate) async fn run(&self, session: &Session) -> Outcome {
        let key = if self.other || self.key_file.is_some() {
            let key = input::key(self.key_file.as_ref(), Some("KEYSTEAD_VERIFY_KEY"), "Key to find")?;
            Some(key.expose().to_owned())
        } else {
            None
        };
        let who = session.client.whoami(&WhoAmI { key }).await?;
        session.output.note(&format!("Next: keystead keys show {}", who.key.key.id));
        session.show(&who)
    }
}

impl Present for WhoIs {
    const HEADINGS: &'static [&'static str] = Key::HEADINGS;

    fn row(&self) -> Vec<Cell> {
        self.key.row()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = vec![("your own", Cell::from(if self.own { "yes" } else { "no" }))];
        fields.extend(self.key.fields());
        fields
    }
}
