//! The second index: keys that others issued, found by HMACs of their tokens. Only tokens that are
//! no key of ours come here, so that our own pay nothing for it.

use hashbrown::HashMap;
use keystead_domain::digest::Digest;
use keystead_domain::foreign::Form;
use keystead_domain::ids::{KeyId, OrganizationId};
use parking_lot::{Mutex, RwLock};

/// Keys with slow digests that share a beginning, and those that one token is tried against, at most: each
/// costs a computation.
pub(crate) const CANDIDATES_MAX: usize = 4;
/// Uses that wait to be upgraded; what finds no room is upgraded at a later use.
const USES_MAX: usize = 1_024;

/// Where an imported key is found.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) organization: OrganizationId,
    pub(crate) form: Form,
    pub(crate) lookup: [u8; 32],
    pub(crate) digest: Digest,
    pub(crate) pepper: u16,
    pub(crate) prefix: Option<Box<str>>,
}

/// What an imported key becomes once its whole token was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upgrade {
    pub(crate) organization: OrganizationId,
    pub(crate) lookup: [u8; 32],
    pub(crate) digest: [u8; 32],
    pub(crate) pepper: u16,
}

#[derive(Debug, Default)]
pub(crate) struct Imports {
    maps: RwLock<Maps>,
    uses: Mutex<HashMap<KeyId, Upgrade>>,
}

#[derive(Debug, Default)]
struct Maps {
    by_key: HashMap<KeyId, Import>,
    by_lookup: HashMap<[u8; 32], KeyId>,
    by_prefix: HashMap<(OrganizationId, Box<str>), Vec<KeyId>>,
    /// How many each organization has.
    counts: HashMap<OrganizationId, usize>,
}

impl Imports {
    /// Whether an organization has any.
    pub(super) fn any_of(&self, organization: OrganizationId) -> bool {
        self.maps.read().counts.contains_key(&organization)
    }

    /// The organizations that have any.
    pub(crate) fn organizations(&self) -> Vec<OrganizationId> {
        self.maps.read().counts.keys().copied().collect()
    }

    /// The key that is found by this, and what `proves` makes of what proves it: both change together.
    pub(super) fn find<T>(&self, lookup: &[u8; 32], proves: impl FnOnce(KeyId, &Import) -> T) -> Option<T> {
        let maps = self.maps.read();
        let id = *maps.by_lookup.get(lookup)?;
        maps.by_key.get(&id).map(|import| proves(id, import))
    }

    /// Keys with slow digests whose tokens begin so, in the order of the beginnings.
    pub(crate) fn begin_so<'a>(
        &self,
        organization: OrganizationId,
        beginnings: impl Iterator<Item = &'a str>,
    ) -> Vec<KeyId> {
        let maps = self.maps.read();
        if maps.by_prefix.is_empty() {
            return Vec::new();
        }
        beginnings
            .flat_map(|text| maps.by_prefix.get(&(organization, text.into())).into_iter().flatten().copied())
            .collect()
    }

    pub(crate) fn put(&self, key: KeyId, import: Import) {
        let maps = &mut *self.maps.write();
        maps.remove(key);
        if let (Form::Slow, Some(prefix)) = (import.form, &import.prefix) {
            maps.by_prefix.entry((import.organization, prefix.clone())).or_default().push(key);
        } else {
            maps.by_lookup.insert(import.lookup, key);
        }
        *maps.counts.entry(import.organization).or_insert(0) += 1;
        maps.by_key.insert(key, import);
    }

    pub(crate) fn remove(&self, key: KeyId) {
        // Most keys were never imported: nobody waits for a look.
        if self.maps.read().by_key.contains_key(&key) {
            self.maps.write().remove(key);
        }
    }

    /// Notes that the whole token of a key was seen.
    pub(crate) fn note_use(&self, key: KeyId, upgrade: Upgrade) {
        let mut uses = self.uses.lock();
        if uses.len() < USES_MAX {
            uses.insert(key, upgrade);
        }
    }

    /// Takes what was noted.
    pub(crate) fn take_uses(&self) -> Vec<(KeyId, Upgrade)> {
        self.uses.lock().drain().collect()
    }
}

impl Maps {
    fn remove(&mut self, key: KeyId) {
        let Some(import) = self.by_key.remove(&key) else { return };
        self.by_lookup.remove(&import.lookup);
        if let Some(prefix) = import.prefix {
            let place = (import.organization, prefix);
            if let Some(keys) = self.by_prefix.get_mut(&place) {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.by_prefix.remove(&place);
                }
            }
        }
        if let Some(count) = self.counts.get_mut(&import.organization) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&import.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(n: u8, form: Form) -> Import {
        let prefix = (form == Form::Slow).then(|| "sk_live".into());
        let digest = Digest::from_bytes([n; 32]);
        Import { organization: OrganizationId([1; 16]), form, lookup: [n; 32], digest, pepper: 1, prefix }
    }

    #[test]
    fn an_import_is_found_moved_and_forgotten() {
        let (imports, org) = (Imports::default(), OrganizationId([1; 16]));
        let key = KeyId::from_slice(b"AAAAAAAAAAAA").unwrap();
        assert!(!imports.any_of(org));
        imports.put(key, import(1, Form::Slow));
        assert_eq!(imports.begin_so(org, ["sk_liv", "sk_live"].into_iter()), [key]);
        assert_eq!(imports.begin_so(OrganizationId([2; 16]), ["sk_live"].into_iter()), []);
        imports.put(key, import(2, Form::Token));
        assert_eq!(imports.begin_so(org, ["sk_live"].into_iter()), []);
        let found = |n: u8| imports.find(&[n; 32], |id, _| id);
        assert_eq!((found(1), found(2)), (None, Some(key)));
        imports.remove(key);
        assert!(found(2).is_none() && !imports.any_of(org));
    }
}
