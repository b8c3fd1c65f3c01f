//! Issuing many keys together: all of them or none, each with its own audit record.

use crate::caller::Caller;
use crate::create_key::prepare;
use crate::guardrails::enforce;
use crate::refused::{Refused, below_item};
use crate::{Keystead, management};
use keystead_api::{CreateKey, CreateKeys, CreatedKey, CreatedKeys};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Size, Tx};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The most keys issued together.
const ITEMS_MAX: usize = 1_000;
/// Faults that are told at once.
const FAULTS_MAX: usize = 100;

/// A key to be issued: its place, what was asked, its id and itself.
type Ready = (Arc<Place>, CreateKey, (KeyId, PlainKey));

impl Keystead {
    /// Issues keys in one transaction.
    ///
    /// # Errors
    /// When the caller may not issue one of them, or one breaks a rule; every fault is named by its
    /// item's place, and none is issued.
    pub async fn create_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        mut input: CreateKeys,
    ) -> Result<CreatedKeys, Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        if !(1..=ITEMS_MAX).contains(&input.items.len()) {
            self.authorise(caller, management::KEYS_CREATE, Some(&project.resource)).await?;
            let what = format!("A batch of {} is not possible.", input.items.len());
            return Err(Invalid::new("/items", what, format!("Send 1 to {ITEMS_MAX}.")).into());
        }
        let places = self.places_of(caller, &project, &input.items).await?;
        let now = self.clock.now();
        let faults = input.items.iter_mut().enumerate().filter_map(|(index, item)| {
            let fault = prepare(&project, item, now).err()?;
            Some((index, fault.into()))
        });
        all_well(faults.collect())?;
        let prefix = project.prefix.load();
        let mut ready = Vec::with_capacity(input.items.len());
        for item in input.items {
            let place = places.get(&item.environment).cloned();
            let place = place.ok_or_else(|| Refused::Internal("a place that was there".into()))?;
            let key = self.mint_token(&prefix, &place.tag);
            ready.push((place, item, key));
        }
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once_of(caller, Size::Large, move |tx| {
            Box::pin(async move { this.issue_all(tx, &by, ready, now).await })
        })
        .await
    }

    /// Where each item's key is to be; the caller may issue keys in each of these places.
    async fn places_of(
        self: &Arc<Self>,
        caller: &Caller,
        project: &ProjectCell,
        items: &[CreateKey],
    ) -> Result<HashMap<String, Arc<Place>>, Refused> {
        let mut places = HashMap::new();
        let mut faults = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Entry::Vacant(vacant) = places.entry(item.environment.clone()) else { continue };
            match self.keyring.directory.place(project.id, &item.environment) {
                Some(place) => drop(vacant.insert(place)),
                None => faults.push((index, no_environment())),
            }
        }
        let mut resources: Vec<&str> = places.values().map(|place| &*place.resource).collect();
        if !faults.is_empty() {
            resources.push(&project.resource);
        }
        self.authorise_on_all(caller, management::KEYS_CREATE, &resources).await?;
        all_well(faults)?;
        Ok(places)
    }

    async fn issue_all(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        ready: Vec<Ready>,
        now: Micros,
    ) -> Result<Acted<CreatedKeys>, Refused> {
        let mut items: Vec<CreatedKey> = Vec::with_capacity(ready.len());
        let (mut events, mut changes) = (Vec::new(), Vec::new());
        let (mut faults, mut violations) = (Vec::new(), Vec::new());
        for (index, (place, item, key)) in ready.into_iter().enumerate() {
            match self.issue(tx, caller, &place, item, key, now).await {
                Ok(acted) => {
                    items.push(acted.value);
                    events.extend(acted.events);
                    changes.extend(acted.changes);
                }
                Err(fault @ (Refused::Guardrails(_) | Refused::ApprovalRequired(_))) => {
                    if let Refused::Guardrails(found) | Refused::ApprovalRequired(found) =
                        below_item(fault, index)
                    {
                        violations.extend(found);
                    }
                }
                Err(fault @ (Refused::Invalid(_) | Refused::Unknown(_))) => faults.push((index, fault)),
                Err(other) => return Err(below_item(other, index)),
            }
        }
        all_well(faults)?;
        violations.truncate(FAULTS_MAX);
        enforce::refuse(violations)?;
        Ok(Acted { value: CreatedKeys { items }, events, changes })
    }
}

pub(crate) fn no_environment() -> Refused {
    Refused::unknown(
        "/environment",
        "This project has no such environment.",
        "Send the id or slug of one of its environments.",
    )
}

/// Refuses with every fault, each below its item.
fn all_well(mut faults: Vec<(usize, Refused)>) -> Result<(), Refused> {
    faults.truncate(FAULTS_MAX);
    let mut faults = faults.into_iter().map(|(index, fault)| below_item(fault, index));
    let Some(first) = faults.next() else { return Ok(()) };
    let others: Vec<Invalid> = faults
        .filter_map(|fault| match fault {
            Refused::Invalid(invalid) | Refused::Unknown(invalid) => Some(invalid),
            _ => None,
        })
        .collect();
    if others.is_empty() { Err(first) } else { Err(Refused::Several { first: Box::new(first), others }) }
}
