//! `keystead guardrails set`: from flags, or whole from a file.

use super::rules::RuleFlags;
use super::{Whose, present};
use crate::exit::{Failure, Outcome};
use crate::flags::body::{FromJson, Source};
use crate::flags::project::Expecting;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::Guardrails;

/// The largest file that is read, in bytes: the server takes no larger body.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Set guardrails: flags change those that there are, a file replaces all
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guardrails set --project acme --lifetime-max 365d --dry-run
  keystead guardrails set --organization --keys-per-owner-max 50 \\
      --forbid 'admin.*' --networks-required private
  keystead guardrails set -p acme --default-limit default=600/1m
  keystead guardrails set -p acme --remove lifetime_max,kinds_allowed
  keystead guardrails set --organization --approve-sensitive every \\
      --approve-lifetime-over 90d
  keystead guardrails set --organization --from-toml guardrails.toml
A file in TOML, as docs/API.md describes the fields:
  prefixes_allowed = [\"acme\", \"acme_*\"]
  [every_kind]
  lifetime_max = \"365d\"
  [by_kind.private]
  networks_required = true")]
pub(crate) struct Set {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    flags: RuleFlags,
    #[command(flatten)]
    json: FromJson,
    /// The whole guardrails as TOML, instead of flags; `-` reads it from standard input
    #[arg(long, value_name = "FILE|-", conflicts_with = "from_json")]
    from_toml: Option<Source>,
    /// Say how many keys that exist would violate them, and set nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    expecting: Expecting,
}

impl Set {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let project = self.whose.project.as_deref();
        let current = session.client.guardrails(project).await?;
        let rules = match (self.json.body()?, &self.from_toml) {
            (Some(whole), _) => whole,
            (None, Some(source)) => toml(source)?,
            (None, None) => {
                let changed = self.flags.over(current.rules.clone());
                if changed == current.rules {
                    return Err(Failure::usage(
                        "There is nothing to change.",
                        "Name at least one change; --help lists them.",
                    ));
                }
                changed
            }
        };
        if self.dry_run {
            session.output.note("Nothing was set: this is what keys that exist would be.");
            return session.show(&session.client.preview_guardrails(project, &rules).await?);
        }
        let version = self.expecting.if_match.unwrap_or(current.version);
        let set = session.client.set_guardrails(project, &rules, Some(version)).await?;
        let next = match project {
            Some(project) => format!("Next: keystead guardrails report --project {project}"),
            None => "Next: keystead guardrails report --project PROJECT".to_owned(),
        };
        session.output.note(&format!("Set the guardrails; keys that exist stay as they are. {next}"));
        present::view(session, &set)
    }
}

fn toml(source: &Source) -> Result<Guardrails, Failure> {
    toml::from_str(&source.read(FILE_BYTES_MAX)?).map_err(|error| {
        let message = error.message();
        Failure::usage(
            format!("The TOML does not fit: {message}."),
            "docs/API.md describes the fields; keystead guardrails show --json shows those in force.",
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::arguments::{ClientCommand, client_command};
    use crate::commands::guardrails::Guardrails as Command;
    use keystead_sdk::api::Guardrails;
    use serde_json::{Value, json};

    fn over(current: Value, flags: &[&str]) -> Value {
        let words = ["keystead", "guardrails", "set", "--organization"];
        let command = client_command(words.iter().chain(flags));
        let ClientCommand::Guardrails(Command::Set(set)) = command else { panic!() };
        let current: Guardrails = serde_json::from_value(current).unwrap();
        serde_json::to_value(set.flags.over(current)).unwrap()
    }

    #[test]
    fn flags_replace_what_they_name_and_leave_the_rest() {
        let current = json!({"keys_per_owner_max": 5, "every_kind": {"permissions_forbidden": ["old"]}});
        let flags = [
            "--kind",
            "private",
            "--prefix",
            "acme,acme_*",
            "--default-limit",
            "a=5/1m",
            "--lifetime-max",
            "90d",
            "--lifetime-max",
            "private=30d",
            "--rotation-age-max",
            "60d",
            "--expiry-required",
            "every",
            "--networks-required",
            "private",
            "--limits-required",
            "private",
            "--approve-sensitive",
            "every",
            "--approve-without-networks",
            "private",
            "--approve-lifetime-over",
            "90d",
            "--forbid",
            "admin.*",
            "--forbid",
            "*.delete",
        ];
        let expected = json!({
            "kinds_allowed": ["private"], "prefixes_allowed": ["acme", "acme_*"], "keys_per_owner_max": 5,
            "limits_default": [{"name": "a", "limit": 5, "window": "1m"}],
            "every_kind": {"lifetime_max": "90d", "expiry_required": true, "rotation_age_max": "60d",
                "permissions_forbidden": ["admin.*", "*.delete"],
                "approval": {"sensitive_permissions": true, "lifetime_over": "90d"}},
            "by_kind": {"private": {"lifetime_max": "30d", "networks_required": true,
                "limits_required": true, "approval": {"without_networks": true}}},
        });
        assert_eq!(over(current, &flags), expected);
        assert_eq!(over(expected.clone(), &[]), expected);
    }

    #[test]
    fn each_guardrail_can_be_taken_away() {
        let rules = json!({"lifetime_max": "90d", "expiry_required": true, "networks_required": true,
            "limits_required": true, "permissions_forbidden": ["a"], "rotation_age_max": "1d",
            "approval": {"sensitive_permissions": true, "lifetime_over": "1d", "without_networks": true}});
        let all = json!({"kinds_allowed": [], "prefixes_allowed": [], "keys_per_owner_max": 1,
            "limits_default": [], "every_kind": rules, "by_kind": {"private": rules}});
        let names = "kinds_allowed,prefixes_allowed,keys_per_owner_max,limits_default,lifetime_max,\
            expiry_required,networks_required,limits_required,permissions_forbidden,rotation_age_max,approval_sensitive_permissions,\
            approval_lifetime_over,approval_without_networks";
        assert_eq!(over(all, &["--remove", names]), json!({}));
    }

    #[test]
    fn a_toml_file_is_read_as_the_api_writes_it() {
        let text = "prefixes_allowed = [\"acme\"]\n[every_kind]\nlifetime_max = \"1d\"\n[by_kind.private]\nexpiry_required = true\n";
        let read: Guardrails = toml::from_str(text).unwrap();
        let expected = json!({"prefixes_allowed": ["acme"], "every_kind": {"lifetime_max": "1d"},
            "by_kind": {"private": {"expiry_required": true}}});
        assert_eq!(serde_json::to_value(read).unwrap(), expected);
        assert!(toml::from_str::<Guardrails>("colour = 1").is_err());
    }
}
