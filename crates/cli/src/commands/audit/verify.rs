//! `keystead audit verify`: whether anybody changed the audit, without a server.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source as Text;
use crate::operate::{Lock, SettingFlags, database, keys};
use crate::output::Output;
use clap::Args;
use keystead_domain::audit::checkpoint::Verifier;
use keystead_service::audit_verify::{Kept, Source, Verified, VerifyFailed, verify};
use serde_json::json;
use std::path::PathBuf;

/// Bytes of a file of checkpoints: more than a million of them.
const NOTES_BYTES_MAX: u64 = 512 << 20;

/// Verify that nobody changed the audit; no server is needed
///
/// Reads the database in force (also beside a running server), a backup or an
/// export, and names the first record that was changed, moved, inserted or removed.
/// Who changes records and signs them anew is found by checkpoints and a verifier
/// that were kept elsewhere: see keystead audit checkpoints.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead audit verify --data /var/lib/keystead
  keystead audit verify --export audit.ndjson --checkpoints kept.txt
  keystead audit verify --backup keystead.backup --identity identity.txt
  keystead audit verify --verifiers verifiers.txt --checkpoints kept.txt --json

Exit code 1 when it was tampered with.")]
pub(super) struct Verify {
    /// Verify this export instead
    #[arg(long, value_name = "FILE", conflicts_with = "backup")]
    export: Option<PathBuf>,
    /// Verify this backup instead
    #[arg(long, value_name = "FILE")]
    backup: Option<PathBuf>,
    /// The file with the age identity that opens the backup
    #[arg(long, value_name = "FILE|-", requires = "backup")]
    identity: Option<Text>,
    /// The file with the passphrase that opens the backup
    #[arg(long, value_name = "FILE|-", requires = "backup", conflicts_with = "identity")]
    passphrase_file: Option<Text>,
    /// Files with checkpoints that were kept elsewhere
    #[arg(long, value_name = "FILE", num_args = 1..)]
    checkpoints: Vec<PathBuf>,
    /// A file with what verifies the checkpoints, kept elsewhere: one verifier a line
    #[arg(long, value_name = "FILE")]
    verifiers: Option<Text>,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Verify {
    pub(super) async fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let kept = self.kept()?;
        let verified = match (&self.export, &self.backup) {
            (Some(path), _) => verify(Source::Export(path), &kept).await,
            (None, Some(path)) => {
                let keys = keys(self.identity.as_ref(), self.passphrase_file.as_ref())?;
                // Dropped at the signal, so that what was unpacked does not stay.
                tokio::select! {
                    verified = verify(Source::Backup(path, &keys), &kept) => verified,
                    _ = tokio::signal::ctrl_c() => {
                        return Err(Failure::local("It was interrupted.", "Nothing that was unpacked is left."));
                    }
                }
            }
            (None, None) => {
                let configuration = self.settings.load(allow_plain_http)?.configuration;
                verify(Source::Database(&database(&configuration)?), &kept).await
            }
        };
        match verified {
            Ok(verified) => tell(&verified, output),
            Err(failed) if failed.is_tampering() => tell_tampering(&failed, output),
            Err(VerifyFailed::Backup(failed)) => {
                Err(crate::operate::failure(failed, Lock::of(self.passphrase_file.as_ref())))
            }
            Err(failed) => Err(Failure::local(failed.to_string(), "Check what you gave, and try again.")),
        }
    }

    fn kept(&self) -> Result<Kept, Failure> {
        let mut kept = Kept::default();
        if let Some(source) = &self.verifiers {
            let text = source.read(NOTES_BYTES_MAX)?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let verifier: Verifier = line.parse().map_err(|error| {
                    Failure::usage(
                        format!("{line}: {error}."),
                        "Give them as keystead audit checkpoints shows them.",
                    )
                })?;
                kept.add_verifier(verifier);
            }
        }
        for path in &self.checkpoints {
            let text = Text::File(path.clone()).read(NOTES_BYTES_MAX)?;
            kept.add_notes(&path.display().to_string(), &text).map_err(|error| {
                Failure::usage(
                    format!("{}: {error}.", path.display()),
                    "Give the notes as keystead audit checkpoints or audit.checkpoint_file has them.",
                )
            })?;
        }
        Ok(kept)
    }
}

fn tell(verified: &[Verified], output: &Output) -> Outcome {
    if output.is_json() {
        let organizations: Vec<_> = verified
            .iter()
            .map(|one| {
                json!({
                    "organization": one.organization,
                    "records": one.found.records,
                    "deleted": one.found.deleted,
                    "checkpoints": one.found.checkpoints,
                    "vouched": one.found.vouched,
                    "verifier": one.verifier,
                    "verifier_given": one.pinned,
                })
            })
            .collect();
        output.json(&json!({ "verified": true, "organizations": organizations }))?;
        return Ok(Exit::Done);
    }
    for one in verified {
        let found = &one.found;
        output.data(&format!(
            "{}: {} records fit each other and {} checkpoints, which vouch for the first {}; retention deleted {}\n",
            one.organization, found.records, found.checkpoints, found.vouched, found.deleted,
        ))?;
    }
    if verified.iter().any(|one| !one.pinned) {
        output.warning(
            "The key that verified the checkpoints came from the same place. Who can change everything there can \
             sign anew: give --verifiers and --checkpoints that were kept elsewhere.",
        );
    }
    Ok(Exit::Done)
}

fn tell_tampering(failed: &VerifyFailed, output: &Output) -> Outcome {
    if output.is_json() {
        output.json(&json!({ "verified": false, "detail": failed.to_string() }))?;
    } else {
        output.warning(&failed.to_string());
        output.note("Keep this copy as it is. A backup from before shows what was there: verify that, too.");
    }
    Ok(Exit::Refused)
}
