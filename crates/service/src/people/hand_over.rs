//! Handing over everything that a person owns, in every project, to somebody who stays. Each key has its own audit
//! record, and does from then on what its new owner may.

use crate::bulk_keys::{Deed, SAMPLE, budget, more_match, no_cursor};
use crate::caller::Caller;
use crate::cursor;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{BulkOutcome, HandOverKeys};
use keystead_domain::ids::{KeyId, MemberId, OwnerId, ServiceAccountId};
use keystead_domain::invalid::Invalid;
use keystead_store::{KeyRow, MemberRow, Reader};
use std::sync::Arc;

/// The most keys of one owner that are looked at; those that were handed over make room for others.
const KEYS_MAX: u32 = 1_000;

impl Keystead {
    /// One call of handing over what a member owns, the oldest keys first. A key that cannot be handed over does not
    /// hold up the others.
    ///
    /// # Errors
    /// When there is no such member or new owner, the caller may not see them, or there are more keys than expected.
    pub async fn hand_over_keys(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        input: HandOverKeys,
    ) -> Result<BulkOutcome, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let from = self.member_row(caller, named).await?;
        let to = self.new_owner(caller, &from, &input.to).await?;
        if !input.dry_run
            && let Some(outcome) = self.answered_before(caller).await?
        {
            return Ok(outcome);
        }
        let mut reader = self.store.read().await?;
        let mut rows = owned(&mut reader, &from).await?;
        let all = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let expected = input.expected_count.or(input.dry_run.then_some(all));
        let (left, cut) = budget(input.limit, expected, input.cursor.as_deref())?;
        let after = match cut.after {
            Some((at, id)) => Some((at, KeyId::from_slice(&id).ok_or_else(no_cursor)?)),
            None => None,
        };
        rows.retain(|row| after.is_none_or(|after| (row.created_at, row.id) > after));
        let matched = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if matched > left {
            return Err(more_match(matched, left));
        }
        let more = rows.len() > cut.limit();
        rows.truncate(cut.limit());
        let handled = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let end = rows.last().filter(|_| more).map(|row| (row.created_at, *row.id.as_bytes()));
        let next_cursor = end.map(|end| format!("{}.{}", left - handled, cursor::encode(end)));
        let mut outcome = BulkOutcome { matched, next_cursor, ..BulkOutcome::default() };
        if input.dry_run {
            let few: Vec<_> = rows.iter().take(SAMPLE as usize).map(|row| (row.clone(), None)).collect();
            let mut shown = self.views(&mut reader, &few).await?;
            outcome.sample = few.iter().filter_map(|(row, _)| shown.remove(&row.id)).collect();
        }
        drop(reader);
        let (this, by) = (Arc::clone(self), caller.clone());
        // A dry run does it all, and is undone: what would be refused is found out by trying.
        self.act_some(caller, !input.dry_run, move |tx| {
            Box::pin(async move { this.do_each(tx, &by, &Deed::HandOver(to), rows, outcome).await })
        })
        .await
    }

    /// Who is to have them, as an owner is named; of a service account it is asked key by key.
    async fn new_owner(&self, caller: &Caller, from: &MemberRow, to: &str) -> Result<String, Refused> {
        if to.parse::<ServiceAccountId>().is_ok() {
            return Ok(to.to_owned());
        }
        let unknown = || {
            let fix = "Send the id or e-mail address of a member, or the id of a service account.";
            Refused::unknown("/to", "There is no such member or service account.", fix)
        };
        let row = match self.member_row(caller, to).await {
            Err(Refused::NotFound { .. }) => return Err(unknown()),
            row => row?,
        };
        if row.id == from.id {
            let fix = "Name somebody else.";
            return Err(Invalid::new("/to", "This is the member whose keys they are.", fix).into());
        }
        if row.disabled {
            let fix = "Name somebody who is not, or enable them first.";
            return Err(
                Invalid::new("/to", "This member is disabled: the keys would do nothing.", fix).into()
            );
        }
        Ok(row.id.to_string())
    }
}

/// What somebody owns, themselves and in teams' names, oldest first: without what is revoked, or ends with the key that
/// it was minted from.
async fn owned(reader: &mut Reader, member: &MemberRow) -> Result<Vec<KeyRow>, Refused> {
    let mut rows = Vec::new();
    for owner in owners_of(reader, member).await? {
        rows.extend(reader.keys_owned(member.organization_id, owner, KEYS_MAX).await?);
    }
    rows.retain(|row| row.revoked_at.is_none() && row.parent_id.is_none());
    rows.sort_by_key(|row| (row.created_at, row.id));
    Ok(rows)
}

/// A person as an owner of keys: themselves, and in every team that they are or were in.
pub(super) async fn owners_of(reader: &mut Reader, member: &MemberRow) -> Result<Vec<OwnerId>, Refused> {
    let (organization, id): (_, MemberId) = (member.organization_id, member.id);
    let seats = reader.seats_of_member(organization, id).await?;
    Ok(std::iter::once(OwnerId::Member(id)).chain(seats.iter().map(|seat| OwnerId::Seat(seat.id))).collect())
}
