//! Changing a key: any of it but its secret. It holds from the next request on.

use crate::accounts::{empty_row, unsigned};
use crate::act::with_difference;
use crate::approvals::{Lifted, alone};
use crate::caller::Caller;
use crate::create_key::{credits_row, gone, lives_no_longer, metadata_json, window};
use crate::guardrails::enforce::{self, Candidate};
use crate::key_grants::{Granted, Wanted, refill_of};
use crate::key_owners::set_owners;
use crate::key_view::{Beside, spec_of, uses_of};
use crate::kinds::{self, Shape};
use crate::people::Own;
use crate::refused::Refused;
use crate::rotation_view::rotating;
use crate::{Keystead, management};
use keystead_api::{Key, UpdateKey};
use keystead_domain::calendar::CreditsRule;
use keystead_domain::cells::Place;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::meter::MeterId;
use keystead_domain::name;
use keystead_domain::policy::{PolicySpec, RefillSpec};
use keystead_domain::time::Micros;
use keystead_store::{Acted, Change, ChangeKind, KeyRow, RotationStage, Tx};
use std::sync::Arc;

/// A key as it is in the store, with what is shown beside it.
pub(crate) struct Stored {
    pub(crate) row: KeyRow,
    pub(crate) spec: PolicySpec,
    pub(crate) shown: Key,
}

/// A change that is about to be made.
struct Edit {
    place: Arc<Place>,
    id: KeyId,
    input: UpdateKey,
    if_match: Option<i64>,
    /// Why it cannot wait for an approval.
    broken: Option<String>,
}

