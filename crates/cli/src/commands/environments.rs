//! `keystead environments`: where keys are valid.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven, InProject};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::{Session, not_empty};
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreateEnvironment, Environment, UpdateEnvironment};

/// Environments: where keys are valid (production, development, …)
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead environments list --project acme
  keystead environments create --project acme --name Production \\
      --slug production")]
pub(crate) enum Environments {
    /// List environments
    #[command(
        after_help = "Examples:\n  keystead environments list --project acme\n  keystead environments list -p acme --all --json"
    )]
    List {
        #[command(flatten)]
        project: InProject,
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show an environment
    #[command(after_help = "Examples:\n  keystead environments show --project acme staging")]
    Show {
        #[command(flatten)]
        project: InProject,
        /// Its id or slug
        environment: String,
    },
    Update(Update),
    /// Delete an environment
    #[command(after_help = "Examples:\n  keystead environments delete --project acme staging")]
    Delete {
        #[command(flatten)]
        project: InProject,
        /// Its id or slug
        environment: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make an environment
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead environments create --project acme --name Production \\
      --slug production
  keystead environments create -p acme --name 'Load tests' --slug load-tests \\
      --tag load
  keystead environments create -p acme --from-json environment.json")]
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
    /// For people, 1 to 128 characters
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// For URLs: a-z, 0-9, -, 1 to 64 characters; never changes
    #[arg(long, required_unless_present = "from_json")]
    slug: Option<String>,
    /// Stands in its keys: a-z, 0-9; by default live, test, dev or the slug; never changes
    #[arg(long)]
    tag: Option<String>,
}

/// Change an environment
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead environments update --project acme staging --name 'Staging (EU)'")]
pub(crate) struct Update {
    #[command(flatten)]
    project: InProject,
    /// Its id or slug
    environment: String,
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
    /// A new name
    #[arg(long)]
    name: Option<String>,
}

impl Environments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { project, paging } => {
                let fetch = async |page| session.client.list_environments(&project.project, &page).await;
                session.list(&paging, fetch).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project, environment } => {
                session.show(&session.client.environment(&project.project, &environment).await?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { project, environment, expecting } => {
                session.client.delete_environment(&project.project, &environment, expecting.if_match).await?;
                session.deleted(&format!("Deleted environment {environment}."))
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
                let CreateFlags { name, slug, tag } = self.flags;
                CreateEnvironment { name: name.unwrap_or_default(), slug: slug.unwrap_or_default(), tag }
            }
        };
        let made = session.client.create_environment(&project, &new).await?;
        let next = format!(
            "Next: keystead permissions create --project {project} --name routes.read --description 'Read routes'"
        );
        session.changed(&made, &format!("Created environment {}.", made.slug), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let project = self.project.project;
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => UpdateEnvironment { name: self.flags.name },
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.environment(&project, &self.environment).await?.version,
        };
        let changed =
            session.client.update_environment(&project, &self.environment, &changes, Some(version)).await?;
        session.changed(&changed, &format!("Changed environment {}.", changed.slug), "")
    }
}

impl Present for Environment {
    const HEADINGS: &'static [&'static str] = &["ID", "SLUG", "NAME", "TAG", "CREATED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.slug.as_str().into(),
            Cell::from(self.name.as_str()).shortened(48),
            self.tag.as_str().into(),
            Cell::time(Some(self.created_at)),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("slug", self.slug.as_str().into()),
            ("name", self.name.as_str().into()),
            ("tag in keys", self.tag.as_str().into()),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
