//! What is asked for: done to see what it comes to, and done in earnest, by the same code as without an approval.

use super::Lifted;
use crate::Keystead;
use crate::caller::{Caller, Origin};
use crate::create_key::{Issue, prepare};
use crate::guardrails::enforce::policy_facts;
use crate::management;
use crate::people::{Own, may_hand_to};
use crate::present::{json, to_json};
use crate::refused::Refused;
use keystead_api::{CreateKey, Key, UpdateKey};
use keystead_domain::cells::Place;
use keystead_domain::ids::{KeyId, MemberId, OrganizationId};
use keystead_domain::policy::PolicySpec;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, ApprovalRow, Tx};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is asked for, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wish {
    Create(Box<CreateKey>),
    Update(Box<UpdateKey>),
}

/// Something asked for, and where.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) place: Arc<Place>,
    /// The key that is to be changed, at the version that was seen.
    pub(super) key: Option<(KeyId, Option<i64>)>,
}

/// What came of it.
pub(super) struct Performed {
    pub(super) acted: Acted<Key>,
    /// A new key itself.
    pub(super) key: Option<PlainKey>,
    pub(super) lifted: Lifted,
    /// Of what it comes to.
    pub(super) digest: [u8; 32],
}

impl Asked {
    /// The right to do such a thing to others' keys.
    const fn right(&self) -> &'static str {
        match self.wish {
            Wish::Create(_) => management::KEYS_CREATE,
            Wish::Update(_) => management::KEYS_UPDATE,
        }
    }
}

impl Keystead {
    /// What a stored request asks for; `None` when its environment is gone.
    pub(super) fn asked(&self, row: &ApprovalRow) -> Result<Option<Asked>, Refused> {
        let Some(place) = self.keyring.directory.place_by_id(row.environment_id) else { return Ok(None) };
        let wish: Wish = json(&row.wish)?;
        let key = match wish {
            Wish::Update(_) => row.key_id.map(|id| (id, row.key_version)),
            Wish::Create(_) => None,
        };
        Ok(Some(Asked { wish, place, key }))
    }

    /// The rights that it takes of who asks.
    pub(super) fn rights_to(
        &self,
        caller: &Caller,
        asked: &Asked,
    ) -> Result<&'static [&'static str], Refused> {
        match (&asked.wish, asked.key) {
            (Wish::Create(input), _) => {
                let named = (input.owner.as_deref(), input.consumer.as_deref(), input.team.as_deref());
                Ok(Own::of_new(caller, named.0, named.1, named.2).needed(&[management::KEYS_CREATE]))
            }
            (Wish::Update(_), Some((id, _))) => {
                let entry = self.keyring.get(id);
                let entry = entry.filter(|one| one.place.project.organization == caller.organization());
                let entry = entry.ok_or(Refused::not_found("key"))?;
                Ok(Own::of(caller, &entry).needed(&[management::KEYS_UPDATE]))
            }
            (Wish::Update(_), None) => Err(Refused::Internal("a change of no key".into())),
        }
    }

    /// Does it as this caller, who has been authorised; guardrails that an approval lifts are noted.
    pub(super) async fn perform(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        asked: Asked,
    ) -> Result<Performed, Refused> {
        let Asked { wish, place, key } = asked;
        let (now, mut lifted) = (self.clock.now(), Lifted::default());
        let (acted, key) = match wish {
            Wish::Create(mut input) => {
                prepare(&place.project, &mut input, now).map_err(|invalid| invalid.below("/create"))?;
                let (id, key) = self.mint_token(&place.project.prefix.load(), &place.tag);
                let proof = self.proof_of(place.project.organization, id, &key)?;
                let token = Some(key.expose());
                let issue = Issue { action: "key.create", proof, token, lifted: Some(&mut lifted) };
                let issued = self.issue_proven(tx, caller, &place, *input, issue, now).await;
                (issued.map_err(|refused| refused.below("/create"))?, Some(key))
            }
            Wish::Update(input) => {
                let key = key.ok_or_else(|| Refused::Internal("a change of no key".into()))?;
                let changed = self.change(tx, caller, &place, key, *input, Some(&mut lifted)).await;
                (changed.map_err(|refused| refused.below("/update"))?, None)
            }
        };
        let digest = digest(tx, caller.organization(), &lifted).await?;
        Ok(Performed { acted, key, lifted, digest })
    }

    /// Who a person is, as somebody who may do what they may now; `None` when they can do nothing any more.
    pub(super) fn as_person(
        &self,
        organization: OrganizationId,
        member: MemberId,
        origin: &Origin,
    ) -> Result<Option<Caller>, Refused> {
        let entry = self.entry_of_member(organization, member, KeyId::NONE)?;
        let entry = entry.filter(|entry| entry.disabled_principal().is_none());
        Ok(entry.map(|entry| Caller { entry, origin: origin.clone(), session: None, at: self.clock.now() }))
    }

    /// Refuses a decision on what the decider could not do: nobody approves beyond what they may give.
    pub(super) fn may_decide_on(
        &self,
        decider: &Caller,
        asked: &Asked,
        lifted: &Lifted,
    ) -> Result<(), Refused> {
        for permission in [management::APPROVALS_DECIDE, asked.right()] {
            decider.require(permission, Some(&asked.place.resource))?;
        }
        let Some(comes_to) = &lifted.comes_to else {
            return Err(Refused::Internal("it is not known what was asked for".into()));
        };
        if asked.place.project.system {
            self.not_wider_than_own(decider, &comes_to.spec)?;
        }
        match &asked.wish {
            Wish::Update(input) if input.owner.is_some() => {
                may_hand_to(decider, &asked.place, comes_to.owner)
            }
            Wish::Update(_) | Wish::Create(_) => Ok(()),
        }
    }
}

/// Of what it comes to: roles with what they give now, owner and consumer by their ids. A name that means something
/// else by the time an approval is redeemed makes another one.
async fn digest(tx: &mut Tx, organization: OrganizationId, lifted: &Lifted) -> Result<[u8; 32], Refused> {
    let Some(comes_to) = &lifted.comes_to else {
        return Err(Refused::Internal("it is not known what was asked for".into()));
    };
    let facts = policy_facts(tx, organization, &comes_to.spec).await?;
    let given: Vec<_> = facts.given.iter().map(|one| (one.pattern.as_str(), &one.resources)).collect();
    let (owner, consumer) = (comes_to.owner.to_string(), comes_to.consumer.map(|id| id.to_string()));
    Ok(PolicySpec::hash_of(&to_json(&(comes_to.spec.to_json(), given, owner, consumer))?))
}