impl Keystead {
    /// Changes a key.
    ///
    /// # Errors
    /// When the caller may not, the key is revoked, `if_match` names another version, or a field
    /// breaks a rule.
    pub async fn update_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        mut input: UpdateKey,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        let broken = input.break_glass.take();
        let (id, place) = match &broken {
            None => self.locate_own_key(caller, id, &[management::KEYS_UPDATE]).await?,
            Some(reason) => {
                name::reason("/break_glass", reason)?;
                let needed = [management::KEYS_UPDATE, management::APPROVALS_BREAK_GLASS];
                self.locate_key(caller, id, &needed).await?
            }
        };
        let (this, caller) = (Arc::clone(self), caller.clone());
        let edit = Edit { place, id, input, if_match, broken };
        // A client that goes away must not stop it between the commit and the end of old credits.
        let task = self.tasks.spawn(async move { this.edit(caller, edit).await });
        task.await.map_err(|_| Refused::Internal("an edit did not run to its end".into()))?
    }

    async fn edit(
        self: Arc<Self>,
        caller: Caller,
        Edit { place, id, input, if_match, broken }: Edit,
    ) -> Result<Key, Refused> {
        let new_credits = input.credits.is_some();
        let lineage = self.keyring.get(id).map(|entry| MeterId::Lineage(entry.lineage.id));
        // A block of the old credits that is on its way here must not come in beside the new ones.
        let _turn = match lineage.filter(|_| new_credits).and_then(|lineage| self.turns.of(lineage)) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let this = Arc::clone(&self);
        let changed = self
            .act(move |tx| {
                Box::pin(async move {
                    match broken {
                        None => this.change(tx, &caller, &place, (id, if_match), input, None).await,
                        Some(reason) => {
                            let key = (id, if_match);
                            this.change_breaking_glass(tx, &caller, &place, key, input, &reason).await
                        }
                    }
                })
            })
            .await?;
        if let Some(entry) = self.keyring.get(id).filter(|_| new_credits) {
            // Nor must what is left of one be spent beside them.
            entry.lineage.meter.take_out(self.clock.now());
        }
        Ok(changed)
    }

    /// The key that a path names, once the caller may act on it: one's own by the right to look after those.
    pub(crate) async fn locate_own_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        permissions: &[&'static str],
    ) -> Result<(KeyId, Arc<Place>), Refused> {
        let entry = self.key_named(caller, id)?;
        let needed = Own::of(caller, &entry).needed(permissions);
        self.authorise_all(caller, needed, Some(&entry.place.resource)).await?;
        Ok((entry.id, entry.place))
    }

    /// The same by the rights on everybody's keys, also where the key is one's own.
    pub(crate) async fn locate_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        permissions: &[&'static str],
    ) -> Result<(KeyId, Arc<Place>), Refused> {
        let entry = self.key_named(caller, id)?;
        self.authorise_all(caller, permissions, Some(&entry.place.resource)).await?;
        Ok((entry.id, entry.place))
    }

    fn key_named(&self, caller: &Caller, id: &str) -> Result<Entry, Refused> {
        let entry = id.parse::<KeyId>().ok().and_then(|id| self.keyring.get(id));
        let entry = entry.filter(|entry| entry.place.project.organization == caller.organization());
        entry.ok_or(Refused::not_found("key"))
    }

    /// Reads a key inside the transaction that changes it.
    pub(crate) async fn stored_key(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: KeyId,
        if_match: Option<i64>,
    ) -> Result<Stored, Refused> {
        let row = tx.key(caller.organization(), id).await?.ok_or(Refused::not_found("key"))?;
        if if_match.is_some_and(|version| version != row.version) {
            return Err(Refused::Changed { current: row.version });
        }
        let spec = spec_of(tx, &row).await?;
        let tags = tx.key_tags(id).await?;
        let meter = tx.meter(MeterId::Lineage(row.lineage_id)).await?;
        let uses = uses_of(tx, &row).await?;
        let last_used_at = tx.seen(row.lineage_id).await?.and_then(|seen| seen.last_used_at);
        let rotating = rotating(id, &tx.rotations_of(row.organization_id, id).await?, self.clock.now());
        let beside = Beside { tags, meter: meter.as_ref(), uses: uses.as_ref(), last_used_at, rotating };
        let shown = self.view(&row, &spec, beside)?;
        Ok(Stored { row, spec, shown })
    }

    pub(crate) async fn change(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        (id, if_match): (KeyId, Option<i64>),
        input: UpdateKey,
        lifted: Option<&mut Lifted>,
    ) -> Result<Acted<Key>, Refused> {
        alone(input.break_glass.as_ref())?;
        let shares = input.limits.is_some() || input.quota.is_some() || input.credits.is_some();
        lock(tx, caller.organization(), id, shares).await?;
        let Stored { mut row, spec, shown } = self.stored_key(tx, caller, id, if_match).await?;
        if row.revoked_at.is_some() {
            return Err(Refused::conflict("The key is revoked, which is for good.", "Issue a new key."));
        }
        kinds::own_fields(&row, &input)?;
        kinds::mint_right(&place.project, input.may_mint, row.uses.is_some())?;
        if input.expires_at.is_some() {
            not_rotated_away(tx, &row).await?;
        }
        let now = self.clock.now();
        let (before, expected) = (row.clone(), row.version);
        set_plain(&mut row, &input, now)?;
        set_owners(tx, caller, place, &mut row, &input).await?;
        lives_no_longer(caller, place, row.expires_at)?;
        kinds::check(
            shown.kind,
            &place.project,
            &Shape {
                has_consumer: row.consumer_id.is_some(),
                expires_at: row.expires_at,
                restrictions: input.restrictions.as_ref().unwrap_or(&shown.restrictions),
            },
        )?;
        let refill = match &input.credits {
            Some(credits) => credits.as_ref().map(refill_of).transpose()?,
            None => spec.credits,
        };
        let granted = self.check_grants(tx, caller, place, wanted(&input, &shown, refill)).await?;
        if input.permissions.is_some() || input.roles.is_some() {
            self.within_owner(place, row.owner, &granted.spec)?;
        }
        row.policy_hash = granted.hash;
        let (was, will) =
            (Candidate { row: &before, spec: &spec }, Candidate { row: &row, spec: &granted.spec });
        let guard = enforce::guard_of(tx, &place.project).await?;
        Lifted::settle(lifted, enforce::check_changed(tx, &guard, place, (was, will), now).await?, will)?;
        (row.version, row.updated_at) = (expected + 1, now);
        write(tx, &row, &input, &granted, expected).await?;
        if let Some(credits) = &input.credits {
            set_credits(tx, &row, credits.as_ref().map(|credits| credits.remaining), refill, now).await?;
        }
        let after = self.stored_key(tx, caller, id, None).await?.shown;
        let event = with_difference(self.key_event(caller, "key.update", &row), Some(&shown), Some(&after));
        let mut acted = Acted {
            value: after,
            events: vec![event],
            changes: vec![Change::new(row.organization_id, ChangeKind::Key, id.as_bytes())],
        };
        if shares {
            self.share_limits(tx, caller, id, &granted.spec, &mut acted).await?;
        }
        Ok(acted)
    }
}

