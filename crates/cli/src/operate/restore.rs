//! `keystead restore`: puts a backup, and what was logged since, into an empty place.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::input;
use crate::operate::backup::{Lock, database, failure, keys};
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::Args;
use keystead_domain::time::Micros;
use keystead_service::Entropy;
use keystead_service::backup::{self, BackupFailed, Decision, Ending, RestoreReport, RestoreRequest, Survey};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Put a backup into an empty place: all of it, or nothing
///
/// The root key must be there already. With the logs that were kept since, nothing
/// that was revoked lives again and no spent credit comes back; without them that
/// gap is named and has to be accepted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead restore --from keystead.backup --identity identity.txt \\
      --log after-backup.log --log-is-complete
  keystead restore --from 1.age --identity identity.txt --log node-1.log \\
      --log node-2.log --database postgres://keystead@db.example.com/keystead
  keystead restore --from keystead.backup --passphrase-file passphrase.txt \\
      --accept-gap

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
    /// The logs that were kept since: of each node all that began before now
    #[arg(long, value_name = "FILE", num_args = 1..)]
    log: Vec<PathBuf>,
    /// Nothing was changed after the logs end: no server ran then, or it was lost
    #[arg(long)]
    log_is_complete: bool,
    /// Restore though what was revoked and spent since is not known. Remaining
    /// credits are taken to be spent
    #[arg(long)]
    accept_gap: bool,
    /// With an accepted gap, let credits be as they were in the backup
    #[arg(long, requires = "accept_gap")]
    keep_credits: bool,
}

impl Restore {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let configuration = self.settings.load(allow_plain_http)?.configuration;
        let database = database(&configuration)?;
        let keys = keys(self.identity.as_ref(), self.passphrase_file.as_ref())?;
        let root_key = super::root_key::source(&configuration, false)?;
        super::serve::make_folder(&configuration)?;
        let request = RestoreRequest {
            database: &database,
            from: &self.from,
            keys: &keys,
            root_key: &root_key,
            logs: &self.log,
        };
        let entropy = Entropy::system();
        let restoring = backup::restore(&request, &entropy, |survey| self.decide(survey, output));
        let restored = crate::client_runtime()?.block_on(restoring).map_err(|error| match error {
            BackupFailed::Gap => Failure::local(
                format!("{error}."),
                "Give every log with --log. When nothing was changed after they end, add --log-is-complete; \
                 what no log tells needs --accept-gap.",
            ),
            other => failure(other, Lock::of(self.passphrase_file.as_ref())),
        })?;
        tell(&restored, &configuration.database.masked(), output)
    }

    /// Names what the logs do not tell, and asks where nobody has answered yet.
    fn decide(&self, survey: &Survey, output: &Output) -> Decision {
        for line in lines(survey) {
            output.warning(&line);
        }
        let asks = io::stdin().is_terminal() && !output.is_json();
        let yes = |question: &str| asks && input::ask(question, "no").is_ok_and(|answer| answer == "yes");
        let known = survey.gaps.is_empty();
        if known && (self.log_is_complete || yes("Was nothing changed after that? (yes/no)")) {
            return Decision::WithCredits;
        }
        let accepted = self.accept_gap
            || yes("What was revoked in that time lives again. Restore all the same? (yes/no)");
        match (accepted, self.keep_credits) {
            (false, _) => Decision::Stop,
            (true, true) => Decision::WithCredits,
            (true, false) => Decision::WithoutCredits,
        }
    }
}

fn lines(survey: &Survey) -> Vec<String> {
    let gaps = survey.gaps.iter().map(|gap| {
        let to = gap.to.map_or_else(|| "now".to_owned(), |to| to.to_timestamp().to_string());
        format!("Nothing is known from {} to {to}: {}.", gap.from.to_timestamp(), gap.why)
    });
    let ends = survey.ends.iter().map(|end| {
        let (place, until) = (&end.place, end.until.to_timestamp());
        match end.how {
            Ending::Closed => format!("The log of {place} was closed at {until}; what came later is not in it."),
            Ending::Unclosed => {
                format!("The log of {place} ends at {until} without a close, as when a server is lost; what came later is not in it.")
            }
            Ending::NoneRan => format!("No server ran when the backup was written, at {until}."),
        }
    });
    gaps.chain(ends).collect()
}

fn tell(report: &RestoreReport, database: &str, output: &Output) -> Outcome {
    let restored = &report.restored;
    let at = Micros(restored.header.created_at_micros).to_timestamp();
    if output.is_json() {
        output.json(&json!({
            "database": database,
            "created_at": at,
            "engine": restored.header.engine,
            "rows": restored.rows,
            "replayed": report.replayed,
            "not_covered": lines(&report.survey),
            "schema": restored.schema,
        }))?;
        return Ok(Exit::Done);
    }
    let count = |table: &str| restored.rows.get(table).copied().unwrap_or(0);
    output.data(&format!(
        "{database}: everything as of {at}, {} keys of {} organizations, {} audit records, and {} rows from the logs\n",
        count("keys"),
        count("organizations"),
        count("audit"),
        report.replayed,
    ))?;
    output.note("Next: keystead serve, with the same settings; then make a new backup: the logs from now on fit only that.");
    Ok(Exit::Done)
}
