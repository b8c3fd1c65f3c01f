//! Judging keys that exist, many at a time: what they share is read once.

use super::enforce::{kind_of, lives, parent_facts, policy_facts, prefix_of};
use crate::Keystead;
use crate::key_view::spec_of;
use crate::refused::Refused;
use keystead_domain::guardrails::{KeyFacts, PolicyFacts};
use keystead_domain::ids::{KeyId, OwnerId};
use keystead_domain::time::Micros;
use keystead_store::{Conn, KeyRow};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What the keys of one project share.
#[derive(Debug)]
pub(super) struct Judge {
    counts_keys: bool,
    now: Micros,
    policies: HashMap<[u8; 32], PolicyFacts>,
    parents: HashMap<KeyId, PolicyFacts>,
    owners: HashMap<OwnerId, u64>,
}

impl Judge {
    pub(super) fn new(counts_keys: bool, now: Micros) -> Self {
        let parents = HashMap::new();
        Self { counts_keys, now, policies: HashMap::new(), parents, owners: HashMap::new() }
    }

    /// What is found of a key by what guardrails look at; nothing of one that is revoked or expired.
    pub(super) async fn on<T: Default>(
        &mut self,
        keystead: &Keystead,
        conn: &mut Conn,
        row: &KeyRow,
        find: impl FnOnce(&KeyFacts<'_>) -> T,
    ) -> Result<T, Refused> {
        if !lives(row, self.now) {
            return Ok(T::default());
        }
        // An environment that was deleted this moment took its keys with it.
        let Some(place) = keystead.keyring.directory.place_by_id(row.environment_id) else {
            return Ok(T::default());
        };
        let policy = match self.policies.entry(row.policy_hash) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let spec = spec_of(conn, row).await?;
                unknown.insert(policy_facts(conn, row.organization_id, &spec).await?)
            }
        };
        let policy = match row.parent_id {
            None => policy.clone(),
            Some(parent) => {
                let of = match self.parents.entry(parent) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        unknown.insert(parent_facts(conn, row.organization_id, parent).await?)
                    }
                };
                policy.clone().under(of)
            }
        };
        let keys_of_owner = match self.owners.entry(row.owner) {
            _ if !self.counts_keys => None,
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(unknown) => {
                let others =
                    conn.other_lineages_of_owner(row.owner, row.project_id, row.lineage_id, self.now).await?;
                Some(*unknown.insert(crate::accounts::unsigned(others).saturating_add(1)))
            }
        };
        Ok(find(&KeyFacts {
            kind: kind_of(&row.kind)?,
            prefix: prefix_of(row, &place),
            created_at: row.created_at,
            expires_at: row.expires_at,
            policy: &policy,
            owner: &row.owner.to_string(),
            keys_of_owner,
            now: self.now,
        }))
    }
}
