//! Acting on every key that matches: previewed first, then done some keys a call, each key with its
//! own audit record.

use crate::caller::Caller;
use crate::cursor::{self, Cut};
use crate::refused::{Fault, Refused};
use crate::switch_key::Turn;
use crate::{Keystead, management};
use keystead_api::{BulkAction, BulkKeys, BulkOutcome, BulkRefusal, Key, RotateKey, RotatedKey, UpdateKey};
use keystead_domain::cells::Place;
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_domain::rotation::{Ending, GRACE_SECONDS_DEFAULT};
use keystead_store::{Acted, KeyFilter, KeyRow, Reader, Tx};
use std::sync::Arc;

/// Keys handled in a call when nothing was asked, and at most: one transaction holds them.
const KEYS_USUAL: u32 = 100;
const KEYS_MAX: u32 = 200;
/// Keys that a dry run shows.
pub(crate) const SAMPLE: u32 = 20;

/// What is done on each key.
#[derive(Clone)]
pub(crate) enum Deed {
    Turn(Turn),
    Change(Box<UpdateKey>),
    Rotate(Box<RotateKey>),
    /// Gives it to another owner, named as in a change of one key.
    HandOver(String),
}

impl Deed {
    fn read(input: &BulkKeys) -> Result<Self, Invalid> {
        if input.reason.is_some() != (input.action == BulkAction::Revoke) {
            return Err(Invalid::new(
                "/reason",
                "A reason belongs to `revoke`, and only to it.",
                "Send it with `revoke`.",
            ));
        }
        if input.changes.is_some() != (input.action == BulkAction::Update) {
            return Err(Invalid::new(
                "/changes",
                "Changes belong to `update`, and only to it.",
                "Send them with `update`.",
            ));
        }
        if input.rotation.is_some() && input.action != BulkAction::Rotate {
            let fix = "Send it with `rotate`.";
            return Err(Invalid::new("/rotation", "This belongs to `rotate`, and only to it.", fix));
        }
        Ok(match (input.action, &input.changes) {
            (BulkAction::Disable, _) => Self::Turn(Turn::Off),
            (BulkAction::Enable, _) => Self::Turn(Turn::On),
            (BulkAction::Revoke, _) => {
                let reason = input.reason.clone().unwrap_or_default();
                name::reason("/reason", &reason)?;
                Self::Turn(Turn::Revoke(reason))
            }
            (BulkAction::Update, changes) => {
                let changes = changes.clone().unwrap_or_default();
                if changes.credits.is_some() {
                    // What is leased of a key's credits must be taken back one key at a time.
                    let fix = "Leave them out, and set them key by key.";
                    return Err(Invalid::new(
                        "/changes/credits",
                        "Credits cannot be set for many keys.",
                        fix,
                    ));
                }
                if changes == UpdateKey::default() {
                    return Err(Invalid::new("/changes", "There is nothing to change.", "Name a field."));
                }
                Self::Change(Box::new(changes))
            }
            (BulkAction::Rotate, _) => {
                let rotation = input.rotation.clone().unwrap_or_default();
                Ending::compile(&rotation, GRACE_SECONDS_DEFAULT)
                    .map_err(|invalid| invalid.below("/rotation"))?;
                Self::Rotate(Box::new(rotation))
            }
        })
    }

    const fn permissions(&self) -> &'static [&'static str] {
        match self {
            Self::Rotate(rotation) if rotation.expires_at.is_some() => {
                &[management::KEYS_READ, management::KEYS_ROTATE, management::KEYS_CREATE]
            }
            Self::Rotate(_) => &[management::KEYS_READ, management::KEYS_ROTATE],
            Self::Turn(Turn::On) | Self::Change(_) | Self::HandOver(_) => {
                &[management::KEYS_READ, management::KEYS_UPDATE]
            }
            Self::Turn(_) => &[management::KEYS_READ, management::KEYS_REVOKE],
        }
    }
}