/// Locks a key, and the other one of its rotation where that one is changed too.
async fn lock(tx: &mut Tx, organization: OrganizationId, id: KeyId, shares: bool) -> Result<(), Refused> {
    let open = if shares { tx.open_rotations_of(&[id]).await? } else { Vec::new() };
    let both = open.iter().flat_map(|rotation| [rotation.old_key_id, rotation.new_key_id]);
    tx.lock_keys(organization, both.chain([id])).await?;
    Ok(())
}

/// The end of a key that another takes over from is the rotation's: to prolong it would revive it.
async fn not_rotated_away(tx: &mut Tx, row: &KeyRow) -> Result<(), Refused> {
    let rotations = tx.rotations_of(row.organization_id, row.id).await?;
    let standing = rotations
        .iter()
        .find(|rotation| rotation.old_key_id == row.id && rotation.state != RotationStage::Cancelled);
    standing.map_or(Ok(()), |rotation| {
        Err(Refused::conflict(
            format!("The key is rotated into {}, and that says when it ends.", rotation.new_key_id),
            "Change the new key, or cancel the rotation while it is not over.",
        ))
    })
}

fn set_plain(row: &mut KeyRow, input: &UpdateKey, now: Micros) -> Result<(), Refused> {
    if let Some(new) = &input.name {
        name::display_name("/name", new)?;
        row.name.clone_from(new);
    }
    if let Some(tags) = &input.tags {
        name::tags("/tags", tags)?;
    }
    if let Some(metadata) = &input.metadata {
        name::metadata("/metadata", metadata)?;
        row.metadata = Some(metadata_json(metadata)?);
    }
    row.may_mint = input.may_mint.or(row.may_mint);
    if let Some(not_before) = input.not_before {
        row.not_before = not_before.map(Micros::from);
    }
    if let Some(expires_at) = input.expires_at {
        row.expires_at = expires_at.map(Micros::from);
    }
    if input.not_before.is_some() || input.expires_at.is_some() {
        window(row.not_before, row.expires_at, now)?;
    }
    Ok(())
}

/// What the key is to be given: as sent, else as it is.
fn wanted(input: &UpdateKey, shown: &Key, credits: Option<RefillSpec>) -> Wanted {
    Wanted {
        kind: shown.kind,
        permissions: input.permissions.clone().unwrap_or_else(|| shown.permissions.clone()),
        roles: input.roles.clone().unwrap_or_else(|| shown.roles.clone()),
        restrictions: input.restrictions.clone().unwrap_or_else(|| shown.restrictions.clone()),
        limits: input.limits.clone().unwrap_or_else(|| shown.limits.clone()),
        quota: input.quota.clone().unwrap_or_else(|| shown.quota.clone()),
        credits,
    }
}

async fn write(
    tx: &mut Tx,
    row: &KeyRow,
    input: &UpdateKey,
    granted: &Granted,
    expected: i64,
) -> Result<(), Refused> {
    tx.insert_policy(row.organization_id, &granted.hash, &granted.json).await?;
    if !tx.update_key(row, expected).await.map_err(gone)? {
        return Err(Refused::Changed { current: expected + 1 });
    }
    if let Some(tags) = &input.tags {
        tx.set_key_tags(row.id, tags).await?;
    }
    if input.permissions.is_some() || input.roles.is_some() {
        tx.set_key_references(row.id, &granted.roles, &granted.exact_permissions).await.map_err(gone)?;
    }
    Ok(())
}

/// New credits replace what was left in the store; what this process still holds of the old ones is
/// dropped with their rule.
async fn set_credits(
    tx: &mut Tx,
    row: &KeyRow,
    remaining: Option<u64>,
    refill: Option<RefillSpec>,
    now: Micros,
) -> Result<(), Refused> {
    let id = MeterId::Lineage(row.lineage_id);
    let fresh = match (remaining, refill) {
        (Some(remaining), Some(refill)) => {
            credits_row(row, remaining, &CreditsRule { refill: refill.refill, amount: refill.amount }, now)
        }
        _ => empty_row(row.organization_id, id),
    };
    match tx.lock_meter(id).await? {
        Some(mut meter) => {
            (meter.credits_remaining, meter.credits_refill_at) =
                (fresh.credits_remaining, fresh.credits_refill_at);
            // Whatever any node still holds of the old credits ends with this.
            meter.credits_epoch += 1;
            tx.update_meter(&meter).await?;
        }
        None if unsigned(fresh.credits_remaining.unwrap_or(0)) > 0 => tx.insert_meter(&fresh).await?,
        None => {}
    }
    Ok(())
}
