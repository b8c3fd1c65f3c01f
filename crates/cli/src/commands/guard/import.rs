//! `keystead guard import`: an OpenAPI document's routes.

use super::Word;
use super::present::{HEADINGS, row};
use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::flags::project::InProject;
use crate::output::plain::plain;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{GuardDifference, GuardImport, GuardMode, GuardRoute};
use serde_json::{Map, Value};

/// The largest document that is read, in bytes.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// Read the routes of an OpenAPI document 3.0 or 3.1 (YAML or JSON)
///
/// Without --apply it only shows the difference. Run it again whenever the API has changed: what
/// people set on routes stays, and routes that are gone from the document are flagged.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard import openapi.yaml -p shop --mode observe
  keystead guard import openapi.yaml -p shop --mode observe --apply
  keystead guard import - -p shop --base-path /v2")]
pub(crate) struct Import {
    /// The document; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    document: Source,
    #[command(flatten)]
    project: InProject,
    /// How a guard begins that there is not yet
    #[arg(long)]
    mode: Option<Word>,
    /// Apply the difference
    #[arg(long)]
    apply: bool,
    /// What stands before every path; by default the path of the document's first server
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// Take permissions and public endpoints from the document, also where routes have others
    #[arg(long)]
    reset: bool,
    /// Remove routes that the document has no more, instead of flagging them
    #[arg(long)]
    remove_absent: bool,
}

impl Import {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let mode = match self.mode {
            None => None,
            Some(Word::Observe) => Some(GuardMode::Observe),
            Some(Word::Enforce) => Some(GuardMode::Enforce),
            Some(Word::Follow) => {
                return Err(Failure::usage("A guard follows nothing.", "Begin with observe or enforce."));
            }
        };
        let import = GuardImport {
            document: read(&self.document.read(FILE_BYTES_MAX)?)?,
            apply: self.apply,
            mode,
            base_path: self.base_path,
            reset: self.reset,
            remove_absent: self.remove_absent,
        };
        let difference = session.client.import_guard(&self.project.project, &import).await?;
        show(session, &plain(&self.project.project), &difference)
    }
}

/// A document, without what says nothing about who may call: schemas are most of it, and stay here.
fn read(text: &str) -> Result<Map<String, Value>, Failure> {
    let fix = "Give an OpenAPI document 3.0 or 3.1 in YAML or JSON.";
    let value: Value = serde_saphyr::from_str(text)
        .map_err(|error| Failure::usage(format!("The document cannot be read: {error}."), fix))?;
    let Value::Object(mut document) = value else {
        return Err(Failure::usage("The document is no object.", fix));
    };
    let schemes =
        document.get("components").and_then(|components| components.get("securitySchemes")).cloned();
    let kept = ["openapi", "swagger", "servers", "tags", "security", "paths"];
    document.retain(|name, _| kept.contains(&name.as_str()));
    if let Some(schemes) = schemes {
        document.insert("components".into(), serde_json::json!({"securitySchemes": schemes}));
    }
    let items =
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    for operation in items.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        if let Some(operation) = operation.as_object_mut() {
            let kept = ["operationId", "tags", "security", "x-keystead"];
            operation.retain(|name, _| kept.contains(&name.as_str()));
        }
    }
    Ok(document)
}

fn show(session: &Session, project: &str, difference: &GuardDifference) -> Outcome {
    if session.output.is_json() {
        session.output.json(difference)?;
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    let mut line = |what: &str, route: &GuardRoute| {
        let mut cells = vec![what.into()];
        cells.extend(row(route));
        rows.push(cells);
    };
    difference.added.iter().for_each(|route| line("new", route));
    for change in &difference.changed {
        line("was", &change.before);
        line("becomes", &change.after);
    }
    difference.absent.iter().for_each(|route| line("gone", route));
    if !rows.is_empty() {
        let headings: Vec<&str> = std::iter::once("WHAT").chain(HEADINGS.iter().copied()).collect();
        session.output.columns(&headings, &rows)?;
    }
    for note in &difference.notes {
        session.output.note(&format!("Look: {note}"));
    }
    if !difference.permissions.is_empty() {
        session.output.note(&format!("New permissions: {}", difference.permissions.join(", ")));
    }
    session.output.note(&format!(
        "{} new, {} changed, {} gone, {} as they were.",
        difference.added.len(),
        difference.changed.len(),
        difference.absent.len(),
        difference.unchanged
    ));
    session.output.note(&if difference.applied {
        format!("Applied. Next: keystead guard recipe nginx -p {project} -e ENVIRONMENT --upstream HOST:PORT")
    } else {
        "Nothing was changed: add --apply.".to_owned()
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_and_json_are_read_and_schemas_stay_here() {
        let yaml = "openapi: 3.1.0\ninfo: {title: x}\ncomponents:\n  schemas: {A: {}}\n  securitySchemes: {k: {type: apiKey}}\n\
            paths:\n  /a/{id}:\n    parameters: []\n    get:\n      operationId: a\n      responses: {'200': {description: ok}}\n";
        let wanted = json!({"openapi": "3.1.0", "components": {"securitySchemes": {"k": {"type": "apiKey"}}},
            "paths": {"/a/{id}": {"parameters": [], "get": {"operationId": "a"}}}});
        assert_eq!(Value::Object(read(yaml).unwrap()), wanted);
        assert_eq!(Value::Object(read(&wanted.to_string()).unwrap()), wanted);
    }

    /// A few bytes of YAML can stand for gigabytes.
    #[test]
    fn a_document_that_blows_up_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
        }
        assert!(matches!(read(&bomb), Err(Failure::Usage { .. })));
        assert!(matches!(read("[]"), Err(Failure::Usage { .. })));
        assert!(matches!(read("a: [1"), Err(Failure::Usage { .. })));
    }
}
