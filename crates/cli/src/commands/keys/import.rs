//! `keystead keys import`: brings in keys that exist elsewhere, line by line.

mod lines;
mod mapping;

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::project::InProject;
use crate::output::progress::Progress;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{CreateKey, ImportHash, ImportKey, ImportKeys, ImportOutcome, ImportedKey};
use lines::{LINE_BYTES_MAX, create, next_line, open};
use mapping::Mapping;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Keys sent in one call, and their bytes: both below what the server takes.
const KEYS_MAX: usize = 200;
const CALL_BYTES_MAX: usize = 512 << 10;

/// Import keys that exist elsewhere, by digest or in the clear
///
/// Each line of the file is a JSON object: the fields of a new key (name, environment, owner, permissions, …),
/// and `hash` {`algorithm`: sha256, sha512, bcrypt or argon2id, `value`} or `plain`; `prefix`, how the token
/// begins (needed for bcrypt and argon2id); `external_id`, what it is called where it comes from. Where the file
/// names its columns otherwise, say which is which with --map, and what all lines share with --set. Lines that
/// are wrong are reported by their number and hold up no other. Run it again after mending them, or after it was
/// stopped: what was imported before is left as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys import old-keys.ndjson --project acme --dry-run
  keystead keys import old-keys.ndjson -p acme --errors wrong.ndjson
  keystead keys import dump.ndjson -p acme --map name=title \\
      --map hash.value=sha256 --set hash.algorithm=sha256
  cat old-keys.ndjson | keystead keys import - -p acme --json")]
pub(crate) struct Import {
    /// One JSON object a line; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    mapping: Mapping,
    /// Only say what would be imported
    #[arg(long)]
    dry_run: bool,
    /// Write each wrong line's number and why to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

/// What belongs to an import, beside the fields of a new key.
#[derive(Deserialize)]
struct Line {
    external_id: Option<String>,
    hash: Option<ImportHash>,
    plain: Option<String>,
    prefix: Option<String>,
    #[serde(flatten)]
    key: Map<String, Value>,
}

fn read(line: &str, mapping: &Mapping) -> Result<ImportKey, String> {
    let line = mapping.apply(serde_json::from_str(line).map_err(|error| place_of(&error))?)?;
    let Line { external_id, hash, plain, prefix, key } =
        serde_json::from_value(Value::Object(line)).map_err(|error| named(&error))?;
    let key: CreateKey = serde_json::from_value(Value::Object(key)).map_err(|error| named(&error))?;
    Ok(ImportKey { external_id, hash, plain, prefix, key })
}

/// The place alone: serde's own message can repeat a value, even a token.
fn place_of(error: &serde_json::Error) -> String {
    format!("This is not such a JSON object (column {}).", error.column())
}

/// What is missing or unknown, by name; never a value. In some files tokens are the names.
fn named(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let is_name = |name: &&str| {
        name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(&byte))
    };
    let name = text.split('`').nth(1).filter(is_name).unwrap_or_default();
    match text.split_once(" field ") {
        Some(("missing", _)) => format!("The field {name} is missing."),
        Some(("unknown", _)) => format!("The field {name} is unknown.").replace("  ", " "),
        _ => "A field is not of its type.".to_owned(),
    }
}

#[derive(Default)]
struct Counts {
    imported: u64,
    existed: u64,
    refused: u64,
}

/// An import under way.
struct Run<'a> {
    session: &'a Session,
    project: &'a str,
    mapping: &'a Mapping,
    dry_run: bool,
    errors: Option<File>,
    counts: Counts,
    calls: u64,
    waiting: Vec<(u64, ImportKey)>,
    waiting_bytes: usize,
}

impl Import {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let bytes = std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
        let mut lines = open(&self.file)?;
        let errors = self.errors.as_deref().map(create).transpose()?;
        let mut run = Run {
            session,
            project: &self.project.project,
            mapping: &self.mapping,
            dry_run: self.dry_run,
            errors,
            counts: Counts::default(),
            calls: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
        };
        let progress = Progress::new("bytes", bytes > 0 && !session.output.is_json());
        let (mut number, mut done) = (0, 0);
        while let Some(line) = next_line(&mut *lines, &self.file)? {
            number += 1;
            done += u64::try_from(line.len()).unwrap_or(u64::MAX);
            run.line(number, &line).await?;
            if run.waiting.is_empty() {
                progress.at(done, bytes);
            }
        }
        run.send().await?;
        progress.at(done, bytes);
        drop(progress);
        run.end()
    }
}

