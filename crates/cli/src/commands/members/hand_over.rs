//! `keystead members hand-over`: everything of somebody who leaves, to somebody who stays.

use crate::commands::keys::bulk::{confirm, show_preview, show_whole};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::progress::Progress;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{BulkOutcome, BulkRefusal, HandOverKeys, Key};

/// Hand over every key that a person owns
///
/// First shows the keys, and which cannot be handed over and why; on a terminal it then asks,
/// elsewhere it needs --yes. A key then does what its new owner may, and keeps its secret: rotate it,
/// if the person knew it. A service account takes the keys of its own project.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead members hand-over ann@example.net --to bob@example.net --dry-run
  keystead members hand-over ann@example.net --to bob@example.net --yes
  keystead members hand-over mem_… --to sa_…")]
pub(crate) struct HandOver {
    /// Its id or e-mail address
    member: String,
    /// A member's id or e-mail address, or a service account's id
    #[arg(long, value_name = "WHO")]
    to: String,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl HandOver {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let mut act = HandOverKeys { to: self.to.clone(), dry_run: true, ..HandOverKeys::default() };
        let preview = self.run_all(session, act.clone()).await?;
        if self.dry_run {
            let shown = show_preview(session, &preview);
            warn(session, &preview);
            return shown;
        }
        if preview.matched == 0 {
            session.output.note("They own no key that could be handed over.");
            return Ok(Exit::Done);
        }
        if !self.yes {
            warn(session, &preview);
            confirm(session, &preview)?;
        }
        (act.dry_run, act.expected_count) = (false, Some(preview.matched));
        show_whole(session, self.run_all(session, act).await?)
    }

    /// Call after call, until the server names no next one.
    async fn run_all(&self, session: &Session, mut act: HandOverKeys) -> Result<BulkOutcome, Failure> {
        let progress = Progress::new("keys", !session.output.is_json());
        let mut whole: Option<BulkOutcome> = None;
        for call in 0_u64.. {
            // One name stands for one request, so each call of a named command has its own.
            let client = session.client.numbered(call);
            let part = client.hand_over_keys(&self.member, &act).await?;
            act.cursor.clone_from(&part.next_cursor);
            let whole = match &mut whole {
                None => whole.insert(BulkOutcome { next_cursor: None, ..part }),
                Some(whole) => {
                    whole.done += part.done;
                    whole.refused.extend(part.refused);
                    whole
                }
            };
            progress.at(whole.done + u64::try_from(whole.refused.len()).unwrap_or(u64::MAX), whole.matched);
            if act.cursor.is_none() {
                break;
            }
        }
        Ok(whole.unwrap_or_default())
    }
}

/// What would be refused, and why.
fn warn(session: &Session, preview: &BulkOutcome) {
    let name = |id: &str| {
        let known = preview.sample.iter().find(|key: &&Key| key.id == id);
        known.map(|key| format!(" ({})", key.name)).unwrap_or_default()
    };
    for BulkRefusal { id, detail, fix } in &preview.refused {
        session.output.warning(&format!("{id}{} would be refused: {detail} {fix}", name(id)));
    }
}
