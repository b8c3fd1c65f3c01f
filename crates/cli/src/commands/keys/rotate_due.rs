//! `keystead keys rotate --due` and `keystead keys due`: what a project's rotation plan asks for.

use super::new_keys::NewKeys;
use super::rotate::show;
use crate::exit::{Exit, Failure, Outcome};
use crate::flags::paging::Paging;
use crate::flags::project::InProject;
use crate::input::ask;
use crate::output::Present;
use crate::output::table::{Cell, Tone};
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{DueKey, DueState, RotateKey, RotatedKey};
use keystead_sdk::{Error, list_all};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// The most keys that are rotated at once.
const KEYS_MAX: usize = 10_000;

/// List keys that are due to be rotated, or will be soon
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys due --project acme
  keystead keys due -p acme --all --json")]
pub(crate) struct DueList {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    paging: Paging,
}

/// All that are due.
#[derive(Debug, Args)]
pub(crate) struct Due {
    /// Rotate every key that is due by the project's rotation plan
    #[arg(long, requires = "project", help_heading = "All that are due")]
    due: bool,
    /// The project's id or slug
    #[arg(long, short, env = "KEYSTEAD_PROJECT", hide_env_values = true, help_heading = "All that are due")]
    project: Option<String>,
    /// Those that will be due soon, too
    #[arg(long, requires = "due", help_heading = "All that are due")]
    include_soon: bool,
    /// Only show which they are
    #[arg(long, requires = "due", help_heading = "All that are due")]
    dry_run: bool,
    /// Do not ask
    #[arg(long, requires = "due", help_heading = "All that are due")]
    yes: bool,
    /// A new file for the new keys, one JSON object a line, that only you can read; needed for more
    /// than one
    #[arg(long, value_name = "FILE", requires = "due", help_heading = "All that are due")]
    output: Option<PathBuf>,
}

impl DueList {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let fetch = async |page| session.client.list_due_keys(&self.project.project, &page).await;
        session.list(&self.paging, fetch).await
    }
}

/// Shows what is due, asks, and rotates one after the other.
pub(super) async fn rotate_due(due: Due, body: &RotateKey, session: &Session) -> Outcome {
    let project = due.project.clone().unwrap_or_default();
    let fetch = async |page| session.client.list_due_keys(&project, &page).await;
    let mut keys = list_all(KEYS_MAX, fetch).await?.items;
    keys.retain(|key| due.include_soon || key.state == DueState::Due);
    if due.dry_run {
        return preview(&keys, session);
    }
    if keys.is_empty() {
        return done(&[], &[], &due, session);
    }
    if keys.len() > 1 && due.output.is_none() {
        return Err(Failure::usage(
            format!("{} keys are due, and nobody said where the new ones go.", keys.len()),
            "Name a new file with --output; only you will be able to read it.",
        ));
    }
    if !due.yes {
        confirm(&keys, session)?;
    }
    let mut file = due.output.as_deref().map(NewKeys::create).transpose()?;
    let ended = rotate_all(&keys, body, file.as_mut(), session).await;
    // Also after a failure: what was made until then is there.
    if let Some(said) = file.and_then(NewKeys::end) {
        session.output.warning(&said);
    }
    let (rotated, failed) = ended?;
    if let (None, [new]) = (&due.output, rotated.as_slice()) {
        return show(new, session);
    }
    done(&rotated, &failed, &due, session)?;
    failed.into_iter().next().map_or(Ok(Exit::Done), |(_, error)| Err(Failure::Call(error)))
}

/// The new keys, and the ids of those that could not be rotated, with why.
type Ended = (Vec<RotatedKey>, Vec<(String, Error)>);

/// One after the other. New keys go into the file before the next is made.
async fn rotate_all(
    keys: &[DueKey],
    body: &RotateKey,
    mut file: Option<&mut NewKeys>,
    session: &Session,
) -> Result<Ended, Failure> {
    let (mut rotated, mut failed) = (Vec::new(), Vec::new());
    for (number, DueKey { key, .. }) in (0_u64..).zip(keys) {
        // One name stands for one request, so each rotation of a named command has its own.
        match session.client.numbered(number).rotate_key(&key.id, body).await {
            Ok(new) => {
                if let Some(file) = &mut file {
                    file.store(std::slice::from_ref(&new))?;
                }
                rotated.push(new);
            }
            Err(error) => failed.push((key.id.clone(), error)),
        }
    }
    Ok((rotated, failed))
}

fn preview(keys: &[DueKey], session: &Session) -> Outcome {
    if session.output.is_json() {
        session.output.json(&keys)?;
    } else if keys.is_empty() {
        session.output.note("Nothing is due.");
    } else {
        session.output.columns(DueKey::HEADINGS, &keys.iter().map(Present::row).collect::<Vec<_>>())?;
        session.output.note("Nothing was rotated. Without --dry-run, these are.");
    }
    Ok(Exit::Done)
}

/// Asks on the terminal; where there is none, nothing is done that nobody agreed to.
fn confirm(keys: &[DueKey], session: &Session) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "Nothing was rotated: nobody is there to be asked.",
            "Look with --dry-run, then add --yes.",
        ));
    }
    for key in keys {
        session.output.note(&format!("{}  {}  {}", key.key.id, key.key.name, key.why));
    }
    if ask(&format!("Rotate these {}?", keys.len()), "no")?.to_lowercase().starts_with('y') {
        return Ok(());
    }
    Err(Failure::usage("Nothing was rotated.", "Answer yes, or add --yes."))
}

/// What was done, without a secret.
fn done(rotated: &[RotatedKey], failed: &[(String, Error)], due: &Due, session: &Session) -> Outcome {
    let output = due.output.as_ref().filter(|_| !rotated.is_empty());
    if session.output.is_json() {
        let rotated: Vec<_> = rotated
            .iter()
            .map(|new| json!({"id": new.created.details.id, "replaces": new.replaces, "ends_at": new.rotation.ends_at}))
            .collect();
        let failed: Vec<_> =
            failed.iter().map(|(id, error)| json!({"id": id, "detail": error.to_string()})).collect();
        let output = output.map(|path| path.display().to_string());
        session.output.json(&json!({"rotated": rotated, "failed": failed, "output": output}))?;
        return Ok(Exit::Done);
    }
    for (id, error) in failed {
        session.output.note(&format!("{id} was not rotated: {error}"));
    }
    if rotated.is_empty() {
        session.output.note("Nothing was rotated.");
    }
    Ok(Exit::Done)
}

impl Present for DueKey {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "STATE", "DUE", "WHY", "LAST USED"];

    fn row(&self) -> Vec<Cell> {
        let state = match self.state {
            DueState::Due => Cell::new("due", Tone::Bad),
            DueState::Soon => Cell::new("soon", Tone::Warning),
        };
        vec![
            self.key.id.as_str().into(),
            Cell::from(self.key.name.as_str()).shortened(40),
            state,
            Cell::time(Some(self.due_at)),
            self.why.as_str().into(),
            Cell::time(self.key.last_used_at),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = vec![("due", Cell::time(Some(self.due_at))), ("why", Cell::from(self.why.as_str()))];
        fields.extend(self.key.fields());
        fields
    }
}
