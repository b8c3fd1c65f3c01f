//! `keystead organizations`: tenants of an installation, for its operator.

use crate::exit::{Exit, Outcome};
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::{Args, Subcommand};
use keystead_sdk::api::{CreateOrganization, Organization};

/// Organizations: tenants of an installation, for its operator
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead organizations list
  keystead organizations create --name 'Example Ltd' --slug example")]
pub(crate) enum Organizations {
    /// List organizations
    #[command(after_help = "Examples:\n  keystead organizations list --json")]
    List(Paging),
    Create(Create),
    /// Show an organization
    #[command(after_help = "Examples:\n  keystead organizations show example")]
    Show {
        /// Its id or slug
        organization: String,
    },
}

/// Make an organization and print its administrator's key, once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead organizations create --name 'Example Ltd' --slug example
  keystead organizations create --from-json organization.json --json")]
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
    /// For URLs: a-z, 0-9, -, 1 to 64 characters
    #[arg(long, required_unless_present = "from_json")]
    slug: Option<String>,
}

impl Organizations {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List(paging) => {
                session.list(&paging, async |page| session.client.list_organizations(&page).await).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { organization } => session.show(&session.client.organization(&organization).await?),
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let CreateFlags { name, slug } = self.flags;
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateOrganization { name: name.unwrap_or_default(), slug: slug.unwrap_or_default() },
        };
        let created = session.client.create_organization(&new).await?;
        if session.output.is_json() {
            session.output.json(&created)?;
            return Ok(Exit::Done);
        }
        let slug = &created.organization.slug;
        session
            .output
            .note(&format!("Created organization {slug}; its administrator's key is {}.", created.key_id));
        session
            .output
            .warning("The key is shown only now: hand it to the administrator over a safe channel.");
        session.output.note("Next: keystead login, with that key");
        session.output.secret(&created.key)?;
        Ok(Exit::Done)
    }
}

impl Present for Organization {
    const HEADINGS: &'static [&'static str] = &["ID", "SLUG", "NAME", "CREATED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.slug.as_str().into(),
            Cell::from(self.name.as_str()).shortened(48),
            Cell::time(Some(self.created_at)),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("slug", self.slug.as_str().into()),
            ("name", self.name.as_str().into()),
            ("created", Cell::time(Some(self.created_at))),
        ]
    }
}
