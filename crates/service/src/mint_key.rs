//! Minting: the holder of a key makes a temporary one from it, which may never do more than the key
//! itself may at that moment, spends what the key has, and dies with it.

use crate::accounts::{empty_row, signed};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::create_key::{gone, metadata_json};
use crate::guardrails::enforce::{self, Candidate};
use crate::key_grants::wider;
use crate::key_proof::Proof;
use crate::key_view::{Beside, spec_of};
use crate::kinds::{self, TEMPORARY_SECONDS_MAX};
use crate::refused::Refused;
use crate::usage::{Subject, UsageEvent};
use crate::widening::covers;
use crate::{Keystead, caller};
use keystead_api::{Code, CreatedKey, KeyKind, MintKey};
use keystead_domain::conditions::Deed;
use keystead_domain::decide::{Ask, forbidden, judge_minting};
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::meter::{MeterId, UsesId};
use keystead_domain::name;
use keystead_domain::policy::{Given, Policy, PolicySpec};
use keystead_domain::time::{Micros, SECOND};
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Change, ChangeKind, KeyRow, MeterRow, Tx};
use std::sync::Arc;

/// Seconds until a minted key expires when its maker does not say.
const SECONDS_DEFAULT: i64 = 900;

/// What a key is minted with, checked.
struct Minted {
    spec: PolicySpec,
    json: String,
    row: KeyRow,
}

impl Keystead {
    /// Mints a temporary key from the caller's own.
    ///
    /// # Errors
    /// When that may not mint, or not now, or a field breaks a rule or asks for more than it has.
    pub async fn mint_key(self: &Arc<Self>, parent: &Caller, input: MintKey) -> Result<CreatedKey, Refused> {
        let now = self.clock.now();
        self.may_mint(parent, now)?;
        validate(&input)?;
        let expires_at = life(&input, parent, now)?;
        let place = Arc::clone(&parent.entry.place);
        let prefix = place.project.prefix.load();
        let (id, key) = self.mint_token(&prefix, &place.tag);
        let (this, by) = (Arc::clone(self), parent.clone());
        self.act_once(parent, move |tx| {
            Box::pin(async move { this.mint(tx, &by, input, (id, key), (now, expires_at)).await })
        })
        .await
    }

    /// Whether the parent is in force where the request comes from, and has the right and the room.
    fn may_mint(&self, parent: &Caller, now: Micros) -> Result<(), Refused> {
        let (entry, origin) = (&parent.entry, &parent.origin);
        let ask = parent.ask();
        let verdict = judge_minting(entry, &ask, now);
        let code = match &verdict {
            Ok(()) if entry.may_mint() => Code::Valid,
            Ok(()) => Code::InsufficientPermissions,
            Err(verdict) => verdict.code,
        };
        let user_agent = origin.user_agent.as_deref();
        self.usage.record(UsageEvent::new(Subject::Key(entry), &ask, user_agent, code, now));
        if let Err(verdict) = verdict {
            let policy = forbidden(entry, &Ask { deed: Deed::Mint, ..ask }, now);
            let policy = policy.filter(|_| verdict.code == Code::ConditionDenied);
            return Err(policy.map_or_else(|| caller::refuse(&verdict), |policy| Refused::policy(&policy)));
        }
        if code != Code::Valid {
            return Err(Refused::Forbidden { permission: "may_mint", resource: "the key itself".into() });
        }
        if self.keyring.children(entry.id) >= self.temporary.minted_max {
            return Err(Refused::conflict(
                "Too many keys that were minted from this one are not purged yet.",
                "Mint with longer lives and less often; the server's setting temporary.minted_max is the bound.",
            ));
        }
        Ok(())
    }

    async fn mint(
        &self,
        tx: &mut Tx,
        parent: &Caller,
        input: MintKey,
        (id, key): (KeyId, PlainKey),
        (now, expires_at): (Micros, Micros),
    ) -> Result<Acted<CreatedKey>, Refused> {
        let Minted { spec, json, row } =
            self.minted(tx, parent, input, (id, &key), (now, expires_at)).await?;
        let place = &parent.entry.place;
        let guard = enforce::guard_of(tx, &place.project).await?;
        // It needs no approval: it does nothing that its parent may not, for a day at most, and dies with it.
        let _needs = enforce::check_new(tx, &guard, place, Candidate { row: &row, spec: &spec }, now).await?;
        tx.insert_policy(row.organization_id, &row.policy_hash, &json).await?;
        // Roles are held fast: a policy is compiled with them. Permissions are not: what the
        // catalogue loses, the parent loses, and the key with it.
        let roles: Vec<_> = spec.roles.iter().filter_map(|role| role.id.parse().ok()).collect();
        tx.insert_key(&row, &[], &roles, &[]).await.map_err(gone)?;
        let uses = uses_row(&row);
        if let Some(uses) = &uses {
            tx.insert_meter(uses).await?;
        }
        let details = self.view(&row, &spec, Beside { uses: uses.as_ref(), ..Beside::default() })?;
        let event = with_difference(self.key_event(parent, "key.mint", &row), None, Some(&details));
        Ok(Acted {
            changes: vec![Change::new(row.organization_id, ChangeKind::Key, row.id.as_bytes())],
            events: vec![event],
            value: CreatedKey { key: key.expose().to_owned(), details },
        })
    }

