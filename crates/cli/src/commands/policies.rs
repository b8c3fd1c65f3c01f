//! `keystead policies`: what an organization forbids in Cedar, beyond permissions and restrictions.

mod present;
mod test;
mod write;

use crate::exit::{Exit, Outcome};
use crate::flags::paging::Paging;
use crate::flags::project::ExpectingIfGiven;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::PolicyQuery;
use test::Test;
use write::{Create, Update};

/// Policies in Cedar: forbid what permissions would let pass
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead policies schema
  keystead policies test --policy night.cedar --cases night.toml
  keystead policies create --name night --file night.cedar
  keystead policies list

docs/POLICIES.md has policies that many need.")]
pub(crate) enum Policies {
    /// List policies, newest first
    #[command(after_help = "Examples:
  keystead policies list
  keystead policies list --project registry --json")]
    List {
        /// Only those for this project, by id or slug
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a policy
    #[command(after_help = "Examples:\n  keystead policies show night")]
    Show {
        /// Its id or name
        policy: String,
    },
    Create(Box<Create>),
    Update(Box<Update>),
    /// Delete a policy: what it forbade is possible again
    #[command(after_help = "Examples:\n  keystead policies delete night")]
    Delete {
        /// Its id or name
        policy: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
    Test(Box<Test>),
    /// Show what policies may speak about, as a Cedar schema
    #[command(after_help = "Examples:
  keystead policies schema
  keystead policies schema --json")]
    Schema,
}

impl Policies {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        match self {
            Self::List { project, paging } => {
                let list = async |page: keystead_sdk::api::PageQuery| {
                    let (limit, cursor) = (page.limit, page.cursor);
                    client.list_policies(&PolicyQuery { project: project.clone(), limit, cursor }).await
                };
                session.list(&paging, list).await
            }
            Self::Show { policy } => {
                let policy = client.policy(&policy).await?;
                session.output.one(&policy)?;
                if !session.output.is_json() {
                    session.output.data(&format!("\n{}\n", policy.text.trim_end()))?;
                }
                Ok(Exit::Done)
            }
            Self::Create(create) => create.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete { policy, expecting } => {
                client.delete_policy(&policy, expecting.if_match).await?;
                session.deleted(&format!("Deleted policy {policy}: what it forbade is possible again."))
            }
            Self::Test(test) => test.run(session).await,
            Self::Schema => {
                let schema = client.policy_schema().await?;
                if session.output.is_json() {
                    session.output.json(&schema)?;
                } else {
                    session.output.data(&schema.schema)?;
                }
                Ok(Exit::Done)
            }
        }
    }
}
