//! `keystead approvals`: what needs another person's yes.

use crate::commands::keys::shown_once;
use crate::exit::Outcome;
use crate::flags::named::{name, named};
use crate::flags::paging::Paging;
use crate::output::Present;
use crate::output::table::{Cell, Tone};
use crate::session::Session;
use clap::{Args, Subcommand};
use keystead_sdk::api::{
    Approval, ApprovalQuery, ApprovalState, CreatedKey, DecideApproval, GuardrailViolation,
};

/// Approvals: keys that another person must approve
///
/// Ask with keystead keys create --ask-approval, or keystead keys update --ask-approval. To ask, to
/// decide and to redeem you must have signed in: keystead sign-in.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead approvals list --state pending
  keystead approvals approve apr_4fGhX2abcDEF --comment 'until the move'
  keystead approvals redeem apr_4fGhX2abcDEF")]
pub(crate) enum Approvals {
    List(List),
    /// Show a request, and what became of it
    #[command(after_help = "Examples:\n  keystead approvals show apr_4fGhX2abcDEF")]
    Show {
        /// Its id (apr_…)
        id: String,
    },
    /// Approve what another person asked for: they may redeem it for a day
    #[command(after_help = "Examples:
  keystead approvals approve apr_4fGhX2abcDEF
  keystead approvals approve apr_4fGhX2abcDEF --comment 'until the move'")]
    Approve {
        /// Its id (apr_…)
        id: String,
        /// For who asked
        #[arg(long)]
        comment: Option<String>,
    },
    /// Deny what another person asked for, and say why
    #[command(after_help = "Examples:
  keystead approvals deny apr_4fGhX2abcDEF --comment 'name your networks'")]
    Deny {
        /// Its id (apr_…)
        id: String,
        /// Why, for who asked
        #[arg(long)]
        comment: String,
    },
    /// Make or change the key that was approved, once; a new key is printed
    #[command(after_help = "Examples:
  keystead approvals redeem apr_4fGhX2abcDEF
  KEY=$(keystead approvals redeem apr_4fGhX2abcDEF)")]
    Redeem {
        /// Its id (apr_…)
        id: String,
    },
    /// Take back what you asked for
    #[command(after_help = "Examples:\n  keystead approvals withdraw apr_4fGhX2abcDEF")]
    Withdraw {
        /// Its id (apr_…)
        id: String,
    },
}

/// List requests, newest first: all that you may see, else your own
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead approvals list
  keystead approvals list --state pending --project acme
  keystead approvals list --mine --all --json")]
pub(crate) struct List {
    /// Only of this project (id or slug)
    #[arg(long, short)]
    project: Option<String>,
    /// Only in this state: pending, approved, denied, withdrawn, expired, redeemed
    #[arg(long, value_parser = named::<ApprovalState>)]
    state: Option<ApprovalState>,
    /// Only your own
    #[arg(long)]
    mine: bool,
    #[command(flatten)]
    paging: Paging,
}

impl Approvals {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        match self {
            Self::List(list) => list.run(session).await,
            Self::Show { id } => session.show(&client.approval(&id).await?),
            Self::Approve { id, comment } => {
                let decided = client.approve(&id, &DecideApproval { comment }).await?;
                let next = format!("{} redeems it before {}.", decided.requester.name, decided.expires_at);
                session.changed(&decided, &format!("Approved {id}."), &next)
            }
            Self::Deny { id, comment } => {
                let decided = client.deny(&id, &DecideApproval { comment: Some(comment) }).await?;
                let next = format!("{} is told.", decided.requester.name);
                session.changed(&decided, &format!("Denied {id}."), &next)
            }
            Self::Redeem { id } => redeem(session, &id).await,
            Self::Withdraw { id } => {
                let withdrawn = client.withdraw_approval(&id).await?;
                session.changed(&withdrawn, &format!("Withdrew {id}."), "Nobody can approve it any more.")
            }
        }
    }
}

impl List {
    async fn run(self, session: &Session) -> Outcome {
        let Self { project, state, mine, paging } = self;
        let query = ApprovalQuery { project, state, mine: mine.then_some(true), ..ApprovalQuery::default() };
        let fetch = async |page: keystead_sdk::api::PageQuery| {
            let query = ApprovalQuery { limit: page.limit, cursor: page.cursor, ..query.clone() };
            session.client.list_approvals(&query).await
        };
        session.list(&paging, fetch).await
    }
}

async fn redeem(session: &Session, id: &str) -> Outcome {
    let redeemed = session.client.redeem_approval(id).await?;
    let details = redeemed.details;
    match redeemed.key {
        Some(key) => {
            let did = format!(
                "Created {} ({}) in {}/{}.",
                details.id, details.name, details.project, details.environment
            );
            shown_once(session, &CreatedKey { key, details }, &did, None)
        }
        None => {
            let did = format!("Changed {}.", details.id);
            session.changed(&details, &did, "It holds from the key's next request on.")
        }
    }
}

/// Says that it was asked for, and what to do next.
pub(crate) fn asked(session: &Session, approval: &Approval) -> Outcome {
    let next = format!(
        "Those who decide were told. Next, once somebody has approved it: keystead approvals redeem {}",
        approval.id
    );
    session.changed(approval, &format!("Asked for {}.", approval.name), &next)
}

fn state_cell(state: ApprovalState) -> Cell {
    let tone = match state {
        ApprovalState::Approved | ApprovalState::Redeemed => Tone::Good,
        ApprovalState::Pending => Tone::Warning,
        ApprovalState::Denied | ApprovalState::Withdrawn | ApprovalState::Expired => Tone::Bad,
    };
    Cell::new(&name(&state), tone)
}

/// What is asked for, as the API writes it.
fn wish(approval: &Approval) -> String {
    let create = approval.create.as_ref().map(serde_json::to_string);
    let update = approval.update.as_ref().map(serde_json::to_string);
    create.or(update).and_then(Result::ok).unwrap_or_default()
}

impl Present for Approval {
    const HEADINGS: &'static [&'static str] = &["ID", "ASKED", "BY", "KEY", "WHERE", "STATE", "UNTIL", "WHY"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::time(Some(self.created_at)),
            Cell::from(self.requester.name.as_str()).shortened(24),
            Cell::from(self.name.as_str()).shortened(32),
            format!("{}/{}", self.project, self.environment).into(),
            state_cell(self.state),
            Cell::time(Some(self.expires_at)),
            Cell::from(self.why.as_str()).shortened(40),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let needs: Vec<&str> =
            self.needs.iter().map(|one: &GuardrailViolation| one.detail.as_str()).collect();
        let decision = self.decision.as_ref();
        let decided = decision.map(|one| format!("{} ({}) at {}", one.by.name, one.by.id, one.at));
        vec![
            ("id", self.id.as_str().into()),
            ("state", state_cell(self.state)),
            ("key", self.name.as_str().into()),
            ("key id", Cell::maybe(self.key_id.as_deref())),
            ("where", format!("{}/{}", self.project, self.environment).into()),
            (if self.create.is_some() { "new key" } else { "change" }, wish(self).into()),
            ("needs", needs.join(" ").into()),
            ("asked by", format!("{} ({})", self.requester.name, self.requester.id).into()),
            ("in the name of", Cell::maybe(self.team.as_ref().map(|team| team.name.as_str()))),
            ("why", self.why.as_str().into()),
            ("decided by", Cell::maybe(decided.as_deref())),
            ("comment", Cell::maybe(decision.and_then(|one| one.comment.as_deref()))),
            ("asked", Cell::time(Some(self.created_at))),
            ("until", Cell::time(Some(self.expires_at))),
        ]
    }
}
