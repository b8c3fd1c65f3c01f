//! Rotating a key: a new secret under a new id, in the same lineage; the old key lives on for a
//! while. Its limits, quota and credits go on, never twice (LESSONS 3).

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::create_key::{gone, window};
use crate::guardrails::enforce::{self, Candidate};
use crate::guidelines::demand::has_read;
use crate::key_grants::wider;
use crate::key_proof::Proof;
use crate::key_view::Beside;
use crate::notices::Occasion;
use crate::refused::Refused;
use crate::rotation_view::{rotating, show, state};
use crate::update_key::Stored;
use crate::{Keystead, management};
use keystead_api::{CreatedKey, KeyKind, RotateKey, RotatedKey, RotationState};
use keystead_domain::cells::Place;
use keystead_domain::ids::{KeyId, RoleId};
use keystead_domain::meter::MeterId;
use keystead_domain::policy::PolicySpec;
use keystead_domain::rotation::Ending;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Change, ChangeKind, Event, KeyRow, RotationRow, RotationStage, StoreError, Tx};
use std::sync::Arc;

impl Keystead {
    /// Starts a rotation. The answer holds the new key, which is shown only now.
    ///
    /// # Errors
    /// When the caller may not, the key has ended, it is a part of a rotation that is not over, or a
    /// field breaks a rule.
    pub async fn rotate_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: RotateKey,
        if_match: Option<i64>,
    ) -> Result<RotatedKey, Refused> {
        // Another life than the old key's is a new one: that takes a creator's right.
        let needed: &[&str] = match input.expires_at {
            Some(_) => &[management::KEYS_ROTATE, management::KEYS_CREATE],
            None => &[management::KEYS_ROTATE],
        };
        let (id, place) = self.locate_own_key(caller, id, needed).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move { this.start_rotation(tx, &by, &place, (id, if_match), &input).await })
        })
        .await
    }

    /// Starts a rotation within a transaction, of a key of that version where one is named.
    pub(crate) async fn start_rotation(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        (id, if_match): (KeyId, Option<i64>),
        input: &RotateKey,
    ) -> Result<Acted<RotatedKey>, Refused> {
        let now = self.clock.now();
        has_read(tx, caller, &place.project).await?;
        tx.lock_key(caller.organization(), id).await?;
        let Stored { row: mut before, spec, shown } = self.stored_key(tx, caller, id, if_match).await?;
        self.secret_is_for(caller, id, before.owner)?;
        rotatable(tx, &before, now).await?;
        let plan = tx.rotation_plan(before.organization_id, before.project_id).await?;
        let plan = crate::rotation_plans::show(plan.as_ref());
        let ending = Ending::compile(input, plan.grace_seconds)?;
        let expires_at = input.expires_at.map_or(before.expires_at, |at| Some(Micros::from(at)));
        if input.expires_at.is_some() {
            window(before.not_before, expires_at, now)?;
        }
        self.may_hand_over(caller, place, &spec, expires_at)?;
        let (row, key) = self.successor(tx, caller, place, &before, expires_at, now).await?;
        let (was, will) = (Candidate { row: &before, spec: &spec }, Candidate { row: &row, spec: &spec });
        let guard = enforce::guard_of(tx, &place.project).await?;
        enforce::check_changed(tx, &guard, place, (was, will), now).await?.refuse()?;
        let revokes = input.revoke_lineage_on_reuse.unwrap_or(plan.revoke_lineage_on_reuse);
        let rotation = started(&before, row.id, ending, revokes, now);
        shorten(tx, &mut before, rotation.ends_at, now).await?;
        tx.insert_key(&row, &shown.tags, &roles(&spec), &spec.exact_permissions()).await.map_err(gone)?;
        if row.kind == KeyKind::Public.as_str() {
            self.keep_sealed(tx, row.organization_id, row.id, key.expose()).await?;
        }
        tx.insert_rotation(&rotation).await.map_err(already)?;
        self.notify(tx, Occasion::Started, &rotation, &row).await?;
        let meter = tx.meter(MeterId::Lineage(row.lineage_id)).await?;
        let last_used_at = tx.seen(row.lineage_id).await?.and_then(|seen| seen.last_used_at);
        let rotating = rotating(row.id, std::slice::from_ref(&rotation), now);
        let beside = Beside { tags: shown.tags, meter: meter.as_ref(), uses: None, last_used_at, rotating };
        let details = self.view(&row, &spec, beside)?;
        let shown_rotation = show(&rotation, now);
        let created = with_difference(self.key_event(caller, "key.create", &row), None, Some(&details));
        let rotated =
            with_difference(self.key_event(caller, "key.rotate", &before), None, Some(&shown_rotation));
        Ok(Acted {
            changes: changes(&rotation),
            events: vec![rotated, created],
            value: RotatedKey {
                created: CreatedKey { key: key.expose().to_owned(), details },
                replaces: rotation.old_key_id.to_string(),
                rotation: shown_rotation,
            },
        })
    }

    /// Whoever rotates a key of a system project holds it then: it may be no more than their own.
    fn may_hand_over(
        &self,
        caller: &Caller,
        place: &Place,
        spec: &PolicySpec,
        expires_at: Option<Micros>,
    ) -> Result<(), Refused> {
        if !place.project.system {
            return Ok(());
        }
        if caller.entry.expires_at < expires_at.unwrap_or(Micros::FOREVER) {
            return Err(wider("a longer life than your own key's"));
        }
        self.not_wider_than_own(caller, spec)
    }

    /// The key that takes over: all as it was but id and secret. What is switched off stays off.
    async fn successor(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        old: &KeyRow,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<(KeyRow, PlainKey), Refused> {
        let project = tx.project(old.organization_id, old.project_id).await?;
        let project = project.ok_or(Refused::not_found("project"))?;
        let (id, key) = self.entropy.with(|rng| {
            let id = KeyId::random(rng);
            // Of a key that others issued any beginning may be told: only ours says a prefix.
            let ours = old.start.ends_with(old.id.digits());
            let key = if ours { PlainKey::mint_like(&old.start, id, rng) } else { None };
            (id, key.unwrap_or_else(|| PlainKey::mint(&project.prefix, &place.tag, id, rng)))
        });
        let Proof { id, digest, pepper_version, start } = self.proof_of(old.organization_id, id, &key)?;
        let row = KeyRow {
            id,
            digest,
            pepper_version,
            expires_at,
            start,
            created_at: now,
            created_by: caller.key(),
            created_from: caller.origin.ip.map(|ip| ip.to_string()),
            updated_at: now,
            version: 1,
            ..old.clone()
        };
        Ok((row, key))
    }

    /// The audit record of an act by a caller on a key.
    pub(crate) fn key_event(&self, caller: &Caller, action: &'static str, row: &KeyRow) -> Event {
        Event { target_lineage: Some(row.lineage_id), ..self.event(caller, action, key_target(row)) }
    }

    /// The audit record of an act by the server itself on a key.
    pub(crate) fn own_key_event(&self, action: &'static str, row: &KeyRow) -> Event {
        let event = self.own_event(row.organization_id, action, key_target(row));
        Event { target_lineage: Some(row.lineage_id), ..event }
    }
}