impl Run<'_> {
    async fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Failure> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let text = str::from_utf8(line).map_err(|_| "This is not UTF-8.".to_owned());
        if line.len() > LINE_BYTES_MAX {
            return self.refuse(number, None, &format!("There are more than {LINE_BYTES_MAX} bytes."), "");
        }
        match text.and_then(|text| read(text, self.mapping)) {
            Ok(key) => {
                self.waiting.push((number, key));
                self.waiting_bytes += line.len();
            }
            Err(why) => self.refuse(number, None, &why, "docs/API.md describes each field.")?,
        }
        if self.waiting.len() >= KEYS_MAX || self.waiting_bytes >= CALL_BYTES_MAX {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (numbers, items): (Vec<u64>, Vec<ImportKey>) =
            std::mem::take(&mut self.waiting).into_iter().unzip();
        self.waiting_bytes = 0;
        let client = self.session.client.numbered(self.calls);
        self.calls += 1;
        let taken = client.import_keys(self.project, &ImportKeys { items, dry_run: self.dry_run }).await?;
        for (number, ImportedKey { outcome, field, detail, fix, .. }) in numbers.into_iter().zip(taken.items)
        {
            match outcome {
                ImportOutcome::Imported => self.counts.imported += 1,
                ImportOutcome::Exists => self.counts.existed += 1,
                ImportOutcome::Refused => {
                    let (detail, fix) = (detail.unwrap_or_default(), fix.unwrap_or_default());
                    // On a line the fields of a key stand beside the others.
                    let field = field.as_deref().map(|field| field.strip_prefix("/key").unwrap_or(field));
                    self.refuse(number, field, &detail, &fix)?;
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, field: Option<&str>, detail: &str, fix: &str) -> Result<(), Failure> {
        self.counts.refused += 1;
        match &mut self.errors {
            Some(file) => {
                let mut text =
                    json!({"line": line, "field": field, "detail": detail, "fix": fix}).to_string();
                text.push('\n');
                file.write_all(text.as_bytes())?;
            }
            None => self.session.output.warning(&format!(
                "line {line}{}: {detail} {fix}",
                field.map(|field| format!(", {field}")).unwrap_or_default()
            )),
        }
        Ok(())
    }

    fn end(self) -> Outcome {
        let Counts { imported, existed, refused } = self.counts;
        let output = &self.session.output;
        if output.is_json() {
            output.json(&json!({"imported": imported, "exists": existed, "refused": refused}))?;
        }
        let did = if self.dry_run { "Would import" } else { "Imported" };
        output.note(&format!("{did} {imported} keys; {existed} were imported before; {refused} are wrong."));
        if refused == 0 {
            return Ok(Exit::Done);
        }
        Err(Failure::local(
            format!("{refused} lines were not imported."),
            "Mend them and run the same command again: what was imported is left as it is.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_new_key_and_where_it_comes_from() {
        let line = r#"{"external_id":"a","hash":{"algorithm":"sha256","value":"00"},"name":"A","environment":"production","tags":["x"]}"#;
        let key = read(line, &Mapping::default()).unwrap();
        assert_eq!(
            (key.external_id.as_deref(), key.key.name.as_str(), key.key.tags.len()),
            (Some("a"), "A", 1)
        );
    }

    #[test]
    fn a_wrong_line_is_explained_and_never_repeated() {
        for line in [
            r#"{"name":"A","environment":"p","CANARY":1}"#.replace("CANARY", "nome"),
            r#"{"name":"A"}"#.to_owned(),
            r#"{"name":"CANARY","environment":["CANARY"]}"#.to_owned(),
            r#"{"plain":["CANARY"]}"#.to_owned(),
            r#"{"name":"A","environment":"p","CANARY1":1}"#.to_owned(),
            r#"{"name":"A" CANARY"#.to_owned(),
        ] {
            let why = read(&line, &Mapping::default()).unwrap_err();
            assert!(!why.contains("CANARY") && why.ends_with('.'), "{why}");
        }
    }
}
