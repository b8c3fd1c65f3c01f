//! Redeeming: who asked does it now, once, if all of it still may be; and taking a request back.

use super::decide::{is_the_same, place_gone, since};
use super::stands;
use super::wish::{Asked, Performed};
use crate::Keystead;
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::{Approval, ApprovalState, RedeemedKey};
use keystead_domain::ids::{ApprovalId, KeyId};
use keystead_store::{Acted, ApprovalRow, Tx};
use std::sync::Arc;

impl Keystead {
    /// Makes or changes the key that was approved. A new key is shown now, to who asked, and never again.
    ///
    /// # Errors
    /// When the caller is not who asked, or may not do it any more; when it was not approved, was redeemed, or its
    /// time is over; when who approved may not any more, or what it comes to is something else.
    pub async fn redeem_approval(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
    ) -> Result<RedeemedKey, Refused> {
        let row = self.approval_row(caller, id).await?;
        caller.signed_in()?;
        asked_by(caller, &row)?;
        let Some(asked) = self.asked(&row)? else {
            self.admit(caller).await?;
            return Err(place_gone());
        };
        self.authorise_all(caller, self.rights_to(caller, &asked)?, Some(&asked.place.resource)).await?;
        let (this, by, id) = (Arc::clone(self), caller.clone(), row.id);
        self.act_once(caller, move |tx| Box::pin(async move { this.redeem(tx, &by, id, asked).await })).await
    }

    async fn redeem(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: ApprovalId,
        asked: Asked,
    ) -> Result<Acted<RedeemedKey>, Refused> {
        let now = self.clock.now();
        let before = tx.approval(caller.organization(), id).await?.ok_or(Refused::not_found("approval"))?;
        stands(&before, &[ApprovalState::Approved], now)?;
        let performed = self.perform(tx, caller, asked.clone()).await.map_err(since)?;
        is_the_same(&before, &performed.digest)?;
        self.is_still_approved(caller, &before, &asked, &performed)?;
        let Performed { acted, key, .. } = performed;
        let made: KeyId =
            acted.value.id.parse().map_err(|_| Refused::Internal("a key without an id".into()))?;
        let lineage = tx.key(caller.organization(), made).await?.map(|row| row.lineage_id);
        let row = ApprovalRow {
            state: ApprovalState::Redeemed.as_str().into(),
            key_id: Some(made),
            lineage_id: lineage,
            updated_at: now,
            version: before.version + 1,
            ..before.clone()
        };
        // Of two who redeem at once, one finds the version; what the other made goes with its transaction.
        self.put_approval(tx, &row).await?;
        let event = self.approval_event(caller, "approval.redeem", &row);
        let (was, is) = (self.show_approval(&before, now)?, self.show_approval(&row, now)?);
        let mut events = acted.events;
        events.push(with_difference(event, Some(&was), Some(&is)));
        let key = key.map(|key| key.expose().to_owned());
        Ok(Acted { value: RedeemedKey { key, details: acted.value }, events, changes: acted.changes })
    }

    /// Who approved could still do so: an approval dies with the right to give it.
    fn is_still_approved(
        &self,
        caller: &Caller,
        row: &ApprovalRow,
        asked: &Asked,
        performed: &Performed,
    ) -> Result<(), Refused> {
        let approver = match row.decided_by.filter(|approver| *approver != row.requester_id) {
            Some(member) => self.as_person(row.organization_id, member, &caller.origin)?,
            None => None,
        };
        let may = approver.map(|approver| self.may_decide_on(&approver, asked, &performed.lifted));
        match may {
            Some(Ok(())) => Ok(()),
            Some(Err(fault @ Refused::Internal(_))) => Err(fault),
            Some(Err(_)) | None => Err(Refused::conflict(
                "Who approved it may not approve it any more.",
                "Ask again, and have somebody approve it who may.",
            )),
        }
    }

    /// Takes a request back, decided or not.
    ///
    /// # Errors
    /// When the caller is not who asked, or it was denied, redeemed or is over.
    pub async fn withdraw_approval(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<Approval, Refused> {
        let row = self.approval_row(caller, id).await?;
        caller.signed_in()?;
        asked_by(caller, &row)?;
        self.admit(caller).await?;
        let (this, by, id) = (Arc::clone(self), caller.clone(), row.id);
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let now = this.clock.now();
                let before = tx.approval(by.organization(), id).await?;
                let before = before.ok_or(Refused::not_found("approval"))?;
                stands(&before, &[ApprovalState::Pending, ApprovalState::Approved], now)?;
                let row = ApprovalRow {
                    state: ApprovalState::Withdrawn.as_str().into(),
                    updated_at: now,
                    version: before.version + 1,
                    ..before.clone()
                };
                this.put_approval(tx, &row).await?;
                let event = this.approval_event(&by, "approval.withdraw", &row);
                let (was, shown) = (this.show_approval(&before, now)?, this.show_approval(&row, now)?);
                let event = with_difference(event, Some(&was), Some(&shown));
                Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}

/// What was asked for is for the person who asked.
fn asked_by(caller: &Caller, row: &ApprovalRow) -> Result<(), Refused> {
    if caller.member() == Some(row.requester_id) {
        return Ok(());
    }
    Err(Refused::Forbidden {
        permission: "to be who asked",
        resource: format!("{}, which is for that person alone", row.id),
    })
}
