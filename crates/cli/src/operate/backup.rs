//! `keystead backup`: writes an encrypted copy of the installation while the server runs.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::Args;
use keystead_domain::time::{Clock, Micros};
use keystead_server::configuration::Configuration;
use keystead_service::SystemClock;
use keystead_service::backup::{self, Backup as Written, BackupFailed, Recipients};
use keystead_store::Database;
use serde_json::json;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Bytes of a file of recipients, identities or a passphrase.
const LOCK_BYTES_MAX: u64 = 64 << 10;

/// Write an encrypted copy of the installation, while the server runs
///
/// The root key is not in it: keep a copy of that elsewhere. docs/BACKUP.md says
/// how to restore, and what the log beside the backup is for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead backup --to keystead.backup --recipient-file admins.txt
  keystead backup --to /backup/1.age --data /var/lib/keystead \\
      --recipient-file admins.txt --json
  keystead backup --to keystead.backup --passphrase-file passphrase.txt

Make a key pair with: age-keygen -o identity.txt")]
pub(crate) struct Backup {
    #[command(flatten)]
    settings: SettingFlags,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Encrypt to this age recipient (age1…); may be given several times
    #[arg(long, value_name = "RECIPIENT", required_unless_present_any = ["recipient_file", "passphrase_file"])]
    recipient: Vec<String>,
    /// Encrypt to the age recipients in this file, one a line
    #[arg(long, value_name = "FILE|-")]
    recipient_file: Option<Source>,
    /// Encrypt with the passphrase in this file instead
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["recipient", "recipient_file"])]
    passphrase_file: Option<Source>,
}

impl Backup {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let configuration = self.settings.load(allow_plain_http)?.configuration;
        let recipients = self.recipients()?;
        let database = database(&configuration)?;
        let now = SystemClock.now();
        let written = crate::client_runtime()?.block_on(backup::write(&database, &self.to, &recipients, now));
        let written = written.map_err(failure)?;
        self.tell(&written, output)
    }

    fn recipients(&self) -> Result<Recipients, Failure> {
        let invalid = |error: backup::InvalidLock| {
            Failure::usage(
                format!("{error}."),
                "age-keygen -o identity.txt makes a pair and prints its recipient.",
            )
        };
        if let Some(source) = &self.passphrase_file {
            let text = Zeroizing::new(source.read(LOCK_BYTES_MAX)?);
            return Recipients::passphrase(&text).map_err(invalid);
        }
        let mut lines = self.recipient.join("\n");
        if let Some(source) = &self.recipient_file {
            lines.push('\n');
            lines.push_str(&source.read(LOCK_BYTES_MAX)?);
        }
        Recipients::parse(&lines).map_err(invalid)
    }

    fn tell(&self, written: &Written, output: &Output) -> Outcome {
        let header = &written.written.header;
        let at = Micros(header.created_at_micros).to_timestamp();
        if output.is_json() {
            output.json(&json!({
                "file": self.to,
                "bytes": written.bytes,
                "created_at": at,
                "engine": header.engine,
                "schema": header.schema,
                "rows": written.written.rows,
                "root_key_included": false,
            }))?;
            return Ok(Exit::Done);
        }
        let count = |table: &str| written.written.rows.get(table).copied().unwrap_or(0);
        output.data(&format!(
            "{} ({} bytes): everything as of {at}, {} keys of {} organizations, {} audit records\n",
            self.to.display(),
            written.bytes,
            count("keys"),
            count("organizations"),
            count("audit"),
        ))?;
        output
            .warning("The root key is not in it. Without the root key it cannot be used: keep a copy apart.");
        output.note("Next: try it with keystead restore, into an empty folder, before you need it.");
        Ok(Exit::Done)
    }
}

/// The database in force.
pub(super) fn database(configuration: &Configuration) -> Result<Database, Failure> {
    Database::parse(configuration.database.expose()).map_err(|error| {
        Failure::usage(error.to_string(), "Write sqlite:PATH or postgres://USER@HOST/DATABASE.")
    })
}

/// The text of a file that opens or locks a backup.
pub(super) fn read_secret(source: &Source) -> Result<Zeroizing<String>, Failure> {
    source.read(LOCK_BYTES_MAX).map(Zeroizing::new)
}

/// Why there is no backup or no restored installation.
pub(super) fn failure(error: BackupFailed) -> Failure {
    let fix = match &error {
        BackupFailed::Exists(_) => "Choose another name with --to.",
        BackupFailed::Locked(_) => "Name the identity of one of its recipients with --identity.",
        BackupFailed::RootKey(_) | BackupFailed::WrongRootKey(_) => {
            "Put the installation's root key where the configuration says: keystead config show."
        }
        BackupFailed::File { .. } => "Check the path, its permissions and the space on the disk.",
        BackupFailed::Gap => "Give every log with --log.",
        BackupFailed::Store(_) => "keystead doctor looks at the database; docs/BACKUP.md explains.",
    };
    Failure::local(format!("{error}."), fix)
}
