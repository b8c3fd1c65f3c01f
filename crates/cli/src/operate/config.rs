//! `keystead config`: what is in force, and where it came from.

use crate::exit::{Exit, Outcome};
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::{Args, Subcommand};

/// The server's configuration
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  keystead config show
  keystead config show --json")]
pub(crate) enum ConfigCommand {
    Show(Show),
}

/// Print every setting that is in force and where it came from, secrets masked
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead config show
  keystead config show --data /var/lib/keystead --json
  keystead config show --listen 127.0.0.1:8080

What it prints is a valid configuration file, but for passwords: they are
shown as *** and must be put back.")]
pub(crate) struct Show {
    #[command(flatten)]
    settings: SettingFlags,
}

impl ConfigCommand {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let Self::Show(show) = self;
        let loaded = show.settings.load(allow_plain_http)?;
        if output.is_json() {
            output.json(&loaded.show_json())?;
        } else {
            output.data(&loaded.show())?;
        }
        Ok(Exit::Done)
    }
}
