//! `keystead login`: checks a key and stores it for later commands.

use crate::connection::{ConnectionFlags, DEFAULT_URL};
use crate::credentials::{self, Credentials};
use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::input;
use crate::output::Output;
use crate::output::table::Cell;
use clap::Args;
use keystead_sdk::api::WhoAmI;
use std::io::{self, IsTerminal};

/// Check a key and store it, with its server, for later commands
///
/// The key is asked for without echo, or read from standard input or a file: never from an argument,
/// where other users of this machine and the shell's history would see it. It is stored in
/// $XDG_CONFIG_HOME/keystead/credentials.toml (~/.config/keystead), which only you can read, in place
/// of the one before. KEYSTEAD_URL and KEYSTEAD_KEY win over it. To log out, delete that file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead login
  keystead login --url https://keystead.example.com
  printenv ADMIN_KEY | keystead login --url https://keystead.example.com
  keystead login --key-file ./admin.key")]
pub(crate) struct Login {
    /// Read the key from this file instead of asking; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    key_file: Option<Source>,
}

impl Login {
    pub(crate) async fn run(&self, connection: &ConnectionFlags, output: &Output) -> Outcome {
        let path = credentials::path()?;
        let url = match (&connection.url, input::environment("KEYSTEAD_URL")?) {
            (Some(url), _) => url.clone(),
            (None, Some(url)) => url,
            (None, None) if io::stdin().is_terminal() => input::ask("Server", DEFAULT_URL)?,
            (None, None) => DEFAULT_URL.to_owned(),
        };
        let url = url.trim().trim_end_matches('/').to_owned();
        let key = input::key(self.key_file.as_ref(), None, "Key")?;
        let ca_file =
            connection.ca_file.as_deref().map(std::path::absolute).transpose().map_err(|error| {
                Failure::local(
                    format!("The path of --ca-file cannot be used: {error}."),
                    "Give an absolute path.",
                )
            })?;
        let allow_plain_http = connection.allow_plain_http;
        let client = connection.client(&url, Some(key.clone()), ca_file.as_deref(), allow_plain_http)?;
        let who = client.whoami(&WhoAmI::default()).await?;
        credentials::write(&path, &Credentials { url, key, ca_file, allow_plain_http })?;
        output.note(&format!("Logged in to {}; stored in {}.", client.url(), path.display()));
        if input::environment("KEYSTEAD_KEY")?.is_some() {
            output.warning("KEYSTEAD_KEY is set and wins over what was stored: unset it to use this login.");
        }
        output.note("Next: keystead projects list");
        if output.is_json() {
            output.json(&who)?;
        } else {
            let key = &who.key.key;
            let owner = Cell::from(format!("{} ({})", key.owner.name, key.owner.id));
            output.fields(&[
                ("key", key.id.as_str().into()),
                ("name", key.name.as_str().into()),
                ("owner", owner),
            ])?;
        }
        Ok(Exit::Done)
    }
}
