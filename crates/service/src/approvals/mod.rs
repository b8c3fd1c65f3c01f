//! Approvals: what a guardrail lets nobody do alone is asked for by one person who signed in, decided on by another
//! who signed in, and then done by who asked. Persons are compared, never keys: ADR 19.

mod break_glass;
mod decide;
mod look;
mod redeem;
mod request;
mod tell;
mod wish;

use crate::Keystead;
use crate::guardrails::enforce::{Candidate, Needs};
use crate::refused::Refused;
use keystead_api::{ApprovalState, GuardrailViolation};
use keystead_domain::ids::{ConsumerId, OwnerId};
use keystead_domain::invalid::Invalid;
use keystead_domain::policy::PolicySpec;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{ApprovalRow, StoreError};

/// How long a request can be decided.
const DECIDE_MICROS: i64 = 7 * 86_400 * SECOND;
/// How long an approval can be redeemed.
const REDEEM_MICROS: i64 = 86_400 * SECOND;
/// Open requests of an organization, and of one person in it.
const OPEN_MAX: i64 = 500;
const OPEN_OF_ONE_MAX: i64 = 20;
/// What is asked for, as JSON.
const WISH_BYTES_MAX: usize = 32_768;
/// How long what became of a request can be looked up; the audit has it for longer.
const KEPT_MICROS: i64 = 90 * 86_400 * SECOND;

/// What would have to be approved of what was just done, because something stands in for the approval.
#[derive(Debug, Default)]
pub(crate) struct Lifted {
    needs: Vec<GuardrailViolation>,
    comes_to: Option<ComesTo>,
}

/// What something comes to, whatever names it was asked for with.
#[derive(Debug)]
struct ComesTo {
    spec: PolicySpec,
    owner: OwnerId,
    consumer: Option<ConsumerId>,
}

impl Lifted {
    /// Refuses what needs an approval where nothing stands in for it; else notes it.
    ///
    /// # Errors
    /// [`Refused::ApprovalRequired`].
    pub(crate) fn settle(lifted: Option<&mut Self>, needs: Needs, key: Candidate<'_>) -> Result<(), Refused> {
        let Some(lifted) = lifted else { return needs.refuse() };
        lifted.needs = needs.0;
        lifted.comes_to =
            Some(ComesTo { spec: key.spec.clone(), owner: key.row.owner, consumer: key.row.consumer_id });
        Ok(())
    }
}

/// Refuses to break glass where not one key alone is asked for by itself.
pub(crate) fn alone(reason: Option<&String>) -> Result<(), Invalid> {
    match reason {
        None => Ok(()),
        Some(_) => Err(Invalid::new(
            "/break_glass",
            "Glass is broken for one key at a time.",
            "Make or change this key by itself, or leave this out.",
        )),
    }
}

/// Where a request stands now.
fn state_of(row: &ApprovalRow, now: Micros) -> Result<ApprovalState, Refused> {
    let stored = ApprovalState::named(&row.state)
        .ok_or_else(|| Refused::Internal(format!("{} is in no state", row.id)))?;
    Ok(match stored {
        ApprovalState::Pending | ApprovalState::Approved if now >= row.expires_at => ApprovalState::Expired,
        other => other,
    })
}

/// Refuses a request that does not stand where it must.
fn stands(row: &ApprovalRow, expected: &[ApprovalState], now: Micros) -> Result<(), Refused> {
    let state = state_of(row, now)?;
    if expected.contains(&state) {
        return Ok(());
    }
    let (detail, fix) = match state {
        ApprovalState::Pending => ("Nobody has decided on it.", "Wait, or ask somebody who may decide."),
        ApprovalState::Approved => ("It was approved.", "Nothing is left to decide: who asked redeems it."),
        ApprovalState::Denied => ("It was denied.", "Read the comment; ask for something else."),
        ApprovalState::Withdrawn => ("Who asked took it back.", "Ask again, if it is needed after all."),
        ApprovalState::Expired => ("Its time is over.", "Ask for it again."),
        ApprovalState::Redeemed => ("It was redeemed, which works once.", "Look at the key that it names."),
    };
    Err(Refused::conflict(detail, fix))
}

impl Keystead {
    /// Forgets requests that have been over for long.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(crate) async fn forget_old_approvals(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus(-KEPT_MICROS);
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move { ledger.trim_approvals(before).await.map(|_| ()) })
            })
            .await
    }
}