impl Keystead {
    /// One call of an act on many keys.
    ///
    /// # Errors
    /// When the caller may not, a filter names what does not exist, or more keys match than expected.
    pub async fn bulk_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: BulkKeys,
    ) -> Result<BulkOutcome, Refused> {
        if input.filter.limit.is_some() || input.filter.cursor.is_some() {
            let fix = "Send `limit` and `cursor` beside the filter.";
            return Err(Invalid::new("/filter", "A filter here has no `limit` and no `cursor`.", fix).into());
        }
        let deed = Deed::read(&input)?;
        let (mut reader, filter) = self
            .filter(caller, project, &input.filter, deed.permissions())
            .await
            .map_err(|refused| refused.below("/filter"))?;
        if input.dry_run {
            return self.preview(&mut reader, &filter).await;
        }
        let (left, cut) = budget(input.limit, input.expected_count, input.cursor.as_deref())?;
        if let Some(outcome) = self.answered_before(caller).await? {
            // Other keys match by now: those that it made, or not those that it changed.
            return Ok(outcome);
        }
        let after = match cut.after {
            Some((at, id)) => Some((at, KeyId::from_slice(&id).ok_or_else(no_cursor)?)),
            None => None,
        };
        if after.is_none() {
            let matched = reader.count_keys(&filter).await?.total();
            if matched > left {
                return Err(more_match(matched, left));
            }
        }
        let mut rows = reader.find_keys(&filter, after, cut.rows()).await?;
        drop(reader);
        let more = rows.len() >= cut.rows() as usize;
        rows.truncate(cut.rows() as usize - 1);
        let handled = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if handled > left {
            return Err(more_match(handled, left));
        }
        let end = rows.last().filter(|_| more).map(|(row, _)| (row.created_at, *row.id.as_bytes()));
        let next_cursor = end.map(|end| format!("{}.{}", left - handled, cursor::encode(end)));
        // Whole before the act, because a retry is answered with it: by then other keys match.
        let outcome = BulkOutcome { matched: left, next_cursor, ..BulkOutcome::default() };
        self.do_all(caller, deed, rows.into_iter().map(|(row, _)| row).collect(), outcome).await
    }

    async fn preview(&self, reader: &mut Reader, filter: &KeyFilter) -> Result<BulkOutcome, Refused> {
        let matched = reader.count_keys(filter).await?.total();
        let rows = reader.find_keys(filter, None, SAMPLE).await?;
        let mut shown = self.views(reader, &rows).await?;
        let sample: Vec<Key> = rows.iter().filter_map(|(row, _)| shown.remove(&row.id)).collect();
        Ok(BulkOutcome { matched, sample, ..BulkOutcome::default() })
    }

    /// One transaction for all of them. A key that cannot be done does not hold up the others.
    async fn do_all(
        self: &Arc<Self>,
        caller: &Caller,
        deed: Deed,
        rows: Vec<KeyRow>,
        outcome: BulkOutcome,
    ) -> Result<BulkOutcome, Refused> {
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_some(caller, true, move |tx| {
            Box::pin(async move { this.do_each(tx, &by, &deed, rows, outcome).await })
        })
        .await
    }

    pub(crate) async fn do_each(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        deed: &Deed,
        rows: Vec<KeyRow>,
        outcome: BulkOutcome,
    ) -> Result<Acted<BulkOutcome>, Refused> {
        let mut acted = Acted { value: outcome, events: Vec::new(), changes: Vec::new() };
        let ids: Vec<KeyId> = rows.iter().map(|row| row.id).collect();
        // All of them, as others lock them, before the first is changed.
        let open = tx.open_rotations_of(&ids).await?;
        let partners = open.iter().flat_map(|rotation| [rotation.old_key_id, rotation.new_key_id]);
        tx.lock_keys(caller.organization(), ids.into_iter().chain(partners)).await?;
        for row in rows {
            let before = tx.mark().await?;
            let done = match self.keyring.directory.place_by_id(row.environment_id) {
                Some(place) => self.do_one(tx, caller, deed, row.id, &place).await,
                None => Err(Refused::not_found("key")),
            };
            match done {
                Ok(one) => {
                    tx.keep(before).await?;
                    acted.value.done += 1;
                    acted.value.rotated.extend(one.value);
                    acted.events.extend(one.events);
                    acted.changes.extend(one.changes);
                }
                Err(fault) => {
                    // What was written before it was refused goes, or it would stand without a record.
                    acted.value.refused.push(refusal(row.id, fault)?);
                    tx.undo(before).await?;
                }
            }
        }
        Ok(acted)
    }

    async fn do_one(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        deed: &Deed,
        id: KeyId,
        place: &Place,
    ) -> Result<Acted<Option<RotatedKey>>, Refused> {
        if id == caller.key_id() {
            // The rest could not be asked for any more, nor this undone.
            return Err(Refused::conflict(
                "This is the key that you call with.",
                "Do it to this key by itself, if you mean to.",
            ));
        }
        match deed {
            Deed::Turn(turn) => self.switch(tx, caller, id, turn.clone(), None).await.map(without_key),
            Deed::Change(changes) => {
                self.change(tx, caller, place, (id, None), (**changes).clone(), None).await.map(without_key)
            }
            Deed::HandOver(owner) => {
                for permission in deed.permissions() {
                    caller.require(permission, Some(&place.resource))?;
                }
                let changes = UpdateKey { owner: Some(owner.clone()), ..UpdateKey::default() };
                self.change(tx, caller, place, (id, None), changes, None).await.map(without_key)
            }
            Deed::Rotate(rotation) => {
                let Acted { value, events, changes } =
                    self.start_rotation(tx, caller, place, (id, None), rotation).await?;
                Ok(Acted { value: Some(value), events, changes })
            }
        }
    }
}

