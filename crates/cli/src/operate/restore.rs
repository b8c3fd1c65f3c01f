//! `keystead restore`: puts a backup into an empty place.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::operate::backup::{database, failure, read_secret};
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::Args;
use keystead_domain::time::Micros;
use keystead_service::backup::{self, Keys, RestoreRequest};
use keystead_service::root_key;
use keystead_store::backup::Restored;
use serde_json::json;
use std::path::PathBuf;

/// Put a backup into an empty place: all of it, or nothing
///
/// The root key must be there already. Either engine's backup restores into
/// either engine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead restore --from keystead.backup --identity identity.txt
  keystead restore --from 1.age --identity identity.txt \\
      --database postgres://keystead@db.example.com/keystead
  keystead restore --from keystead.backup --passphrase-file passphrase.txt

docs/BACKUP.md walks through a disaster from its beginning to its end.")]
pub(crate) struct Restore {
    #[command(flatten)]
    settings: SettingFlags,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The file with the age identity that opens it
    #[arg(long, value_name = "FILE|-", required_unless_present = "passphrase_file")]
    identity: Option<Source>,
    /// The file with the passphrase that opens it
    #[arg(long, value_name = "FILE|-", conflicts_with = "identity")]
    passphrase_file: Option<Source>,
}

impl Restore {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let configuration = self.settings.load(allow_plain_http)?.configuration;
        let database = database(&configuration)?;
        let keys = self.keys()?;
        let root = root_key::read(&configuration.root_key_file).map_err(|error| failure(error.into()))?;
        super::serve::make_folder(&configuration)?;
        let request = RestoreRequest { database: &database, from: &self.from, keys: &keys, root: &root };
        let restored = crate::client_runtime()?.block_on(backup::restore(&request)).map_err(failure)?;
        tell(&restored, &configuration.database.masked(), output)
    }

    fn keys(&self) -> Result<Keys, Failure> {
        let keys = match (&self.identity, &self.passphrase_file) {
            (_, Some(source)) => Keys::passphrase(&read_secret(source)?),
            (Some(source), None) => Keys::parse(&read_secret(source)?),
            (None, None) => Keys::parse(""),
        };
        keys.map_err(|error| {
            Failure::usage(format!("{error}."), "Name the file that age-keygen wrote with --identity.")
        })
    }
}

fn tell(restored: &Restored, database: &str, output: &Output) -> Outcome {
    let at = Micros(restored.header.created_at_micros).to_timestamp();
    if output.is_json() {
        output.json(&json!({
            "database": database,
            "created_at": at,
            "engine": restored.header.engine,
            "rows": restored.rows,
            "schema": restored.schema,
        }))?;
        return Ok(Exit::Done);
    }
    let count = |table: &str| restored.rows.get(table).copied().unwrap_or(0);
    output.data(&format!(
        "{database}: everything as of {at}, {} keys of {} organizations, {} audit records\n",
        count("keys"),
        count("organizations"),
        count("audit"),
    ))?;
    output.note("Next: keystead serve, with the same settings; then make a new backup.");
    Ok(Exit::Done)
}
