//! Issuing a key: it is shown once, and only its digest stays.

use crate::accounts::{empty_row, signed};
use crate::act::with_difference;
use crate::approvals::{Lifted, alone};
use crate::caller::Caller;
use crate::create_keys::no_environment;
use crate::guardrails::enforce::{self, Candidate};
use crate::guidelines::demand::has_read;
use crate::key_grants::{Granted, Wanted, refill_of, wider};
use crate::key_proof::Proof;
use crate::key_view::Beside;
use crate::kinds::{self, Shape};
use crate::mint_key::uses_row;
use crate::people::Own;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{CreateKey, CreatedKey, Key, KeyKind};
use keystead_domain::calendar::CreditsRule;
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::{ConsumerId, KeyId, OwnerId};
use keystead_domain::invalid::Invalid;
use keystead_domain::lease::CreditsAccount;
use keystead_domain::meter::MeterId;
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Change, ChangeKind, KeyRow, MeterRow, StoreError, Tx};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Keystead {
    /// Issues a key in one of the project's environments.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or names what does not exist.
    pub async fn create_key(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        mut input: CreateKey,
    ) -> Result<CreatedKey, Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        let broken = input.break_glass.take();
        let needed = rights_to_make(caller, &input, broken.as_deref())?;
        let Some(place) = directory.place(project.id, &input.environment) else {
            self.authorise_all(caller, &needed, Some(&project.resource)).await?;
            return Err(no_environment());
        };
        self.authorise_all(caller, &needed, Some(&place.resource)).await?;
        let now = self.clock.now();
        prepare(&project, &mut input, now)?;
        let prefix = project.prefix.load();
        let key = self.mint_token(&prefix, &place.tag);
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                match broken {
                    None => this.issue(tx, &by, &place, input, key, now).await,
                    Some(reason) => this.issue_breaking_glass(tx, &by, &place, input, key, &reason).await,
                }
            })
        })
        .await
    }

    /// Issues a key with a token of ours.
    pub(crate) async fn issue(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        input: CreateKey,
        (id, key): (KeyId, PlainKey),
        now: Micros,
    ) -> Result<Acted<CreatedKey>, Refused> {
        let proof = self.proof_of(place.project.organization, id, &key)?;
        let issue = Issue { action: "key.create", proof, token: Some(key.expose()), lifted: None };
        let Acted { value, events, changes } =
            self.issue_proven(tx, caller, place, input, issue, now).await?;
        let value = CreatedKey { key: key.expose().to_owned(), details: value };
        Ok(Acted { value, events, changes })
    }

    /// Issues a key, whoever made its token.
    pub(crate) async fn issue_proven(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        mut input: CreateKey,
        Issue { action, proof, token, lifted }: Issue<'_>,
        now: Micros,
    ) -> Result<Acted<Key>, Refused> {
        alone(input.break_glass.as_ref())?;
        has_read(tx, caller, &place.project).await?;
        let (owner, consumer) = self.owners_of(tx, caller, &place.project, &input).await?;
        lives_no_longer(caller, place, input.expires_at.map(Micros::from))?;
        kinds::check(
            input.kind,
            &place.project,
            &Shape {
                has_consumer: consumer.is_some(),
                expires_at: input.expires_at.map(Micros::from),
                restrictions: &input.restrictions,
            },
        )?;
        let credits = input.credits.as_ref().map(refill_of).transpose()?;
        let guard = enforce::guard_of(tx, &place.project).await?;
        let wanted = Wanted {
            kind: input.kind,
            permissions: std::mem::take(&mut input.permissions),
            roles: std::mem::take(&mut input.roles),
            restrictions: std::mem::take(&mut input.restrictions),
            limits: match guard.limits_default() {
                Some(limits) if input.limits.is_empty() => limits.to_vec(),
                _ => std::mem::take(&mut input.limits),
            },
            quota: input.quota.take(),
            credits,
        };
        let granted = self.check_grants(tx, caller, place, wanted).await?;
        self.within_owner(place, owner, &granted.spec)?;
        let row = new_row(caller, place, &input, &granted, (owner, consumer), proof, now)?;
        let candidate = Candidate { row: &row, spec: &granted.spec };
        let needs = enforce::check_new(tx, &guard, place, candidate, now).await?;
        Lifted::settle(lifted, needs, candidate)?;
        let meter = input.credits.as_ref().zip(credits).map(|(spec, refill)| {
            let rule = CreditsRule { refill: refill.refill, amount: refill.amount };
            credits_row(&row, spec.remaining, &rule, now)
        });
        let uses = uses_row(&row);
        insert(tx, &row, &granted, &input.tags, [&meter, &uses]).await?;
        if input.kind == KeyKind::Public {
            let token = token.ok_or_else(|| Refused::Internal("a public key without its token".into()))?;
            self.keep_sealed(tx, row.organization_id, row.id, token).await?;
        }
        let beside =
            Beside { tags: input.tags, meter: meter.as_ref(), uses: uses.as_ref(), ..Beside::default() };
        let details = self.view(&row, &granted.spec, beside)?;
        let event = with_difference(self.key_event(caller, action, &row), None, Some(&details));
        Ok(Acted {
            changes: vec![Change::new(row.organization_id, ChangeKind::Key, row.id.as_bytes())],
            events: vec![event],
            value: details,
        })
    }
}

