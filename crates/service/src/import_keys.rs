//! Importing keys that exist elsewhere: each is taken or refused by itself, and what was imported
//! before is left as it is, so that an import can be run again.

mod read;

use crate::caller::Caller;
use crate::create_key::Issue;
use crate::key_proof::Proof;
use crate::keyring::imports::CANDIDATES_MAX;
use crate::refused::{Fault, Refused};
use crate::{Keystead, management};
use keystead_api::{ImportKeys, ImportOutcome, ImportedKey, ImportedKeys};
use keystead_domain::cells::ProjectCell;
use keystead_domain::foreign::Form;
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::slow_digest::SlowDigest;
use keystead_domain::time::Micros;
use keystead_store::{Acted, ImportRow, StoreError, Tx};
use read::Incoming;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The most keys imported in one call.
const ITEMS_MAX: usize = 500;
/// What lists show of a token that came without its beginning.
const START: &str = "imported";

impl Keystead {
    /// Imports keys into a project.
    ///
    /// # Errors
    /// When the caller may not issue keys there; what is wrong with one key is its own outcome.
    pub async fn import_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: ImportKeys,
    ) -> Result<ImportedKeys, Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        let count = input.items.len();
        if project.system || !(1..=ITEMS_MAX).contains(&count) {
            self.authorise(caller, management::KEYS_CREATE, Some(&project.resource)).await?;
            return Err(if project.system {
                Refused::conflict("Keys of Keystead's own API are not imported.", "Issue new ones.")
            } else {
                let what = format!("An import of {count} keys at once is not possible.");
                Invalid::new("/items", what, format!("Send 1 to {ITEMS_MAX}.")).into()
            });
        }
        self.may_import(caller, &project, &input).await?;
        let now = self.clock.now();
        let incoming = input.items.into_iter().map(|item| self.read_import(&project, item, now)).collect();
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_some(caller, !input.dry_run, move |tx| {
            Box::pin(async move { this.take_all(tx, &by, &project, incoming, now, input.dry_run).await })
        })
        .await
    }

    /// In each environment that is named; one that does not exist is a key's own fault.
    async fn may_import(
        self: &Arc<Self>,
        caller: &Caller,
        project: &ProjectCell,
        input: &ImportKeys,
    ) -> Result<(), Refused> {
        let named: BTreeSet<&str> = input.items.iter().map(|item| item.key.environment.as_str()).collect();
        let places: Vec<_> =
            named.into_iter().map(|named| self.keyring.directory.place(project.id, named)).collect();
        let resources: Vec<&str> = places
            .iter()
            .map(|place| place.as_ref().map_or(&*project.resource, |place| &place.resource))
            .collect();
        self.authorise_on_all(caller, management::KEYS_CREATE, &resources).await
    }

    async fn take_all(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        project: &ProjectCell,
        incoming: Vec<Result<Incoming, Refused>>,
        now: Micros,
        dry_run: bool,
    ) -> Result<Acted<ImportedKeys>, Refused> {
        let mut acted = Acted { value: ImportedKeys::default(), events: Vec::new(), changes: Vec::new() };
        let mut beginnings: HashMap<String, usize> = HashMap::new();
        for incoming in incoming {
            let taken = match incoming {
                Ok(incoming) => self.take(tx, caller, project, incoming, now, &mut beginnings).await?,
                Err(fault) => Taken::Not(refusal(fault)?),
            };
            acted.value.items.push(match taken {
                Taken::Not(refused) => refused,
                Taken::Before(id) => outcome(ImportOutcome::Exists, Some(id)),
                Taken::Now(id, one) => {
                    acted.events.extend(one.events);
                    acted.changes.extend(one.changes);
                    outcome(ImportOutcome::Imported, Some(id).filter(|_| !dry_run))
                }
            });
        }
        Ok(acted)
    }

    /// Takes one key. Only what is found before its first row is written is its own fault: after it
    /// the call ends, and with it all that it wrote.
    async fn take(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        project: &ProjectCell,
        incoming: Incoming,
        now: Micros,
        beginnings: &mut HashMap<String, usize>,
    ) -> Result<Taken, Refused> {
        let pepper = self.keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        let lookup = pepper.foreign_lookup(project.organization, incoming.form, &incoming.material);
        let sources = match incoming.token() {
            // It may have been imported by a digest of it, too.
            Some(token) => Form::FAST
                .map(|form| pepper.foreign_lookup(project.organization, form, token.material(form).as_ref())),
            None => [lookup; 3],
        };
        if let Some(taken) = imported_before(tx, project, &incoming, &sources).await? {
            return Ok(taken);
        }
        if incoming.form == Form::Slow
            && let Err(full) = self.has_room(project, &incoming, beginnings)
        {
            return Ok(Taken::Not(refusal(full)?));
        }
        let Incoming { place, key, form, material, prefix, external_id, slow } = incoming;
        let id = self.entropy.with(|rng| KeyId::random(rng));
        let digest = *pepper.foreign_digest(project.organization, id, form, &material).as_bytes();
        let pepper_version = i64::from(pepper.version());
        let issue = Issue {
            action: "key.import",
            proof: Proof {
                id,
                digest,
                pepper_version,
                start: prefix.clone().unwrap_or_else(|| START.into()),
            },
            token: str::from_utf8(&material).ok().filter(|_| form == Form::Token),
            lifted: None,
        };
        let issued = match self.issue_proven(tx, caller, &place, key, issue, now).await {
            Err(
                fault @ (Refused::Invalid(_)
                | Refused::Unknown(_)
                | Refused::Guardrails(_)
                | Refused::ApprovalRequired(_)),
            ) => {
                return Ok(Taken::Not(refusal(fault.below("/key"))?));
            }
            issued => issued?,
        };
        let row = ImportRow {
            key_id: id,
            organization_id: project.organization,
            project_id: project.id,
            form: form.name().into(),
            source: lookup,
            lookup,
            digest,
            pepper_version,
            external_id,
            prefix,
            verifier: slow.map(|digest| self.sealed_verifier(id, &digest)).transpose()?,
        };
        tx.insert_import(&row).await.map_err(at_once)?;
        Ok(Taken::Now(id, Acted { value: (), events: issued.events, changes: issued.changes }))
    }

    fn sealed_verifier(&self, id: KeyId, digest: &SlowDigest) -> Result<Vec<u8>, Refused> {
        let (seal, text) = (self.imports_seal()?, digest.expose().as_bytes());
        let sealed = self.entropy.with(|rng| seal.seal(&Self::verifier_place(id), text, rng));
        sealed.map_err(|_| Refused::Internal("a digest could not be sealed".into()))
    }

    /// Every token that begins so costs a computation for each of these keys.
    fn has_room(
        &self,
        project: &ProjectCell,
        incoming: &Incoming,
        beginnings: &mut HashMap<String, usize>,
    ) -> Result<(), Refused> {
        let prefix = incoming.prefix.clone().unwrap_or_default();
        let known = self.keyring.imports.begin_so(project.organization, [prefix.as_str()].into_iter()).len();
        let count = beginnings.entry(prefix).or_insert(known);
        *count += 1;
        if *count <= CANDIDATES_MAX {
            return Ok(());
        }
        let what = format!("{CANDIDATES_MAX} keys with slow hashes begin so already.");
        Err(Invalid::new("/prefix", what, "Send a longer beginning of the token, up to 32 characters.")
            .into())
    }
}

