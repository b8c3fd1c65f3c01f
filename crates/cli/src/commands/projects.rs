//! `keystead projects`: what teams work on.

use crate::exit::Outcome;
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::flags::project::Expecting;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::{Session, not_empty};
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreateProject, Project, UpdateProject};

/// Projects: each protects an API, so it issues keys
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead projects list
  keystead projects create --name 'Acme Maps' --slug acme")]
pub(crate) enum Projects {
    /// List projects
    #[command(after_help = "Examples:\n  keystead projects list\n  keystead projects list --all --json")]
    List(Paging),
    Create(Create),
    /// Show a project
    #[command(after_help = "Examples:\n  keystead projects show acme")]
    Show {
        /// Its id or slug
        project: String,
    },
    Update(Update),
}

/// Make a project
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead projects create --name 'Acme Maps' --slug acme
  keystead projects create --name 'Acme Maps' --slug acme-maps --prefix acme
  keystead projects create --from-json project.json")]
pub(crate) struct Create {
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
    /// How its keys begin: a-z, 0-9, _; by default the slug
    #[arg(long)]
    prefix: Option<String>,
}

/// Change a project
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead projects update acme --name 'Acme Maps and Routes'
  keystead projects update acme --prefix maps --if-match 3")]
pub(crate) struct Update {
    /// Its id or slug
    project: String,
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
    /// A new prefix for keys made from now on; keys that exist keep theirs
    #[arg(long)]
    prefix: Option<String>,
}

impl Projects {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List(paging) => {
                session.list(&paging, async |page| session.client.list_projects(&page).await).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { project } => session.show(&session.client.project(&project).await?),
            Self::Update(update) => update.run(session).await,
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let CreateFlags { name, slug, prefix } = self.flags;
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateProject { name: name.unwrap_or_default(), slug: slug.unwrap_or_default(), prefix },
        };
        let made = session.client.create_project(&new).await?;
        let next = format!(
            "Next: keystead environments create --project {} --name Production --slug production",
            made.slug
        );
        session.changed(&made, &format!("Created project {}.", made.slug), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let UpdateFlags { name, prefix } = self.flags;
        let changes = not_empty(self.json.body()?.unwrap_or(UpdateProject { name, prefix }))?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.project(&self.project).await?.version,
        };
        let changed = session.client.update_project(&self.project, &changes, Some(version)).await?;
        session.changed(&changed, &format!("Changed project {}.", changed.slug), "")
    }
}

impl Present for Project {
    const HEADINGS: &'static [&'static str] = &["ID", "SLUG", "NAME", "PREFIX", "CREATED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.slug.as_str().into(),
            Cell::from(self.name.as_str()).shortened(48),
            self.prefix.as_str().into(),
            Cell::time(Some(self.created_at)),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("slug", self.slug.as_str().into()),
            ("name", self.name.as_str().into()),
            ("prefix", self.prefix.as_str().into()),
            ("guards Keystead's own API", Cell::from(if self.system { "yes" } else { "no" })),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
