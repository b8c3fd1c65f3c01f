//! `keystead teams`: what members may do together, and who is in them.

use crate::exit::{Exit, Outcome};
use crate::flags::authority::{Authority, authority_text};
use crate::flags::body::FromJson;
use crate::flags::paging::Paging;
use crate::flags::project::{Expecting, ExpectingIfGiven};
use crate::output::Present;
use crate::output::table::{Cell, Tone, state};
use crate::session::{Session, cleared, not_empty, replaced};
use clap::{Args, Subcommand};
use keystead_sdk::api::{ContactState, CreateTeam, Team, TeamMember, TeamMembers, UpdateTeam};

/// Teams: what members may do together, and who is in them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead teams list
  keystead teams create --name routing --role registry:routing \\
      --contact routing@example.net
  keystead teams add routing ann@example.net
  keystead teams remove routing ann@example.net")]
pub(crate) enum Teams {
    /// List teams
    #[command(after_help = "Examples:\n  keystead teams list\n  keystead teams list --all --json")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    Create(Create),
    /// Show a team
    #[command(after_help = "Examples:\n  keystead teams show routing")]
    Show {
        /// Its id or name
        team: String,
    },
    /// List who is or was in a team
    #[command(after_help = "Examples:\n  keystead teams members routing")]
    Members {
        /// Its id or name
        team: String,
    },
    /// Put a member in a team
    #[command(after_help = "Examples:\n  keystead teams add routing ann@example.net")]
    Add {
        /// The team's id or name
        team: String,
        /// The member's id or e-mail address
        member: String,
    },
    /// Take a member out of a team; keys made in its name stop on the next request
    #[command(after_help = "Examples:\n  keystead teams remove routing ann@example.net")]
    Remove {
        /// The team's id or name
        team: String,
        /// The member's id or e-mail address; `me` is yourself
        member: String,
    },
    Update(Update),
    /// Delete a team in whose name no key was made
    #[command(after_help = "Examples:\n  keystead teams delete routing")]
    Delete {
        /// Its id or name
        team: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

/// Make a team
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead teams create --name routing --role registry:routing \\
      --permission keys.own@projects/registry
  keystead teams create --name noc --purpose 'Watches the network' \\
      --contact noc@example.net --permission registry:**.read
  keystead teams create --from-json team.json")]
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
    /// a-z, 0-9, -, _, 1 to 64 characters; never changes
    #[arg(long, required_unless_present = "from_json")]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    purpose: Option<String>,
    /// The e-mail address that all of it reads
    #[arg(long)]
    contact: Option<String>,
    /// Let anybody look the contact up, once it is verified
    #[arg(long)]
    listed: bool,
}

/// Change a team
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead teams update routing --role registry:routing
  keystead teams update routing --contact routing@example.net --listed
  keystead teams update routing --no-grants")]
pub(crate) struct Update {
    /// Its id or name
    team: String,
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
    /// A new purpose
    #[arg(long)]
    purpose: Option<String>,
    /// A new contact
    #[arg(long)]
    contact: Option<String>,
    /// Remove the contact
    #[arg(long, conflicts_with = "contact")]
    no_contact: bool,
    /// Let anybody look the contact up while it is verified
    #[arg(long, conflicts_with = "unlisted")]
    listed: bool,
    /// Let nobody look the contact up
    #[arg(long)]
    unlisted: bool,
    /// Take away all that it may do
    #[arg(long, conflicts_with_all = ["permission", "role"])]
    no_grants: bool,
}

impl Teams {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        match self {
            Self::List { paging } => session.list(&paging, async |page| client.list_teams(&page).await).await,
            Self::Create(create) => create.run(session).await,
            Self::Show { team } => session.show(&client.team(&team).await?),
            Self::Members { team } => show_members(session, &client.team_members(&team).await?),
            Self::Add { team, member } => {
                let members = client.join_team(&team, &member).await?;
                session.output.note(&format!("{member} is in {team}. What it may do, they may from now on."));
                show_members(session, &members)
            }
            Self::Remove { team, member } => {
                client.leave_team(&team, &member).await?;
                session
                    .deleted(&format!("{member} left {team}. Keys that they made in its name have stopped."))
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { team, expecting } => {
                client.delete_team(&team, expecting.if_match).await?;
                session.deleted(&format!("Deleted team {team}."))
            }
        }
    }
}

fn contact_state(state: ContactState) -> Cell {
    match state {
        ContactState::Unverified => Cell::new("unverified", Tone::Faint),
        ContactState::Verified => "verified".into(),
        ContactState::Lapsed => Cell::new("lapsed: ask it again", Tone::Faint),
    }
}

fn show_members(session: &Session, members: &TeamMembers) -> Outcome {
    if session.output.is_json() {
        session.output.json(members)?;
    } else if members.members.is_empty() {
        session.output.note("Nobody is in it.");
    } else {
        let rows: Vec<_> = members.members.iter().map(row).collect();
        session.output.columns(&["MEMBER", "E-MAIL", "NAME", "STATE", "SINCE", "LEFT"], &rows)?;
    }
    Ok(Exit::Done)
}

fn row(member: &TeamMember) -> Vec<Cell> {
    vec![
        member.member.as_str().into(),
        member.email.as_str().into(),
        member.name.as_str().into(),
        if member.left_at.is_some() { Cell::new("left", Tone::Faint) } else { state(member.disabled) },
        Cell::time(Some(member.since)),
        Cell::time(member.left_at),
    ]
}

impl Create {
    async fn run(self, session: &Session) -> Outcome {
        let new = match self.json.body()? {
            Some(new) => new,
            None => CreateTeam {
                name: self.flags.name.unwrap_or_default(),
                purpose: self.flags.purpose.unwrap_or_default(),
                contact: self.flags.contact,
                listed: self.flags.listed,
                grants: self.authority.grants(),
            },
        };
        let made = session.client.create_team(&new).await?;
        let next = format!("Next: keystead teams add {} MEMBER", made.name);
        session.changed(&made, &format!("Created team {}.", made.name), &next)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Outcome {
        let changes = match self.json.body()? {
            Some(changes) => changes,
            None => {
                let UpdateFlags { purpose, contact, no_contact, listed, unlisted, no_grants } = self.flags;
                UpdateTeam {
                    purpose,
                    contact: cleared(no_contact, contact),
                    listed: (listed || unlisted).then_some(listed),
                    grants: replaced(no_grants, self.authority.grants()),
                }
            }
        };
        let changes = not_empty(changes)?;
        let version = match self.expecting.if_match {
            Some(version) => version,
            None => session.client.team(&self.team).await?.version,
        };
        let changed = session.client.update_team(&self.team, &changes, Some(version)).await?;
        session.changed(
            &changed,
            &format!("Changed team {}.", changed.name),
            "All that is done in its name follows on the next request.",
        )
    }
}

impl Present for Team {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "CONTACT", "MAY DO", "PURPOSE"];

    fn row(&self) -> Vec<Cell> {
        let grants: Vec<String> = self.grants.iter().map(authority_text).collect();
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            Cell::maybe(self.contact.as_deref()),
            Cell::list(&grants).shortened(48),
            Cell::from(self.purpose.as_str()).shortened(48),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let grants: Vec<String> = self.grants.iter().map(authority_text).collect();
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("purpose", Cell::maybe(Some(&self.purpose))),
            ("contact", Cell::maybe(self.contact.as_deref())),
            ("contact is", self.contact_state.map_or(Cell::maybe(None), contact_state)),
            ("verified", Cell::time(self.contact_verified_at)),
            ("listed", if self.listed { "yes" } else { "no" }.into()),
            ("may do", Cell::list(&grants)),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}
