//! A key as the keyring holds it: small, since every key is resident.

use crate::cells::{Place, Principal, PrincipalState};
use crate::digest::Digest;
use crate::ids::KeyId;
use crate::meter::Meter;
use crate::policy::Policy;
use crate::rotation::Rotation;
use crate::special::{ParentCell, Special, Uses};
use crate::time::Micros;
use arc_swap::Guard;
use keystead_api::{KeyKind, KeyStatus};
use prefetch_index::prefetch_index;
use std::sync::Arc;

/// Where what stands for a session has the version of a pepper: those of keys begin with 1.
pub const NO_PEPPER: u16 = 0;

/// A key, resident. What many keys share is behind pointers.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its public id.
    pub id: KeyId,
    /// The version of the pepper of its digest.
    pub pepper: u16,
    /// Whether somebody switched it off.
    pub switch: Switch,
    /// What it is for.
    pub kind: KeyKind,
    /// What its token must digest to.
    pub digest: Digest,
    /// Not valid before; [`Micros`] of `i64::MIN` when it always was.
    pub not_before: Micros,
    /// Not valid from then on; [`Micros::FOREVER`] when it always is.
    pub expires_at: Micros,
    /// Suspended until then; `i64::MIN` when it is not.
    pub suspended_until: Micros,
    /// Where it is valid.
    pub place: Arc<Place>,
    /// Whose it is.
    pub owner: Arc<Principal>,
    /// To whom it is issued.
    pub consumer: Option<Arc<Principal>>,
    /// What it may do.
    pub policy: Arc<Policy>,
    /// What it shares with the keys that it was rotated from and into.
    pub lineage: Arc<Lineage>,
    /// What few keys have.
    pub special: Option<Arc<Special>>,
}

/// Whether somebody switched a key off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off; can be switched on.
    Off,
    /// Off for good.
    Revoked,
}

/// A key, the keys it was rotated from and into: their counters, never reset, never multiplied.
#[derive(Debug)]
pub struct Lineage {
    /// The id of its first key.
    pub id: KeyId,
    /// Its counters.
    pub meter: Meter,
}

impl Lineage {
    /// That of a first key with this id.
    #[must_use]
    pub const fn new(id: KeyId, meter: Meter) -> Self {
        Self { id, meter }
    }
}

/// The key whose lineage a request spends of.
#[derive(Debug)]
pub enum Spender<'a> {
    /// The key that the request carries.
    Itself(&'a Entry),
    /// The one that it was minted from.
    Parent(Arc<Entry>),
}

impl std::ops::Deref for Spender<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        match self {
            Self::Itself(entry) => entry,
            Self::Parent(entry) => entry,
        }
    }
}

impl Entry {
    /// Reads where the policy and the counters stand, all at once: with a million keys they are in no
    /// cache of the processor, and waiting for one after the other would cost more than the digest.
    #[inline]
    pub fn fetch_ahead(&self) {
        prefetch_index(std::slice::from_ref(&self.lineage.meter), 0);
        let Policy { grants, restrictions, rules } = &*self.policy;
        std::hint::black_box((
            grants.first().map(|grant| grant.fetch_ahead()),
            restrictions.networks.as_ref().map(|networks| networks.fetch_ahead()),
            restrictions.endpoints.as_ref().map(|endpoints| endpoints.fetch_ahead()),
            rules.rates.first().map(|rate| rate.limit),
            rules.credits.is_some(),
        ));
    }

    /// Its part in a rotation.
    #[must_use]
    pub fn rotation(&self) -> Option<&Rotation> {
        self.special.as_ref()?.rotation.as_ref()
    }

    /// Whether its time is over. That of a key whose rotation is complete is, whatever the clock says
    /// later: somebody was told so.
    #[must_use]
    pub fn has_expired(&self, now: Micros) -> bool {
        now >= self.expires_at || self.rotation().is_some_and(Rotation::is_over)
    }

    /// Whether it has ended because another key took over.
    #[must_use]
    pub fn is_rotated_away(&self, now: Micros) -> bool {
        self.has_expired(now) && self.rotation().is_some_and(Rotation::is_old)
    }

    /// Its status now, by the same precedence as the verdict.
    #[must_use]
    pub fn status(&self, now: Micros) -> KeyStatus {
        match self.switch {
            Switch::Revoked => KeyStatus::Revoked,
            Switch::Off => KeyStatus::Disabled,
            Switch::On if now < self.suspended_until => KeyStatus::Suspended,
            Switch::On if now < self.not_before => KeyStatus::NotYetValid,
            Switch::On if self.has_expired(now) => KeyStatus::Expired,
            Switch::On => KeyStatus::Active,
        }
    }

    /// Whether its effective permissions hold `permission` on `resource`: the key's ∩ its owner's ∩
    /// its consumer's, ∩ its parent's where it was minted.
    #[must_use]
    pub fn may(&self, permission: &str, resource: Option<&str>) -> bool {
        match self.parent() {
            None => self.may_alone(permission, resource),
            Some(parent) => {
                parent.now().as_ref().is_some_and(|parent| parent.may_alone(permission, resource))
                    && self.may_alone(permission, resource)
            }
        }
    }

