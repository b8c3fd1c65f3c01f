//! `keystead service-accounts`: programs of the organization's own.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::ceiling::{Ceiling, NoCeiling, ceiling_cell};
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven, InProject};
use crate::output::Present;
use crate::output::table::{Cell, state};
use crate::session::{Session, not_empty};
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreateServiceAccount, ServiceAccount, UpdateServiceAccount};

/// Service accounts: programs of the organization's own, who own keys
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead service-accounts list --project acme
  keystead service-accounts create --project acme --name importer \\
      --ceiling routes.*")]
pub(crate) enum ServiceAccounts {
    /// List service accounts
    #[command(
        after_help = "Examples:\n  keystead service-accounts list --project acme\n  keystead service-accounts list -p acme --all --json"
    )]
    List {
        #[command(flatten)]
        project: InProject,
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a service account
    #[command(after_help = "Examples:\n  keystead service-accounts show --project acme importer")]
    Show {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        account: String,
    },
    Update(Update),
    /// Delete a service account
    #[command(after_help = "Examples:\n  keystead service-accounts delete --project acme importer")]
    Delete {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        account: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make a service account
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead service-accounts create --project acme --name importer \\
      --description 'Nightly import'
  keystead service-accounts create -p acme --name importer \\
      --ceiling 'routes.*,zones.read'
  keystead service-accounts create -p acme --from-json account.json")]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    ceiling: Ceiling,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// a-z, 0-9, -, _, 1 to 64 characters; never changes
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// What it is
    #[arg(long)]
    description: Option<String>,
}

/// Change a service account
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead service-accounts update --project acme importer --disabled true
  keystead service-accounts update -p acme importer --ceiling routes.read
  keystead service-accounts update -p acme importer --no-ceiling")]
pub(crate) struct Update {
    #[command(flatten)]
    project: InProject,
    /// Its id or name
    account: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    ceiling: Ceiling,
    #[command(flatten)]
    json: FromJson,
    #[command(flatten)]
    expecting: Expecting,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct UpdateFlags {
    /// A new description
    #[arg(long)]
    description: Option<String>,
    /// true stops all of its keys, false restarts them
    #[arg(long, value_name = "BOOL")]
    disabled: Option<bool>,
    #[command(flatten)]
    no_ceiling: NoCeiling,
}

impl ServiceAccounts {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { project, paging } => {
                let fetch = async |page| session.client.list_service_accounts(&project.project, &page).await;
                session.list(&paging, fetch).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project, account } => {
                session.show(&session.client.service_account(&project.project, &account).await?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { project, account, expecting } => {
                session.client.delete_service_account(&project.project, &account, expecting.if_match).await?;
                session.deleted(&format!("Deleted service account {account}."))
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let new = match self.json.body()? {
            Some(new) => new,
            None => {
                let CreateFlags { name, description } = self.flags;
                let (name, description) = (name.unwrap_or_default(), description.unwrap_or_default());
                CreateServiceAccount { name, description, ceiling: self.ceiling.given() }
            }
        };
        let made = session.client.create_service_account(&project, &new).await?;
        let next = format!(
            "Next: keystead keys create --project {project} --environment production --name NAME --owner {}",
            made.name
        );
        session.changed(&made, &format!("Created service account {}.", made.name), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let UpdateFlags { description, disabled, no_ceiling } = self.flags;
                UpdateServiceAccount { description, ceiling: no_ceiling.or(self.ceiling), disabled }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.service_account(&project, &self.account).await?.version,
        };
        let changed =
            session.client.update_service_account(&project, &self.account, &changes, Some(version)).await?;
        session.changed(
            &changed,
            &format!("Changed service account {}.", changed.name),
            "Its keys follow on their next request.",
        )
    }
}

impl Present for ServiceAccount {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "STATE", "CEILING", "DESCRIPTION"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            state(self.disabled),
            ceiling_cell(self.ceiling.as_deref()).shortened(48),
            Cell::from(self.description.as_str()).shortened(48),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("state", state(self.disabled)),
            ("description", Cell::maybe(Some(&self.description))),
            ("ceiling", ceiling_cell(self.ceiling.as_deref())),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