/// A rotation that begins now.
fn started(old: &KeyRow, new: KeyId, ending: Ending, revokes: bool, now: Micros) -> RotationRow {
    RotationRow {
        new_key_id: new,
        old_key_id: old.id,
        organization_id: old.organization_id,
        state: RotationStage::Draining,
        overlap_seconds: match ending {
            Ending::After(_) => None,
            Ending::AfterFirstUse(seconds) => Some(crate::accounts::signed(seconds)),
        },
        old_expires_at: old.expires_at,
        started_at: now,
        first_used_at: None,
        ends_at: ending.at_start(old.expires_at, now),
        closed_at: None,
        revoke_lineage_on_reuse: revokes,
    }
}

/// A key as what an audit record is about.
fn key_target(row: &KeyRow) -> Target<'_> {
    Target { kind: "key", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

/// Both keys of a rotation: each is read again.
pub(crate) fn changes(rotation: &RotationRow) -> Vec<Change> {
    [rotation.new_key_id, rotation.old_key_id]
        .map(|id| Change::new(rotation.organization_id, ChangeKind::Key, id.as_bytes()))
        .into()
}

/// Writes the old key's end, where there is one now. The version is the row condition: of two
/// rotations at once, one wins.
pub(crate) async fn shorten(
    tx: &mut Tx,
    old: &mut KeyRow,
    ends_at: Option<Micros>,
    now: Micros,
) -> Result<(), Refused> {
    let expected = old.version;
    if let Some(end) = ends_at {
        old.expires_at = Some(old.expires_at.map_or(end, |expiry| expiry.min(end)));
    }
    (old.version, old.updated_at) = (expected + 1, now);
    if tx.update_key(old, expected).await? { Ok(()) } else { Err(StoreError::Conflict.into()) }
}

/// Whether a rotation still has two keys.
pub(crate) fn is_open(rotation: &RotationRow, now: Micros) -> bool {
    matches!(state(rotation, now), RotationState::WaitingForFirstUse | RotationState::Draining)
}

/// Refuses a key that has ended, or is a part of a rotation that is not over.
async fn rotatable(tx: &mut Tx, row: &KeyRow, now: Micros) -> Result<(), Refused> {
    if row.revoked_at.is_some() {
        return Err(Refused::conflict("The key is revoked, which is for good.", "Issue a new key."));
    }
    if row.kind == KeyKind::Temporary.as_str() {
        // Its uses would be given again, and what was minted from it would belong to neither.
        return Err(Refused::conflict(
            "A temporary key is not rotated.",
            "Issue another one, or mint another from its parent.",
        ));
    }
    for rotation in tx.rotations_of(row.organization_id, row.id).await? {
        if is_open(&rotation, now) {
            return Err(Refused::conflict(
                format!("{} is being rotated into {}.", rotation.old_key_id, rotation.new_key_id),
                "Complete or cancel that rotation first.",
            ));
        }
        if rotation.old_key_id == row.id && rotation.state != RotationStage::Cancelled {
            return Err(Refused::conflict(
                format!("The key was rotated into {}, and has ended.", rotation.new_key_id),
                format!("Rotate {} instead.", rotation.new_key_id),
            ));
        }
    }
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(Refused::conflict(
            "The key has expired, and rotating brings no key back.",
            "Issue a new key.",
        ));
    }
    Ok(())
}

fn roles(spec: &PolicySpec) -> Vec<RoleId> {
    spec.roles.iter().filter_map(|role| role.id.parse().ok()).collect()
}

/// Of two rotations at once, one wins.
fn already(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) => StoreError::Conflict.into(),
        other => other.into(),
    }
}
