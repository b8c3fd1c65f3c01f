//! Writing and changing policies.

use crate::exit::{Failure, Outcome};
use crate::flags::body::{FromJson, Source};
use crate::flags::project::Expecting;
use crate::session::{Session, not_empty};
use clap::Args;
use keystead_sdk::api::{CreatePolicy, UpdatePolicy};

/// The longest text that is read, in bytes: the server's limit.
pub(super) const TEXT_BYTES_MAX: u64 = 16_384;

/// Write a policy: 1 to 16 Cedar forbids
///
/// It holds for the next request. Try it first: keystead policies test.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead policies create --name night --file night.cedar \\
      --description 'No deletions at night'
  keystead policies create --name ci --project registry --file -
  keystead policies create --from-json policy.json")]
pub(crate) struct Create {
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// a-z, 0-9, -, _, 1 to 64 characters
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// The file with its text; `-` reads standard input
    #[arg(long, value_name = "FILE|-", required_unless_present = "from_json")]
    file: Option<Source>,
    /// Only for this project, by id or slug; the whole organization, if not given
    #[arg(long)]
    project: Option<String>,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// Keep it out of force for now
    #[arg(long)]
    disabled: bool,
}

/// Change a policy
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead policies update night --file night.cedar
  keystead policies update night --enabled false")]
pub(crate) struct Update {
    /// Its id or name
    policy: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct UpdateFlags {
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// The file with its whole new text; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    file: Option<Source>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// Whether it is in force
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

fn text(source: Option<Source>) -> Result<Option<String>, Failure> {
    source.map(|source| source.read(TEXT_BYTES_MAX)).transpose()
}

impl Create {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreatePolicy {
                name: self.flags.name.unwrap_or_default(),
                project: self.flags.project,
                description: self.flags.description,
                text: text(self.flags.file)?.unwrap_or_default(),
                enabled: !self.flags.disabled,
            },
        };
        let made = session.client.create_policy(&new).await?;
        let next = if made.enabled { "It is in force." } else { "It is not in force." };
        session.changed(&made, &format!("Created policy {}.", made.name), next)
    }
}

impl Update {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => UpdatePolicy {
                name: self.flags.name,
                description: self.flags.description,
                text: text(self.flags.file)?,
                enabled: self.flags.enabled,
            },
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.policy(&self.policy).await?.version,
        };
        let changed = session.client.update_policy(&self.policy, &changes, Some(version)).await?;
        let next = if changed.enabled { "It is in force." } else { "It is not in force." };
        session.changed(&changed, &format!("Changed policy {}.", changed.name), next)
    }
}
