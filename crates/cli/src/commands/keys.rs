//! `keystead keys`: issue, find, change, stop and purge keys.

mod batch;
mod bulk;
mod create;
mod list;
mod present;
mod state;
mod update;

pub(crate) use present::{consumer_cell, credits_cell, limit_status_text, quota_status_text};

use crate::exit::Outcome;
use crate::flags::project::ExpectingIfGiven;
use crate::session::Session;
use clap::Subcommand;

/// Keys: issue, find, change, stop and purge them
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
    Suspend(state::Suspend),
    Revoke(state::Revoke),
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
            Self::List(list) => list.run(session).await,
            Self::Count(count) => count.run(session).await,
            Self::Unknown(unknown) => unknown.run(session).await,
            Self::Show { id } => session.show(&session.client.key(&id).await?),
            Self::Update(update) => update.run(session).await,
            Self::Disable { id } => state::disable(&id, session).await,
            Self::Enable { id } => state::enable(&id, session).await,
            Self::Suspend(suspend) => suspend.run(session).await,
            Self::Revoke(revoke) => revoke.run(session).await,
            Self::Delete { id, expecting } => {
                session.client.delete_key(&id, expecting.if_match).await?;
                session.deleted(&format!("Purged {id}. Its audit stays: keystead audit --target {id}"))
            }
        }
    }
}