/// A key about to be issued, beside what was asked for.
pub(crate) struct Issue<'a> {
    /// What it is called on record.
    pub(crate) action: &'static str,
    pub(crate) proof: Proof,
    /// The token itself, where it is known: a public key is sealed to be read again.
    pub(crate) token: Option<&'a str>,
    /// Where it is noted what would have to be approved; without it, that is refused.
    pub(crate) lifted: Option<&'a mut Lifted>,
}

/// The rights that making a key takes, in a hurry or not.
fn rights_to_make(
    caller: &Caller,
    input: &CreateKey,
    broken: Option<&str>,
) -> Result<Vec<&'static str>, Invalid> {
    let own = Own::of_new(caller, input.owner.as_deref(), input.consumer.as_deref(), input.team.as_deref());
    let mut needed = own.needed(&[management::KEYS_CREATE]).to_vec();
    if let Some(reason) = broken {
        name::reason("/break_glass", reason)?;
        needed.push(management::APPROVALS_BREAK_GLASS);
    }
    Ok(needed)
}

/// A key of a system project lives no longer than who makes it.
pub(crate) fn lives_no_longer(
    caller: &Caller,
    place: &Place,
    expires_at: Option<Micros>,
) -> Result<(), Refused> {
    if place.project.system && caller.entry.expires_at < expires_at.unwrap_or(Micros::FOREVER) {
        return Err(wider("a longer life than your own key's"));
    }
    Ok(())
}

fn new_row(
    caller: &Caller,
    place: &Place,
    input: &CreateKey,
    granted: &Granted,
    (owner, consumer): (OwnerId, Option<ConsumerId>),
    Proof { id, digest, pepper_version, start }: Proof,
    now: Micros,
) -> Result<KeyRow, Refused> {
    Ok(KeyRow {
        id,
        organization_id: place.project.organization,
        environment_id: place.environment,
        lineage_id: id,
        kind: input.kind.as_str().into(),
        digest,
        pepper_version,
        owner,
        consumer_id: consumer,
        policy_hash: granted.hash,
        disabled: false,
        suspended_until: None,
        revoked_at: None,
        not_before: input.not_before.map(Micros::from),
        expires_at: input.expires_at.map(Micros::from),
        project_id: place.project.id,
        name: input.name.clone(),
        start,
        revoked_reason: None,
        metadata: input.metadata.as_ref().map(metadata_json).transpose()?,
        created_at: now,
        created_by: caller.key(),
        created_from: caller.origin.ip.map(|ip| ip.to_string()),
        updated_at: now,
        version: 1,
        parent_id: None,
        uses: input.uses.map(signed),
        may_mint: input.may_mint,
    })
}

async fn insert(
    tx: &mut Tx,
    row: &KeyRow,
    granted: &Granted,
    tags: &[String],
    meters: [&Option<MeterRow>; 2],
) -> Result<(), Refused> {
    tx.insert_policy(row.organization_id, &granted.hash, &granted.json).await?;
    tx.insert_key(row, tags, &granted.roles, &granted.exact_permissions).await.map_err(gone)?;
    for meter in meters.into_iter().flatten() {
        tx.insert_meter(meter).await?;
    }
    Ok(())
}

/// Metadata as it is stored.
pub(crate) fn metadata_json(metadata: &Map<String, Value>) -> Result<String, Refused> {
    serde_json::to_string(metadata).map_err(|_| Refused::Internal("metadata that is no JSON".into()))
}

/// The account of new credits.
pub(crate) fn credits_row(row: &KeyRow, remaining: u64, rule: &CreditsRule, now: Micros) -> MeterRow {
    let account = CreditsAccount::open(remaining, rule, now);
    MeterRow {
        credits_remaining: Some(signed(account.remaining)),
        credits_refill_at: account.refill_at,
        ..empty_row(row.organization_id, MeterId::Lineage(row.lineage_id))
    }
}

/// A row that was there a moment ago was deleted by another act.
pub(crate) fn gone(error: StoreError) -> Refused {
    match error {
        StoreError::Referenced => Refused::conflict(
            "Its owner, consumer, role, permission or environment was deleted a moment ago.",
            "Look again, and send the request with what exists.",
        ),
        other => other.into(),
    }
}

/// Checks what needs no database, having put in what its kind lets the maker leave out.
pub(crate) fn prepare(project: &ProjectCell, input: &mut CreateKey, now: Micros) -> Result<(), Invalid> {
    kinds::with_expiry(input, now);
    kinds::mint_right(project, input.may_mint, input.uses.is_some())?;
    validate(input, now)
}

fn validate(input: &CreateKey, now: Micros) -> Result<(), Invalid> {
    name::display_name("/name", &input.name)?;
    name::tags("/tags", &input.tags)?;
    if let Some(metadata) = &input.metadata {
        name::metadata("/metadata", metadata)?;
    }
    kinds::uses(input.kind, input.uses)?;
    window(input.not_before.map(Micros::from), input.expires_at.map(Micros::from), now)
}

/// A validity window that ends after it begins, and in the future.
pub(crate) fn window(
    not_before: Option<Micros>,
    expires_at: Option<Micros>,
    now: Micros,
) -> Result<(), Invalid> {
    let Some(end) = expires_at else { return Ok(()) };
    if end <= now {
        return Err(Invalid::new(
            "/expires_at",
            "This is in the past.",
            "Send an instant in the future, or revoke the key.",
        ));
    }
    if not_before.is_some_and(|from| end <= from) {
        return Err(Invalid::new(
            "/expires_at",
            "The validity would end before it begins.",
            "Send an instant after `not_before`.",
        ));
    }
    Ok(())
}
