//! Deciding: another person who signed in, and who could do it themselves, says yes or no.

use super::wish::Asked;
use super::{REDEEM_MICROS, stands};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Approval, ApprovalState, DecideApproval};
use keystead_domain::ids::{ApprovalId, MemberId};
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_store::{Acted, ApprovalRow, StoreError, Tx};
use std::sync::Arc;

impl Keystead {
    /// Approves what somebody else asked for: they may redeem it for a day.
    ///
    /// # Errors
    /// When the caller asked for it, is nobody who signed in, or could not do it; when it is decided, over, or not
    /// what was asked for any more, or who asked may not do it any more.
    pub async fn approve(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: DecideApproval,
    ) -> Result<Approval, Refused> {
        self.decide_approval(caller, id, ApprovalState::Approved, input.comment).await
    }

    /// Denies what somebody else asked for, and says why.
    ///
    /// # Errors
    /// As [`Self::approve`]; and without a comment.
    pub async fn deny(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: DecideApproval,
    ) -> Result<Approval, Refused> {
        self.decide_approval(caller, id, ApprovalState::Denied, input.comment).await
    }

    async fn decide_approval(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        decision: ApprovalState,
        comment: Option<String>,
    ) -> Result<Approval, Refused> {
        let row = self.approval_row(caller, id).await?;
        let session = caller.signed_in()?;
        let decider = caller.member().ok_or(Refused::NeedsSession)?;
        let resource = self.resource_of_approval(&row);
        self.authorise(caller, management::APPROVALS_DECIDE, resource.as_deref()).await?;
        match &comment {
            Some(comment) => name::reason("/comment", comment)?,
            None if decision == ApprovalState::Denied => {
                let fix = "Say why, for who asked: 1 to 512 characters.";
                return Err(Invalid::new("/comment", "A denial has a comment.", fix).into());
            }
            None => {}
        }
        if row.requester_id == decider {
            return Err(Refused::Forbidden {
                permission: "somebody else's decision",
                resource: format!("{}, which you asked for yourself", row.id),
            });
        }
        if decision == ApprovalState::Approved {
            self.stepped_up_if_can(session).await?;
        }
        let (this, by, id) = (Arc::clone(self), caller.clone(), row.id);
        let decided = self
            .act_once(caller, move |tx| {
                Box::pin(async move { this.write_decision(tx, &by, (id, decider), decision, comment).await })
            })
            .await?;
        self.post.hurry();
        Ok(decided)
    }

    async fn write_decision(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        (id, decider): (ApprovalId, MemberId),
        decision: ApprovalState,
        comment: Option<String>,
    ) -> Result<Acted<Approval>, Refused> {
        let now = self.clock.now();
        let before = tx.approval(caller.organization(), id).await?.ok_or(Refused::not_found("approval"))?;
        stands(&before, &[ApprovalState::Pending], now)?;
        let mut row = ApprovalRow {
            state: decision.as_str().into(),
            decided_by: Some(decider),
            decided_at: Some(now),
            comment,
            updated_at: now,
            version: before.version + 1,
            ..before.clone()
        };
        if decision == ApprovalState::Approved {
            self.may_still_be_done(tx, caller, &before).await?;
            row.expires_at = now.plus(REDEEM_MICROS);
        }
        self.put_approval(tx, &row).await?;
        self.tell_requester(tx, &row).await?;
        let action = if decision == ApprovalState::Approved { "approval.approve" } else { "approval.deny" };
        let event = self.approval_event(caller, action, &row);
        let shown = self.show_approval(&row, now)?;
        let event = with_difference(event, Some(&self.show_approval(&before, now)?), Some(&shown));
        Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
    }

    /// Does it as who asked, looks, and undoes it: what is approved is what was asked for, and possible.
    async fn may_still_be_done(
        &self,
        tx: &mut Tx,
        decider: &Caller,
        row: &ApprovalRow,
    ) -> Result<(), Refused> {
        let asked = self.asked(row)?.ok_or_else(place_gone)?;
        let requester = self.as_person(row.organization_id, row.requester_id, &decider.origin)?;
        let requester = requester.filter(|one| self.holds_rights(one, &asked)).ok_or_else(|| {
            Refused::conflict(
                "Who asked may not do it any more, with or without an approval.",
                "Deny it; they ask again when they may.",
            )
        })?;
        let mark = tx.mark().await?;
        let performed = self.perform(tx, &requester, asked.clone()).await.map_err(since)?;
        tx.undo(mark).await?;
        is_the_same(row, &performed.digest)?;
        self.may_decide_on(decider, &asked, &performed.lifted)
    }

    fn holds_rights(&self, person: &Caller, asked: &Asked) -> bool {
        let rights = self.rights_to(person, asked).unwrap_or_default();
        !rights.is_empty() && rights.iter().all(|right| person.entry.may(right, Some(&asked.place.resource)))
    }

    /// Of two who change a request at once, one does.
    pub(super) async fn put_approval(&self, tx: &mut Tx, row: &ApprovalRow) -> Result<(), Refused> {
        if tx.update_approval(row, row.version - 1).await? {
            return Ok(());
        }
        Err(StoreError::Conflict.into())
    }

    /// The request that a path names, of the caller's organization.
    pub(super) async fn approval_row(&self, caller: &Caller, id: &str) -> Result<ApprovalRow, Refused> {
        let not_found = || Refused::not_found("approval");
        let id: ApprovalId = id.parse().map_err(|_| not_found())?;
        self.store.read().await?.approval(caller.organization(), id).await?.ok_or_else(not_found)
    }

    /// What a right on a request must reach; what is gone, only rights in the whole organization do.
    pub(super) fn resource_of_approval(&self, row: &ApprovalRow) -> Option<String> {
        let directory = &self.keyring.directory;
        let place = directory.place_by_id(row.environment_id).map(|place| place.resource.to_string());
        place.or_else(|| directory.project_by_id(row.project_id).map(|one| one.resource.to_string()))
    }
}

/// What was approved is what was asked for.
pub(super) fn is_the_same(row: &ApprovalRow, digest: &[u8; 32]) -> Result<(), Refused> {
    if row.digest == *digest {
        return Ok(());
    }
    Err(Refused::conflict(
        "A role, an owner or a default that it names is another since it was asked for.",
        "Ask again: what is approved must be what is done.",
    ))
}

/// A key that was changed is not the one that somebody looked at.
pub(super) fn since(refused: Refused) -> Refused {
    match refused {
        Refused::Changed { .. } => {
            Refused::conflict("The key was changed since it was asked for.", "Look at it, and ask again.")
        }
        other => other,
    }
}

pub(super) fn place_gone() -> Refused {
    Refused::conflict("The environment that it is for is gone.", "Ask again, for one that exists.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_key_is_told_as_what_it_is() {
        assert!(matches!(since(Refused::Changed { current: 2 }), Refused::Conflict { .. }));
        assert!(matches!(since(Refused::Busy), Refused::Busy));
    }
}
