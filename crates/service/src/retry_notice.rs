//! Sending a notice again that was given up, or now instead of later.

use crate::act::Target;
use crate::caller::Caller;
use crate::notice_view::present;
use crate::notices::addresses;
use crate::present::to_json;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::Notice;
use keystead_domain::ids::NoticeId;
use keystead_store::{Acted, NoticeRow, Tx};
use std::sync::Arc;

impl Keystead {
    /// Has a notice sent now, to the addresses that its key's consumer and owner have by now.
    ///
    /// # Errors
    /// When the caller may not, or the notice was sent, is being sent, or has nobody to go to.
    pub async fn retry_notice(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id: &str,
    ) -> Result<Notice, Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        let needed = [management::KEYS_ROTATE, management::KEYS_READ, management::CONSUMERS_READ];
        self.authorise_all(caller, &needed, Some(&project.resource)).await?;
        let id: NoticeId = id.parse().map_err(|_| Refused::not_found("notice"))?;
        let (this, by) = (Arc::clone(self), caller.clone());
        let notice = self
            .act_once(caller, move |tx| {
                Box::pin(async move {
                    let seen = tx.notice(project.organization, project.id, id).await?;
                    let seen = seen.ok_or(Refused::not_found("notice"))?;
                    let target = Target {
                        kind: "notice",
                        id: id.to_string(),
                        name: &seen.subject,
                        project: Some(project.id),
                    };
                    let event = this.event(&by, "notice.retry", target);
                    let row = this.reopen(tx, seen).await?;
                    let value = present(row, this.sends_mail(), this.clock.now())?;
                    Ok(Acted { value, events: vec![event], changes: Vec::new() })
                })
            })
            .await?;
        self.post.hurry();
        Ok(notice)
    }

    async fn reopen(&self, tx: &mut Tx, seen: NoticeRow) -> Result<NoticeRow, Refused> {
        let to = addresses(tx, &seen).await?;
        if to.is_empty() {
            return Err(Refused::conflict(
                "No address is known to which this could go.",
                "Give the key's consumer a contact, then try again; or hand the text over yourself.",
            ));
        }
        if !tx.retry_notice(&seen, &to_json(&to)?, self.clock.now()).await? {
            return Err(Refused::conflict(
                "It was sent, or is being sent now.",
                "Look at it again: what was sent is not sent again.",
            ));
        }
        let row = tx.notice(seen.organization_id, seen.project_id, seen.id).await?;
        row.ok_or(Refused::not_found("notice"))
    }
}