    /// The same, whatever its parent may.
    pub(crate) fn may_alone(&self, permission: &str, resource: Option<&str>) -> bool {
        self.may_under(&self.principals(), permission, resource)
    }

    /// [`Self::may_alone`], under owner and consumer as they were read before. A role or catalogue that
    /// changes later gives a public key no more than what is safe in public.
    pub(crate) fn may_under(
        &self,
        principals: &Principals,
        permission: &str,
        resource: Option<&str>,
    ) -> bool {
        let catalogue = &self.place.project.catalogue;
        (self.kind != KeyKind::Public || catalogue.load().is_public_safe(permission))
            && self.policy.gives(catalogue, permission, resource)
            && principals.allow(&self.place, permission, resource)
    }

    /// The key that it was minted from.
    #[must_use]
    pub fn parent(&self) -> Option<&Arc<ParentCell>> {
        self.special.as_ref()?.minted.as_ref()
    }

    /// Whose limits, quota and credits it spends: its own, or its parent's where it was minted; `None`
    /// when that was purged.
    #[must_use]
    pub fn spender(&self) -> Option<Spender<'_>> {
        match self.parent() {
            None => Some(Spender::Itself(self)),
            Some(parent) => parent.now().as_ref().map(|parent| Spender::Parent(Arc::clone(parent))),
        }
    }

    /// Its tags, sorted.
    #[must_use]
    pub fn tags(&self) -> &[Box<str>] {
        self.special.as_ref().map_or(&[], |special| &special.tags)
    }

    /// Whether it stands for a person who signed in, and is no key: no digest is made with that pepper.
    #[must_use]
    pub const fn is_session(&self) -> bool {
        self.pepper == NO_PEPPER
    }

    /// Its number of uses, where that is limited.
    #[must_use]
    pub fn uses(&self) -> Option<&Arc<Uses>> {
        self.special.as_ref()?.uses.as_ref()
    }

    /// Whether its holder may mint keys from it. One that manages Keystead, was minted itself, or dies after a
    /// number of uses never may.
    #[must_use]
    pub fn may_mint(&self) -> bool {
        let said = self.special.as_ref().and_then(|special| special.may_mint);
        let may = said.unwrap_or(self.kind == KeyKind::Private);
        may && !self.place.project.system && self.parent().is_none() && self.uses().is_none()
    }

    /// The consumer, where the owner is another.
    #[must_use]
    pub fn other_consumer(&self) -> Option<&Arc<Principal>> {
        self.consumer.as_ref().filter(|consumer| !Arc::ptr_eq(consumer, &self.owner))
    }

    /// Who of owner and consumer is switched off.
    #[must_use]
    pub fn disabled_principal(&self) -> Option<&Arc<Principal>> {
        let off = |principal: &&Arc<Principal>| principal.state.load().is_off();
        Some(&self.owner).filter(off).or_else(|| self.other_consumer().filter(off))
    }

    /// Its owner and its consumer as they are now.
    #[must_use]
    pub fn principals(&self) -> Principals {
        Principals {
            owner: self.owner.state.load(),
            other_consumer: self.other_consumer().map(|consumer| consumer.state.load()),
            owner_is_consumer: self
                .consumer
                .as_ref()
                .is_some_and(|consumer| Arc::ptr_eq(consumer, &self.owner)),
        }
    }
}

/// The owner and the consumer of a key, read once for all that a verdict asks of them.
#[derive(Debug)]
pub struct Principals {
    owner: Guard<Arc<PrincipalState>>,
    other_consumer: Option<Guard<Arc<PrincipalState>>>,
    owner_is_consumer: bool,
}

impl Principals {
    /// Whether one of them is switched off, and all of its keys with it; or the owner left the team in whose
    /// name the key was made.
    #[must_use]
    pub fn disabled(&self) -> bool {
        self.owner.is_off() || self.other_consumer.as_ref().is_some_and(|consumer| consumer.disabled)
    }

    /// Whether neither of them takes this permission away.
    #[must_use]
    pub fn allow(&self, place: &Place, permission: &str, resource: Option<&str>) -> bool {
        self.owner.reach.allows(place, permission, resource)
            && self
                .other_consumer
                .as_ref()
                .is_none_or(|consumer| consumer.reach.allows(place, permission, resource))
    }

    /// The consumer, whose limits count.
    #[must_use]
    pub fn consumer(&self) -> Option<&PrincipalState> {
        self.other_consumer.as_ref().or(self.owner_is_consumer.then_some(&self.owner)).map(|state| &***state)
    }
}

#[cfg(test)]
mod tests {
    use super::Entry;

    /// All keys are resident: each byte more is a megabyte for a million of them.
    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 120);
    }
}