    async fn minted(
        &self,
        tx: &mut Tx,
        parent: &Caller,
        input: MintKey,
        (id, key): (KeyId, &PlainKey),
        (now, expires_at): (Micros, Micros),
    ) -> Result<Minted, Refused> {
        let of = tx.key(parent.organization(), parent.key_id()).await?;
        let of = of.ok_or(Refused::Caller { code: Code::Revoked, retry_after_seconds: None })?;
        let metadata = input.metadata.as_ref().map(metadata_json).transpose()?;
        let given = spec_of(tx, &of).await?;
        let spec = self.narrowed(parent, given, input.permissions, input.restrictions)?;
        let json = spec.to_json();
        let Proof { id, digest, pepper_version, start } = self.proof_of(of.organization_id, id, key)?;
        let row = KeyRow {
            id,
            digest,
            pepper_version,
            start,
            kind: KeyKind::Temporary.as_str().into(),
            policy_hash: PolicySpec::hash_of(&json),
            disabled: false,
            suspended_until: None,
            revoked_at: None,
            revoked_reason: None,
            not_before: None,
            expires_at: Some(expires_at),
            name: input.name.unwrap_or_else(|| of.name.clone()),
            metadata,
            created_at: now,
            created_by: Some(of.id),
            created_from: parent.origin.ip.map(|ip| ip.to_string()),
            updated_at: now,
            version: 1,
            parent_id: Some(of.id),
            uses: input.uses.map(signed),
            may_mint: None,
            // Environment, lineage, owner and consumer are the parent's.
            ..of
        };
        Ok(Minted { spec, json, row })
    }

    /// What a minted key is given. It is asked together with its parent at each request, so what is
    /// refused here would have no effect there.
    fn narrowed(
        &self,
        parent: &Caller,
        given: PolicySpec,
        permissions: Option<Vec<keystead_api::PermissionGrant>>,
        restrictions: keystead_api::Restrictions,
    ) -> Result<PolicySpec, Refused> {
        let asked = permissions.is_some();
        let (permissions, roles) = match permissions {
            Some(permissions) => (permissions, Vec::new()),
            None => (given.permissions, given.roles),
        };
        let spec = PolicySpec { permissions, roles, restrictions, ..PolicySpec::default() };
        let policy = Policy::compile(&spec, |id| self.keyring.directory.role(id))?;
        let catalogue = parent.entry.place.project.catalogue.load();
        for (index, grant) in policy.grants.iter().enumerate().filter(|_| asked) {
            let Given::Permission(pattern) = &grant.given else { continue };
            if !covers(&parent.entry, pattern, grant.resources.as_deref()) {
                return Err(wider(format!("the key's grant {index} ({})", grant.describe())));
            }
            if !catalogue.grounds(pattern) {
                return Err(Refused::unknown(
                    format!("/permissions/{index}"),
                    "There is no such permission.",
                    "Ask for those that the parent has.",
                ));
            }
        }
        Ok(spec)
    }
}

/// The account of a new key's uses.
pub(crate) fn uses_row(row: &KeyRow) -> Option<MeterRow> {
    row.uses.map(|uses| MeterRow {
        credits_remaining: Some(uses),
        ..empty_row(row.organization_id, MeterId::Uses(UsesId::of(row.id)))
    })
}

fn validate(input: &MintKey) -> Result<(), Invalid> {
    if let Some(name) = &input.name {
        name::display_name("/name", name)?;
    }
    if let Some(metadata) = &input.metadata {
        name::metadata("/metadata", metadata)?;
    }
    kinds::uses(KeyKind::Temporary, input.uses)
}

/// When the key expires: when it was asked for, and never after its parent.
fn life(input: &MintKey, parent: &Caller, now: Micros) -> Result<Micros, Invalid> {
    let seconds =
        input.expires_in_seconds.map_or(Some(SECONDS_DEFAULT), |seconds| i64::try_from(seconds).ok());
    let seconds =
        seconds.filter(|seconds| (1..=TEMPORARY_SECONDS_MAX).contains(seconds)).ok_or_else(|| {
            Invalid::new(
                "/expires_in_seconds",
                "A minted key cannot live that long, or no time at all.",
                format!("Send 1 to {TEMPORARY_SECONDS_MAX}."),
            )
        })?;
    Ok(now.plus(seconds * SECOND).min(parent.entry.expires_at))
}
