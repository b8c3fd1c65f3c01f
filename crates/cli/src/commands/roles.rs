//! `keystead roles`: named sets of permissions.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven, InProject};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::{Session, not_empty, replaced};
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreateRole, Role, UpdateRole};

/// Roles: named sets of permissions
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead roles list --project acme
  keystead roles create --project acme --name editor --permission routes.*")]
pub(crate) enum Roles {
    /// List roles
    #[command(
        after_help = "Examples:\n  keystead roles list --project acme\n  keystead roles list -p acme --all --json"
    )]
    List {
        #[command(flatten)]
        project: InProject,
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a role
    #[command(after_help = "Examples:\n  keystead roles show --project acme editor")]
    Show {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        role: String,
    },
    Update(Update),
    /// Delete a role
    #[command(after_help = "Examples:\n  keystead roles delete --project acme editor")]
    Delete {
        #[command(flatten)]
        project: InProject,
        /// Its id or name
        role: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make a role
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead roles create --project acme --name editor \\
      --permission routes.read --permission routes.write
  keystead roles create -p acme --name reader --permission '*.read' \\
      --description 'Reads everything'
  keystead roles create -p acme --from-json role.json")]
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
    /// a-z, 0-9, -, _, 1 to 64 characters; never changes
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// A permission of the catalogue, or a pattern: routes.*, **; repeat it for more
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    permission: Vec<String>,
}

/// Change a role
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead roles update --project acme editor --permission 'routes.*'
  keystead roles update -p acme editor --description 'Edits routes'")]
pub(crate) struct Update {
    #[command(flatten)]
    project: InProject,
    /// Its id or name
    role: String,
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
    /// The whole new set of permissions; repeat it for more
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    permission: Vec<String>,
    /// Take every permission away
    #[arg(long, conflicts_with = "permission")]
    no_permissions: bool,
}

impl Roles {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { project, paging } => {
                let fetch = async |page| session.client.list_roles(&project.project, &page).await;
                session.list(&paging, fetch).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project, role } => {
                session.show(&session.client.role(&project.project, &role).await?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { project, role, expecting } => {
                session.client.delete_role(&project.project, &role, expecting.if_match).await?;
                session.deleted(&format!("Deleted role {role}."))
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
                let CreateFlags { name, description, permission } = self.flags;
                let (name, description) = (name.unwrap_or_default(), description.unwrap_or_default());
                CreateRole { name, description, permissions: permission }
            }
        };
        let made = session.client.create_role(&project, &new).await?;
        let next = format!(
            "Next: keystead keys create --project {project} --environment production --name NAME --role {}",
            made.name
        );
        session.changed(&made, &format!("Created role {}.", made.name), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let UpdateFlags { description, permission, no_permissions } = self.flags;
                UpdateRole { description, permissions: replaced(no_permissions, permission) }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.role(&project, &self.role).await?.version,
        };
        let changed = session.client.update_role(&project, &self.role, &changes, Some(version)).await?;
        session.changed(
            &changed,
            &format!("Changed role {}.", changed.name),
            "Every key that holds it follows on its next request.",
        )
    }
}

impl Present for Role {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "PERMISSIONS", "DESCRIPTION"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            Cell::list(&self.permissions).shortened(60),
            Cell::from(self.description.as_str()).shortened(48),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("description", Cell::maybe(Some(&self.description))),
            ("permissions", Cell::list(&self.permissions)),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
