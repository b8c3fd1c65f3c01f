//! `keystead keys bulk`: acts on every key that matches, after a look at which those are.

use super::list::Filter;
use super::new_keys::NewKeys;
use super::rotate::Ending;
use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::{Source, json};
use crate::flags::project::InProject;
use crate::input;
use crate::output::Present;
use crate::output::progress::Progress;
use crate::session::Session;
use clap::{Args, ValueEnum};
use keystead_sdk::api::{BulkAction, BulkKeys, BulkOutcome, BulkRefusal, Key, UpdateKey};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Disable, enable, revoke, change or rotate every key that matches
///
/// First shows how many match, and some of them; on a terminal it then asks, elsewhere it needs --yes.
/// Nothing is done when more keys match by then. Each key has its own audit record. Those that it
/// cannot be done on are left out and named. The new keys of rotate go into a file, a JSON object a line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys bulk disable --project acme --tag edge --dry-run
  keystead keys bulk revoke -p acme --consumer crm-1042 \\
      --reason 'Contract ended' --yes
  keystead keys bulk update -p acme --never-used true --changes changes.json
  keystead keys bulk rotate -p acme --environment staging --status active \\
      --grace 7d --output new-keys.jsonl")]
pub(crate) struct Bulk {
    /// What to do
    action: Action,
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    filter: Filter,
    /// Why, for revoke: 1 to 512 characters
    #[arg(long)]
    reason: Option<String>,
    /// What to change, for update: JSON as the API documents it; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    changes: Option<Source>,
    #[command(flatten)]
    ending: Ending,
    /// A new file for the new keys of rotate, that only you can read
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Action {
    Disable,
    Enable,
    Revoke,
    Update,
    Rotate,
}

impl From<Action> for BulkAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Disable => Self::Disable,
            Action::Enable => Self::Enable,
            Action::Revoke => Self::Revoke,
            Action::Update => Self::Update,
            Action::Rotate => Self::Rotate,
        }
    }
}

impl Bulk {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let mut act = self.act(session)?;
        let project = &self.project.project;
        let preview = session.client.bulk_keys(project, &act).await?;
        if self.dry_run {
            return show_preview(session, &preview);
        }
        if preview.matched == 0 {
            session.output.note("No key matches.");
            return Ok(Exit::Done);
        }
        if !self.yes {
            confirm(session, &preview)?;
        }
        act.dry_run = false;
        act.expected_count = Some(preview.matched);
        let mut file = self.output.as_deref().map(NewKeys::create).transpose()?;
        let whole = run_all(session, project, act, preview.matched, file.as_mut()).await;
        // Also after a failure: what was made until then is there.
        if let Some(said) = file.and_then(NewKeys::end) {
            session.output.warning(&said);
        }
        show_whole(session, whole?)
    }

    /// What is to be done, as a dry run.
    fn act(&self, session: &Session) -> Result<BulkKeys, Failure> {
        let rotates = matches!(self.action, Action::Rotate);
        let about_new_keys = !self.ending.is_unsaid() || self.output.is_some();
        if about_new_keys && !rotates {
            return Err(Failure::usage(
                "When old keys end, and where new ones go, is said for rotate only.",
                "Leave out --grace, --until-first-use, --overlap, --revoke-lineage-on-reuse and --output.",
            ));
        }
        if rotates && self.output.is_none() && !self.dry_run {
            return Err(Failure::usage(
                "Nobody said where the new keys go.",
                "Name a new file with --output; only you will be able to read it.",
            ));
        }
        let changes: Option<UpdateKey> = self.changes.as_ref().map(json).transpose()?;
        Ok(BulkKeys {
            action: self.action.into(),
            filter: self.filter.clone().query(session.now),
            dry_run: true,
            expected_count: None,
            reason: self.reason.clone(),
            changes,
            rotation: rotates.then(|| self.ending.body(None, session.now)),
            limit: None,
            cursor: None,
        })
    }
}

/// What was done, without a secret.
pub(crate) fn show_whole(session: &Session, whole: BulkOutcome) -> Outcome {
    session.output.note(&format!("Done: {} of {} keys.", whole.done, whole.matched));
    if session.output.is_json() {
        session.output.json(&whole)?;
    }
    let refused = whole.refused.len();
    for BulkRefusal { id, detail, fix } in whole.refused {
        session.output.warning(&format!("{id}: {detail} {fix}"));
    }
    if refused == 0 {
        return Ok(Exit::Done);
    }
    Err(Failure::local(
        format!("{refused} keys could not be done."),
        "See above; the others are done, and the same command again comes to the rest.",
    ))
}

/// Call after call, until the server names no next one. New keys go into the file, and nowhere else.
async fn run_all(
    session: &Session,
    project: &str,
    mut act: BulkKeys,
    matched: u64,
    mut file: Option<&mut NewKeys>,
) -> Result<BulkOutcome, Failure> {
    let progress = Progress::new("keys", !session.output.is_json());
    let mut whole = BulkOutcome { matched, ..BulkOutcome::default() };
    for call in 0_u64.. {
        // One name stands for one request, so each call of a named command has its own.
        let client = session.client.numbered(call);
        let part = client.bulk_keys(project, &act).await?;
        if let Some(file) = &mut file {
            file.store(&part.rotated)?;
        }
        whole.done += part.done;
        whole.refused.extend(part.refused);
        progress.at(whole.done + u64::try_from(whole.refused.len()).unwrap_or(u64::MAX), matched);
        act.cursor = part.next_cursor;
        if act.cursor.is_none() {
            break;
        }
    }
    Ok(whole)
}

pub(crate) fn show_preview(session: &Session, preview: &BulkOutcome) -> Outcome {
    if session.output.is_json() {
        session.output.json(preview)?;
        return Ok(Exit::Done);
    }
    session.output.note(&format!("{} keys match; nothing was done. Some of them:", preview.matched));
    session.output.columns(Key::HEADINGS, &preview.sample.iter().map(Present::row).collect::<Vec<_>>())?;
    Ok(Exit::Done)
}

pub(crate) fn confirm(session: &Session, preview: &BulkOutcome) -> Result<(), Failure> {
    let fix = "Look with --dry-run, then add --yes.";
    if !io::stdin().is_terminal() || session.output.is_json() {
        let what =
            format!("{} keys match, and nobody can be asked whether these are meant.", preview.matched);
        return Err(Failure::usage(what, fix));
    }
    show_preview(session, preview)?;
    let answer = input::ask(&format!("Do it to all {} keys? Type yes", preview.matched), "no")?;
    if answer == "yes" { Ok(()) } else { Err(Failure::usage("Nothing was done.", fix)) }
}
