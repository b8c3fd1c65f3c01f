//! `keystead members`: the people of the organization.

mod hand_over;

use crate::exit::Outcome;
use crate::flags::authority::{Authority, authority_text};
use crate::flags::body::FromJson;
use crate::flags::named::name;
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven};
use crate::output::Present;
use crate::output::table::{Cell, state};
use crate::session::{Session, not_empty, replaced};
use clap::{Args, Subcommand};
use hand_over::HandOver;
use keystead_sdk::api::{CreateMember, Member, OwnedKey, UpdateMember};

/// Members: the people of the organization, and what they may do
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead members list
  keystead members create --email ann@example.net --name Ann --team routing
  keystead members keys ann@example.net
  keystead members update ann@example.net --disabled true")]
pub(crate) enum Members {
    /// List members
    #[command(after_help = "Examples:\n  keystead members list\n  keystead members list --all --json")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a member
    #[command(after_help = "Examples:\n  keystead members show ann@example.net\n  keystead members show me")]
    Show {
        /// Its id or e-mail address; `me` is yourself
        member: String,
    },
    /// List the keys that a person owns, themselves and in teams' names: what stops with them
    #[command(after_help = "Examples:\n  keystead members keys ann@example.net\n  keystead members keys me")]
    Keys {
        /// Its id or e-mail address; `me` is yourself
        member: String,
    },
    HandOver(HandOver),
    Update(Update),
    /// Delete a member who owns no key
    #[command(after_help = "Examples:\n  keystead members delete ann@example.net")]
    Delete {
        /// Its id or e-mail address
        member: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Add a person to the organization
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead members create --email ann@example.net --name Ann --team routing
  keystead members create --email bob@example.net --name Bob \\
      --role key-manager --permission registry:zones.read
  keystead members create --from-json member.json")]
pub(crate) struct Create {
    #[command(flatten)]
    flags: CreateFlags,
    #[command(flatten)]
    authority: Authority,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct CreateFlags {
    /// Where the person is reached; what they sign in with
    #[arg(long, required_unless_present = "from_json")]
    email: Option<String>,
    /// The person's name
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// A team to put them in; repeat it for more
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    team: Vec<String>,
}

/// Change a member
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead members update ann@example.net --disabled true
  keystead members update ann@example.net --permission registry:routes.write
  keystead members update ann@example.net --no-grants")]
pub(crate) struct Update {
    /// Its id or e-mail address
    member: String,
    #[command(flatten)]
    flags: UpdateFlags,
    #[command(flatten)]
    authority: Authority,
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
    /// true stops everything of theirs, false restarts it
    #[arg(long, value_name = "BOOL")]
    disabled: Option<bool>,
    /// Take away all that they may do beside their teams
    #[arg(long, conflicts_with_all = ["permission", "role"])]
    no_grants: bool,
}

impl Members {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List { paging } => {
                session.list(&paging, async |page| session.client.list_members(&page).await).await
            }
            Self::Create(create) => create.run(session).await,
            Self::Show { member } => session.show(&session.client.member(&member).await?),
            Self::Keys { member } => {
                session.list(&Paging::default(), async |_| session.client.keys_of_member(&member).await).await
            }
            Self::HandOver(hand_over) => hand_over.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Delete { member, expecting } => {
                session.client.delete_member(&member, expecting.if_match).await?;
                session.deleted(&format!("Deleted member {member}."))
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateMember {
                email: self.flags.email.unwrap_or_default(),
                name: self.flags.name.unwrap_or_default(),
                grants: self.authority.grants(),
                teams: self.flags.team,
            },
        };
        let made = session.client.create_member(&new).await?;
        session.changed(
            &made,
            &format!("Added {}.", made.name),
            &format!("Next: keystead invitations create {}", made.email),
        )
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let UpdateFlags { name, disabled, no_grants } = self.flags;
                UpdateMember { name, disabled, grants: replaced(no_grants, self.authority.grants()) }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.member(&self.member).await?.version,
        };
        let changed = session.client.update_member(&self.member, &changes, Some(version)).await?;
        let next = if changed.disabled {
            format!(
                "Everything of theirs has stopped. Next: keystead members keys {} lists their keys.",
                changed.email
            )
        } else {
            "Everything of theirs follows on the next request.".into()
        };
        session.changed(&changed, &format!("Changed {}.", changed.name), &next)
    }
}

impl Present for Member {
    const HEADINGS: &'static [&'static str] = &["ID", "E-MAIL", "NAME", "STATE", "TEAMS"];

    fn row(&self) -> Vec<Cell> {
        let teams: Vec<&str> = self.teams.iter().map(|team| team.name.as_str()).collect();
        vec![
            self.id.as_str().into(),
            self.email.as_str().into(),
            self.name.as_str().into(),
            state(self.disabled),
            Cell::list(&teams).shortened(48),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let teams: Vec<&str> = self.teams.iter().map(|team| team.name.as_str()).collect();
        let grants: Vec<String> = self.grants.iter().map(authority_text).collect();
        vec![
            ("id", self.id.as_str().into()),
            ("e-mail", self.email.as_str().into()),
            ("name", self.name.as_str().into()),
            ("state", state(self.disabled)),
            ("disabled", Cell::time(self.disabled_at)),
            ("teams", Cell::list(&teams)),
            ("may do", Cell::list(&grants)),
            ("joined", Cell::time(self.joined_at)),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}

impl Present for OwnedKey {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "WHERE", "TEAM", "STATUS", "LAST USED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::from(self.name.as_str()).shortened(32),
            format!("{}/{}", self.project, self.environment).into(),
            Cell::maybe(self.team.as_ref().map(|team| team.name.as_str())),
            name(&self.status).into(),
            Cell::time(self.last_used_at),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("project", self.project.as_str().into()),
            ("environment", self.environment.as_str().into()),
            ("team", Cell::maybe(self.team.as_ref().map(|team| team.name.as_str()))),
            ("status", name(&self.status).into()),
            ("created", Cell::time(Some(self.created_at))),
            ("last used", Cell::time(self.last_used_at)),
        ]
    }
}
