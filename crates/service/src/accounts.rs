//! Credits and quota as the store keeps them: taken from before they are spent, given back to on a stop.

use crate::lease::Order;
use crate::refused::Refused;
use keystead_domain::ids::OrganizationId;
use keystead_domain::lease::{CreditsAccount, Leased, QuotaAccount};
use keystead_domain::meter::{Account, MeterId, Unspent};
use keystead_domain::time::Micros;
use keystead_store::{Ledger, MeterRow, StoreError};

/// Debits the account before the units can be spent.
pub(crate) async fn debit(ledger: &mut Ledger, order: &Order, now: Micros) -> Result<(Leased, i64), Refused> {
    let mut row = match ledger.lock_meter(order.meter).await? {
        Some(row) => row,
        None => {
            let organization = order.organization();
            let organization = organization.ok_or_else(|| Refused::Internal("a block for no key".into()))?;
            // Another node may be at the same.
            ledger.ensure_meter(&empty_row(organization, order.meter)).await?;
            let row = ledger.lock_meter(order.meter).await?;
            row.ok_or_else(|| Refused::Internal("a meter that was just added has gone".into()))?
        }
    };
    let leased = match order.account {
        Account::Quota => {
            let rule = order
                .rules
                .quota
                .as_ref()
                .ok_or_else(|| Refused::Internal("a lease without a quota".into()))?;
            let mut account = QuotaAccount { used: unsigned(row.quota_used), resets_at: row.quota_resets_at };
            let leased = account.lease(rule, order.units, now);
            (row.quota_used, row.quota_resets_at) = (signed(account.used), account.resets_at);
            leased
        }
        Account::Credits => {
            let rule = order
                .rules
                .credits
                .as_ref()
                .ok_or_else(|| Refused::Internal("a lease without credits".into()))?;
            let mut account = CreditsAccount {
                remaining: unsigned(row.credits_remaining.unwrap_or(0)),
                refill_at: row.credits_refill_at,
            };
            let leased = account.lease(rule, order.units, now);
            (row.credits_remaining, row.credits_refill_at) =
                (Some(signed(account.remaining)), account.refill_at);
            leased
        }
        Account::Rate(_) => return Err(Refused::Internal("a rate limit is no account of a meter".into())),
    };
    ledger.update_meter(&row).await?;
    Ok((leased, row.credits_epoch))
}

/// Gives unspent units back to the period and the account that they were leased from. Those of
/// another are worth nothing: a key's new credits must not grow by what a node held of the old.
pub(crate) async fn credit(ledger: &mut Ledger, id: MeterId, left: Unspent) -> Result<(), StoreError> {
    let Some(mut row) = ledger.lock_meter(id).await? else { return Ok(()) };
    if let Some((units, until)) = left.quota
        && row.quota_resets_at.is_none_or(|end| end == until)
    {
        row.quota_used = row.quota_used.saturating_sub(signed(units)).max(0);
    }
    if let Some((units, until)) = left.credits
        && row.credits_epoch == left.credits_epoch
        && row.credits_refill_at.unwrap_or(Micros::FOREVER) == until
    {
        row.credits_remaining = row.credits_remaining.map(|left| left.saturating_add(signed(units)));
    }
    ledger.update_meter(&row).await?;
    Ok(())
}

/// The account of a meter from which nothing was ever leased.
pub(crate) fn empty_row(organization: OrganizationId, meter: MeterId) -> MeterRow {
    MeterRow {
        id: meter,
        organization_id: organization,
        credits_remaining: None,
        credits_refill_at: None,
        quota_used: 0,
        quota_resets_at: None,
        credits_epoch: 0,
    }
}

/// The store counts in i64; amounts are bounded far below.
pub(crate) fn signed(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// A negative count in the store is a fault; nothing is spent on it.
pub(crate) fn unsigned(units: i64) -> u64 {
    u64::try_from(units).unwrap_or(0)
}
