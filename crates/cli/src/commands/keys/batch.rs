//! `keystead keys create-batch`: issues many keys, all or none, and shows them once.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::flags::project::InProject;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{CreateKey, CreateKeys};

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Issue up to 1,000 keys, all or none, and print them, once
///
/// Each line of the file is a JSON object as the API documents it for one key. Standard output holds one
/// key a line, in the file's order; with --json each with everything else about it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys create-batch new-keys.ndjson --project acme
  cat new-keys.ndjson | keystead keys create-batch - -p acme --json")]
pub(crate) struct CreateBatch {
    /// One JSON object a line; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    file: Source,
    #[command(flatten)]
    project: InProject,
}

impl CreateBatch {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let items = read(&self.file.read(FILE_BYTES_MAX)?)?;
        let created = session.client.create_keys(&self.project.project, &CreateKeys { items }).await?;
        if session.output.is_json() {
            session.output.json(&created)?;
            return Ok(Exit::Done);
        }
        session.output.note(&format!("Created {} keys.", created.items.len()));
        session.output.warning("They are shown only now, and nobody can show them again: store them safely.");
        for key in &created.items {
            session.output.secret(&key.key)?;
        }
        Ok(Exit::Done)
    }
}

fn read(text: &str) -> Result<Vec<CreateKey>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| {
                Failure::usage(
                    format!("Line {} does not fit: {error}.", index + 1),
                    "Write one JSON object a line, as docs/API.md describes a new key.",
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn lines_are_keys_and_a_wrong_one_is_named() {
        let line = r#"{"name":"a","environment":"production"}"#;
        assert_eq!(read(&format!("{line}\n\n{line}\n")).unwrap().len(), 2);
        let wrong = read(&format!("{line}\n\n{{\"nome\":1}}\n")).unwrap_err();
        assert!(format!("{wrong:?}").contains("Line 3"), "{wrong:?}");
    }
}
