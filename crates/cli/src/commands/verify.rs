//! `keystead verify`: may a request that carries this key pass?

mod present;

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::{FromJson, Source, json};
use crate::flags::grant::{need, needs};
use crate::flags::named::named;
use crate::input;
use crate::session::Session;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use keystead_sdk::api::{Code, Include, PermissionQuery, Verification, Verify as Ask, VerifyBatch};
use serde_json::Value;

/// Judge a request: exit code 0 when it may pass, 1 when not, 6 when nothing is known
///
/// The key is read from --key-file, KEYSTEAD_VERIFY_KEY, standard input or a prompt, never from an
/// argument. Verifying counts against the key's limits, unless --explain or --cost 0 is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead verify --project acme --environment production \\
      --permission routes.read
  printenv KEY | keystead verify --project acme --environment production \\
      --method GET --path /v1/zones/eu --ip 192.0.2.7
  keystead verify --key-file ./key --project acme --environment production \\
      --permission routes.write --resource networks/NET-7 --explain
  keystead verify --project acme --environment production \\
      --any-permission a.read --any-permission b.read --include metadata \\
      --json
  keystead verify --batch requests.json --json")]
pub(crate) struct Verify {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    json: FromJson,
    /// Judge up to 1000 requests from a JSON file: {\"items\": […]}; `-` is standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["Request", "Needs", "from_json", "key_file"])]
    batch: Option<Source>,
    /// Read the key from this file; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    key_file: Option<Source>,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct Request {
    /// The project's id or slug; needed unless your own key's grant pins one
    #[arg(long, short)]
    project: Option<String>,
    /// The environment's id or slug; needed unless your own key's grant pins one
    #[arg(long, short)]
    environment: Option<String>,
    /// The client's address
    #[arg(long, help_heading = "Request")]
    ip: Option<String>,
    /// The HTTP method
    #[arg(long, help_heading = "Request")]
    method: Option<String>,
    /// The path, without query
    #[arg(long, help_heading = "Request")]
    path: Option<String>,
    /// The Origin header
    #[arg(long, help_heading = "Request")]
    origin: Option<String>,
    /// The User-Agent header
    #[arg(long, help_heading = "Request")]
    user_agent: Option<String>,
    /// What it takes of limits, quotas and credits; 1 by default, 0 takes nothing
    #[arg(long, value_name = "N", help_heading = "Request")]
    cost: Option<u64>,
    /// Labels for the usage record
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "Request")]
    tag: Vec<String>,
    /// What to add to the answer
    #[arg(long, value_parser = PossibleValuesParser::new(["metadata"]).try_map(|word| named::<Include>(&word)))]
    include: Vec<Include>,
    /// List every check with its outcome, and take nothing; needs keys.read
    #[arg(long)]
    explain: bool,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct Needs {
    /// A permission that the request needs, on --resource or on its own: routes.read,
    /// routes.write@networks/NET-7; repeat it: all are needed
    #[arg(long, value_name = "NAME[@RESOURCE]", value_parser = need, help_heading = "Needs")]
    permission: Vec<PermissionQuery>,
    /// Permissions of which one is needed; repeat it for each
    #[arg(long, value_name = "NAME[@RESOURCE]", value_parser = need, help_heading = "Needs")]
    any_permission: Vec<PermissionQuery>,
    /// Nested needs: '{\"all\":[\"a.read\",{\"any\":[\"b.read\",\"c.read\"]}]}'
    #[arg(long, value_name = "JSON", value_parser = nested, conflicts_with_all = ["permission", "any_permission"], help_heading = "Needs")]
    permissions_json: Option<PermissionQuery>,
    /// What the permissions are needed on: networks/NET-7
    #[arg(long, help_heading = "Needs")]
    resource: Option<String>,
}

fn nested(text: &str) -> Result<PermissionQuery, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("not a name, {{\"all\": […]}} or {{\"any\": […]}}: {error}"))
}

impl Verify {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        if let Some(source) = &self.batch {
            return batch(&json(source)?, session).await;
        }
        let ask = match self.json.from_json.clone() {
            Some(source) => self.ask_of(&source)?,
            None => self.ask()?,
        };
        let verdict = session.client.verify(&ask).await?;
        // Whoever stopped reading still gets the verdict as the exit code.
        match session.output.one(&verdict) {
            Ok(()) | Err(Failure::PipeClosed) => Ok(exit_of(verdict.code)),
            Err(failure) => Err(failure),
        }
    }

    /// A body from JSON; a key in it is used, else it is read as always.
    fn ask_of(&self, source: &Source) -> Result<Ask, Failure> {
        let mut body: Value = json(source)?;
        let has_key = body.get("key").is_some();
        if let (Some(object), false) = (body.as_object_mut(), has_key) {
            if *source == Source::Stdin
                && self.key_file.is_none()
                && input::environment("KEYSTEAD_VERIFY_KEY")?.is_none()
            {
                return Err(Failure::usage(
                    "The body comes from standard input and holds no `key`.",
                    "Put the key into the body, into KEYSTEAD_VERIFY_KEY or into a --key-file.",
                ));
            }
            object.insert("key".to_owned(), Value::String(self.key()?));
        }
        serde_json::from_value(body).map_err(|_| {
            // serde's message could repeat the key.
            Failure::usage(
                "The JSON is no body of POST /v1/verify.",
                "docs/API.md and /openapi.json describe it.",
            )
        })
    }

    fn ask(self) -> Result<Ask, Failure> {
        let key = self.key()?;
        let Self { request, needs: asked, .. } = self;
        Ok(Ask {
            key,
            project: request.project,
            environment: request.environment,
            ip: request.ip,
            method: request.method.map(|method| method.to_ascii_uppercase()),
            path: request.path,
            origin: request.origin,
            user_agent: request.user_agent,
            resource: asked.resource,
            permissions: asked.permissions_json.or_else(|| needs(&asked.permission, &asked.any_permission)),
            cost: request.cost,
            tags: request.tag,
            include: request.include,
            explain: request.explain,
        })
    }

    fn key(&self) -> Result<String, Failure> {
        let key = input::key(self.key_file.as_ref(), Some("KEYSTEAD_VERIFY_KEY"), "Key to verify")?;
        Ok(key.expose().to_owned())
    }
}

