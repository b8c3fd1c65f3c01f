//! `keystead keys`: issue, mint, find, change, rotate, stop and purge keys.

mod batch;
pub(super) mod bulk;
mod create;
mod import;
mod list;
mod mint;
mod new_keys;
mod present;
mod rotate;
mod rotate_due;
mod state;
mod update;

pub(crate) use present::{consumer_cell, credits_cell, limit_status_text, quota_status_text, shown_once};

use crate::exit::{Exit, Outcome};
use crate::flags::project::ExpectingIfGiven;
use crate::session::Session;
use clap::Subcommand;

/// Keys: issue, mint, find, change, rotate, stop and purge them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead keys create --project acme --environment production \\
      --name 'Route importer' --permission routes.read
  keystead keys list --project acme --status active
  keystead keys revoke key_4fGhX2abcDEF --reason 'Leaked in a build log'")]
pub(crate) enum Keys {
    Create(Box<create::Create>),
    CreateBatch(batch::CreateBatch),
    Bulk(Box<bulk::Bulk>),
    Import(import::Import),
    List(list::List),
    Count(list::Count),
    Unknown(list::Unknown),
    /// Show a key: everything but its secret
    #[command(
        after_help = "Examples:\n  keystead keys show key_4fGhX2abcDEF\n  keystead keys show key_4fGhX2abcDEF --json"
    )]
    Show {
        /// Its id (key_…)
        id: String,
    },
    Update(Box<update::Update>),
    /// Switch a key off until it is enabled again
    #[command(after_help = "Examples:\n  keystead keys disable key_4fGhX2abcDEF")]
    Disable {
        /// Its id (key_…)
        id: String,
    },
    /// Switch a disabled or suspended key on
    #[command(after_help = "Examples:\n  keystead keys enable key_4fGhX2abcDEF")]
    Enable {
        /// Its id (key_…)
        id: String,
    },
    Mint(Box<mint::Mint>),
    /// Read a public key again; who did is on record
    #[command(after_help = "Examples:\n  keystead keys reveal key_4fGhX2abcDEF")]
    Reveal {
        /// Its id (key_…)
        id: String,
    },
    Suspend(state::Suspend),
    Revoke(state::Revoke),
    Rotate(Box<rotate::Rotate>),
    /// End the old key of a rotation now
    #[command(after_help = "Examples:\n  keystead keys rotate-complete key_4fGhX2abcDEF")]
    RotateComplete {
        /// The id of either of its keys (key_…)
        id: String,
    },
    /// Drop the new key of a rotation, and keep the old one
    #[command(after_help = "Examples:\n  keystead keys rotate-cancel key_4fGhX2abcDEF")]
    RotateCancel {
        /// The id of either of its keys (key_…)
        id: String,
    },
    Due(rotate_due::DueList),
    /// Purge a revoked key; its audit stays
    #[command(after_help = "Examples:\n  keystead keys delete key_4fGhX2abcDEF")]
    Delete {
        /// Its id (key_…)
        id: String,
        #[command(flatten)]
        expecting: ExpectingIfGiven,
    },
}

impl Keys {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::CreateBatch(batch) => batch.run(session).await,
            Self::Bulk(bulk) => bulk.run(session).await,
            Self::Import(import) => import.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Count(count) => count.run(session).await,
            Self::Unknown(unknown) => unknown.run(session).await,
            Self::Show { id } => session.show(&session.client.key(&id).await?),
            Self::Update(update) => update.run(session).await,
            Self::Disable { id } => state::disable(&id, session).await,
            Self::Enable { id } => state::enable(&id, session).await,
            Self::Mint(mint) => mint.run(session).await,
            Self::Reveal { id } => reveal(&id, session).await,
            Self::Suspend(suspend) => suspend.run(session).await,
            Self::Revoke(revoke) => revoke.run(session).await,
            Self::Rotate(rotate) => rotate.run(session).await,
            Self::RotateComplete { id } => rotate::complete(&id, session).await,
            Self::RotateCancel { id } => rotate::cancel(&id, session).await,
            Self::Due(due) => due.run(session).await,
            Self::Delete { id, expecting } => {
                session.client.delete_key(&id, expecting.if_match).await?;
                session.deleted(&format!("Purged {id}. Its audit stays: keystead audit --target {id}"))
            }
        }
    }
}

async fn reveal(id: &str, session: &Session) -> Outcome {
    let revealed = session.client.reveal_key(id).await?;
    if session.output.is_json() {
        session.output.json(&revealed)?;
    } else {
        session.output.note(&format!("{id} is public. That you read it is in the audit."));
        session.output.secret(&revealed.key)?;
    }
    Ok(Exit::Done)
}
