//! `keystead permissions`: a project's catalogue.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven, InProject};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::{Session, not_empty};
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreatePermission, Permission, UpdatePermission};

/// Permissions: a project's catalogue of what keys may be allowed
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead permissions list --project acme
  keystead permissions create --project acme --name routes.read \\
      --description 'Read routes'")]
pub(crate) enum Permissions {
    /// List permissions
    #[command(
        after_help = "Examples:\n  keystead permissions list --project acme\n  keystead permissions list -p acme --all --json"
    )]
    List {
        #[command(flatten)]
        project: InProject,
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a permission
    #[command(after_help = "Examples:\n  keystead permissions show --project acme routes.read")]
    Show {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        permission: String,
    },
    Update(Update),
    /// Delete a permission
    #[command(after_help = "Examples:\n  keystead permissions delete --project acme routes.read")]
    Delete {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        permission: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make a permission
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead permissions create --project acme --name routes.read \\
      --description 'Read routes' --public-safe
  keystead permissions create -p acme --name billing.refund --sensitive
  keystead permissions create -p acme --from-json permission.json")]
pub(crate) struct Create {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// Dotted: routes.read; never changes
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// What it lets its holder do
    #[arg(long)]
    description: Option<String>,
    /// Keys that are meant to be seen may hold it
    #[arg(long)]
    public_safe: bool,
    /// It deserves extra care when it is given
    #[arg(long)]
    sensitive: bool,
}

/// Change a permission
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead permissions update --project acme routes.read \\
      --description 'Read and search routes'
  keystead permissions update -p acme billing.refund --sensitive true")]
pub(crate) struct Update {
    #[command(flatten)]
    project: InProject,
    /// Its id or name
    permission: String,
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
    /// A new description
    #[arg(long)]
    description: Option<String>,
    /// Whether keys that are meant to be seen may hold it
    #[arg(long, value_name = "BOOL")]
    public_safe: Option<bool>,
    /// Whether it deserves extra care when it is given
    #[arg(long, value_name = "BOOL")]
    sensitive: Option<bool>,
}

impl Permissions {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { project, paging } => {
                let fetch = async |page| session.client.list_permissions(&project.project, &page).await;
                session.list(&paging, fetch).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project, permission } => {
                session.show(&session.client.permission(&project.project, &permission).await?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { project, permission, expecting } => {
                session.client.delete_permission(&project.project, &permission, expecting.if_match).await?;
                session.deleted(&format!("Deleted permission {permission}."))
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
                let CreateFlags { name, description, public_safe, sensitive } = self.flags;
                let (name, description) = (name.unwrap_or_default(), description.unwrap_or_default());
                CreatePermission { name, description, public_safe, sensitive }
            }
        };
        let made = session.client.create_permission(&project, &new).await?;
        let next = format!(
            "Next: keystead roles create --project {project} --name reader --permission {}",
            made.name
        );
        session.changed(&made, &format!("Created permission {}.", made.name), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let UpdateFlags { description, public_safe, sensitive } = self.flags;
                UpdatePermission { description, public_safe, sensitive }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.permission(&project, &self.permission).await?.version,
        };
        let changed =
            session.client.update_permission(&project, &self.permission, &changes, Some(version)).await?;
        session.changed(&changed, &format!("Changed permission {}.", changed.name), "")
    }
}

impl Present for Permission {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "PUBLIC-SAFE", "SENSITIVE", "DESCRIPTION"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            yes_or_no(self.public_safe),
            yes_or_no(self.sensitive),
            Cell::from(self.description.as_str()).shortened(60),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("description", Cell::maybe(Some(&self.description))),
            ("public-safe", yes_or_no(self.public_safe)),
            ("sensitive", yes_or_no(self.sensitive)),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}

fn yes_or_no(value: bool) -> Cell {
    Cell::from(if value { "yes" } else { "no" })
}