async fn batch(asks: &VerifyBatch, session: &Session) -> Outcome {
    let verdicts = session.client.verify_batch(asks).await?;
    let shown = if session.output.is_json() {
        session.output.json(&verdicts)
    } else {
        present::batch(&verdicts, &session.output)
    };
    match shown {
        Ok(()) | Err(Failure::PipeClosed) => Ok(exit_of_all(&verdicts.items)),
        Err(failure) => Err(failure),
    }
}

/// An unknown state is no refusal: a script must be able to tell them apart.
fn exit_of(code: Code) -> Exit {
    match code {
        Code::Valid => Exit::Done,
        Code::Unavailable => Exit::Unreachable,
        _ => Exit::Refused,
    }
}

/// Refused when one was refused, else unavailable when one was, else done.
fn exit_of_all(verdicts: &[Verification]) -> Exit {
    let exits = || verdicts.iter().map(|verdict| exit_of(verdict.code));
    let any = |exit| exits().any(|one| one == exit).then_some(exit);
    any(Exit::Refused).or_else(|| any(Exit::Unreachable)).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Cli, ClientCommand, client_command};
    use clap::Parser;
    use std::path::PathBuf;

    fn parsed(flags: &[&str]) -> Verify {
        let arguments = ["keystead", "verify"].iter().chain(flags);
        let ClientCommand::Verify(verify) = client_command(arguments) else { panic!() };
        *verify
    }

    #[test]
    fn every_field_of_a_request_is_reachable_by_flags() {
        let file = std::env::temp_dir().join(format!("keystead-verify-{}", std::process::id()));
        std::fs::write(&file, "the_key\n").unwrap();
        let mut verify = parsed(&[
            "-p",
            "acme",
            "-e",
            "production",
            "--ip",
            "192.0.2.7",
            "--method",
            "get",
            "--path",
            "/v1",
            "--origin",
            "https://a.example",
            "--user-agent",
            "curl",
            "--resource",
            "networks/NET-7",
            "--permission",
            "a.read",
            "--any-permission",
            "b.read",
            "--any-permission",
            "c.read",
            "--cost",
            "3",
            "--tag",
            "x,y",
            "--include",
            "metadata",
            "--explain",
        ]);
        verify.key_file = Some(Source::File(file.clone()));
        let ask = serde_json::to_value(verify.ask().unwrap()).unwrap();
        std::fs::remove_file(file).unwrap();
        let expected = serde_json::json!({
            "key": "the_key", "project": "acme", "environment": "production", "ip": "192.0.2.7", "method": "GET",
            "path": "/v1", "origin": "https://a.example", "user_agent": "curl", "resource": "networks/NET-7",
            "permissions": {"all": ["a.read", {"any": ["b.read", "c.read"]}]}, "cost": 3, "tags": ["x", "y"],
            "include": ["metadata"], "explain": true
        });
        assert_eq!(ask, expected);
    }

    #[test]
    fn needs_can_be_nested() {
        let verify = parsed(&["--permissions-json", r#"{"any":["a",{"all":["b","c"]}]}"#]);
        assert!(matches!(verify.needs.permissions_json, Some(PermissionQuery::Any(_))));
    }

    #[test]
    fn a_batch_excludes_what_belongs_to_one_request() {
        for flag in [["--project", "x"], ["--permission", "x"], ["--from-json", "x"], ["--key-file", "x"]] {
            let arguments = ["keystead", "verify", "--batch", "x.json"].iter().chain(&flag);
            assert!(Cli::try_parse_from(arguments).is_err(), "{flag:?}");
        }
        assert_eq!(parsed(&["--batch", "x.json"]).batch, Some(Source::File(PathBuf::from("x.json"))));
    }

    #[test]
    fn every_verdict_has_its_exit_code() {
        for code in Code::ALL {
            let expected = match code {
                Code::Valid => Exit::Done,
                Code::Unavailable => Exit::Unreachable,
                _ => Exit::Refused,
            };
            assert_eq!(exit_of(code), expected, "{code}");
        }
    }
}
