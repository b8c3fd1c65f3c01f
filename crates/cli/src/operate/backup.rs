//! `keystead backup`: writes an encrypted copy of the installation while the server runs.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::Args;
use keystead_domain::time::{Clock, Micros};
use keystead_server::configuration::Configuration;
use keystead_service::SystemClock;
use keystead_service::backup::{self, Backup as Written, BackupFailed, Keys, Recipients};
use keystead_store::Database;
use keystead_store::backup::BackupError;
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
        let lock = Lock::of(self.passphrase_file.as_ref());
        let written = written.map_err(|error| failure(error, lock))?;
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
pub(crate) fn database(configuration: &Configuration) -> Result<Database, Failure> {
    Database::parse(configuration.database.expose()).map_err(|error| {
        Failure::usage(error.to_string(), "Write sqlite:PATH or postgres://USER@HOST/DATABASE.")
    })
}

/// What opens a backup.
pub(crate) fn keys(identity: Option<&Source>, passphrase: Option<&Source>) -> Result<Keys, Failure> {
    let keys = match (identity, passphrase) {
        (_, Some(source)) => Keys::passphrase(&read_secret(source)?),
        (Some(source), None) => Keys::parse(&read_secret(source)?),
        (None, None) => Keys::parse(""),
    };
    keys.map_err(|error| {
        Failure::usage(format!("{error}."), "Name the file that age-keygen wrote with --identity.")
    })
}

/// The text of a file that opens or locks a backup.
pub(crate) fn read_secret(source: &Source) -> Result<Zeroizing<String>, Failure> {
    source.read(LOCK_BYTES_MAX).map(Zeroizing::new)
}

/// What a backup is locked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Recipients,
    Passphrase,
}

impl Lock {
    /// By whether a passphrase was named.
    pub(crate) fn of(passphrase_file: Option<&Source>) -> Self {
        if passphrase_file.is_some() { Self::Passphrase } else { Self::Recipients }
    }
}

/// Why there is no backup or no restored installation.
pub(crate) fn failure(error: BackupFailed, lock: Lock) -> Failure {
    let fix = match &error {
        BackupFailed::Exists(_) => "Choose another name with --to.",
        BackupFailed::Locked(_) if lock == Lock::Passphrase => {
            "Check the passphrase in the file; a backup for recipients is opened with --identity."
        }
        BackupFailed::Locked(_) => {
            "Name the identity of one of its recipients with --identity; one with a passphrase is opened with --passphrase-file."
        }
        BackupFailed::RootKey(_) | BackupFailed::WrongRootKey(_) => {
            "Put the installation's root key where the configuration says: keystead config show."
        }
        BackupFailed::File { .. } => "Check the path, its permissions and the space on the disk.",
        BackupFailed::Gap => "Give every log with --log.",
        BackupFailed::Store(error) => fix_of(error),
    };
    Failure::local(format!("{error}."), fix)
}

fn fix_of(error: &BackupError) -> &'static str {
    match error {
        BackupError::Open(_) | BackupError::Store(_) => {
            "Check that the database is reachable, and the setting `database`: keystead config show."
        }
        BackupError::Io(_) => {
            "Check the file and the space on the disk; of a damaged backup take another copy."
        }
        BackupError::NoInstallation(_) => "Name the installation with --data or --database.",
        BackupError::NotEmpty(_) => "Name an empty place with --data or --database.",
        BackupError::NewerSchema { .. } => "Install that keystead, and restore with it.",
        BackupError::NotABackup => "Name a file that keystead backup wrote with --from.",
        BackupError::CutOff | BackupError::Damaged(_) | BackupError::Inconsistent => {
            "Take another copy of the backup, or another backup; of a damaged log another copy, too."
        }
        BackupError::Log(_) => "Give each log once, as it was written, and the root keys of its time.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(error: BackupFailed, lock: Lock) -> String {
        match failure(error, lock) {
            Failure::Local { fix, .. } => fix,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_to_do_about_a_backup_is_not_to_look_at_another_place() {
        for (error, wanted) in [
            (BackupError::CutOff, "Take another copy of the backup"),
            (BackupError::Damaged("a line is too long"), "Take another copy of the backup"),
            (BackupError::NotEmpty("x".into()), "Name an empty place"),
            (BackupError::NewerSchema { found: 2, supported: 1 }, "Install that keystead"),
        ] {
            let fix = fix(error.into(), Lock::Recipients);
            assert!(fix.starts_with(wanted), "{fix}");
        }
    }

    #[test]
    fn a_wrong_passphrase_is_not_answered_with_identities() {
        let locked = || BackupFailed::Locked("decryption failed".into());
        assert!(fix(locked(), Lock::Passphrase).starts_with("Check the passphrase"));
        assert!(fix(locked(), Lock::Recipients).starts_with("Name the identity"));
    }
}