/// What came of one key.
enum Taken {
    Before(KeyId),
    Now(KeyId, Acted<()>),
    Not(ImportedKey),
}

async fn imported_before(
    tx: &mut Tx,
    project: &ProjectCell,
    incoming: &Incoming,
    sources: &[[u8; 32]; 3],
) -> Result<Option<Taken>, Refused> {
    if let Some(external_id) = &incoming.external_id
        && let Some(row) = tx.import_by_external_id(project.id, external_id).await?
    {
        return Ok(Some(Taken::Before(row.key_id)));
    }
    Ok(match tx.import_by_source(sources).await? {
        Some(row) if row.project_id == project.id => Some(Taken::Before(row.key_id)),
        Some(_) => Some(Taken::Not(refusal(Refused::conflict(
            "This token was imported into another project.",
            "Leave it there, or purge it there first.",
        ))?)),
        None => None,
    })
}

fn at_once(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) => {
            Refused::conflict("Somebody imports the same key at this moment.", "Run the import again.")
        }
        other => other.into(),
    }
}

fn outcome(outcome: ImportOutcome, id: Option<KeyId>) -> ImportedKey {
    let id = id.map(|id| id.to_string());
    ImportedKey { outcome, id, field: None, violations: Vec::new(), detail: None, fix: None }
}

/// Why one key was not taken; what is not that key's own fault ends the call.
fn refusal(fault: Refused) -> Result<ImportedKey, Refused> {
    let Fault { field, violations, detail, fix } = fault.own_fault()?;
    Ok(ImportedKey {
        outcome: ImportOutcome::Refused,
        id: None,
        field,
        violations,
        detail: Some(detail),
        fix: Some(fix),
    })
}