fn without_key(Acted { events, changes, .. }: Acted<Key>) -> Acted<Option<RotatedKey>> {
    Acted { value: None, events, changes }
}

/// How many keys may still be done, and where this call begins. The cursor carries what is left of
/// `expected_count`, so that keys which come to match meanwhile are not done beyond it.
pub(crate) fn budget(
    limit: Option<u32>,
    expected_count: Option<u64>,
    cursor: Option<&str>,
) -> Result<(u64, Cut<12>), Refused> {
    let limit = limit.unwrap_or(KEYS_USUAL);
    if !(1..=KEYS_MAX).contains(&limit) {
        let what = format!("{limit} keys in one call are not possible.");
        return Err(Invalid::new("/limit", what, format!("Ask for 1 to {KEYS_MAX}.")).into());
    }
    let expected = expected_count.ok_or_else(|| {
        Invalid::new(
            "/expected_count",
            "It is not said how many keys are expected to match.",
            "Send `dry_run` first, and its `matched` here.",
        )
    })?;
    let Some(cursor) = cursor else {
        return Ok((expected, Cut::read(Some(limit), None)?));
    };
    let (left, cut) = cursor.split_once('.').ok_or_else(no_cursor)?;
    let left: u64 = left.parse().map_err(|_| no_cursor())?;
    Ok((left.min(expected), Cut::read(Some(limit), Some(cut))?))
}

pub(crate) fn no_cursor() -> Refused {
    let fix = "Send `next_cursor` of the call before, or leave it out.";
    Invalid::new("/cursor", "This is not a cursor of this act.", fix).into()
}

pub(crate) fn more_match(matched: u64, expected: u64) -> Refused {
    Refused::conflict(
        format!("{matched} keys match, more than the {expected} that were expected."),
        "Look at them in a dry run, then send its `matched`.",
    )
}

/// Why one key was not done; what would not be that key's own fault ends the call.
fn refusal(id: KeyId, fault: Refused) -> Result<BulkRefusal, Refused> {
    let (detail, fix) = match fault {
        Refused::NotFound { .. } => {
            ("The key was purged meanwhile.".into(), "There is nothing left to do.".into())
        }
        Refused::Forbidden { permission, resource } => (
            format!("This needs {permission} on {resource}."),
            "Use a key that may do it, or leave this key out.".into(),
        ),
        Refused::Changed { .. } => ("It was changed at the same moment.".into(), "Try again.".into()),
        other => {
            let Fault { detail, fix, .. } = other.own_fault()?;
            (detail, fix)
        }
    };
    Ok(BulkRefusal { id: id.to_string(), detail, fix })
}
