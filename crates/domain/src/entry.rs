//! A key as the keyring holds it: small, since every key is resident.

use crate::cells::{Place, Principal, PrincipalState};
use crate::digest::Digest;
use crate::ids::KeyId;
use crate::meter::Meter;
use crate::policy::Policy;
use crate::time::Micros;
use keystead_api::KeyStatus;
use std::sync::Arc;

/// A key, resident. What many keys share is behind pointers.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its public id.
    pub id: KeyId,
    /// The version of the pepper of its digest.
    pub pepper: u16,
    /// Whether somebody switched it off.
    pub switch: Switch,
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

impl Entry {
    /// Reads where the policy and the counters stand, all at once: with a million keys they are in no
    /// cache of the processor, and waiting for one after the other would cost more than the digest.
    #[inline]
    pub fn fetch_ahead(&self) {
        let Policy { grants, rules, .. } = &*self.policy;
        std::hint::black_box((
            Arc::strong_count(&self.lineage),
            Arc::strong_count(&self.policy),
            grants.first().map(|grant| grant.resources.is_some()),
            rules.rates.first().map(|rate| rate.limit),
            rules.credits.is_some(),
        ));
    }

    /// Its status now, by the same precedence as the verdict.
    #[must_use]
    pub fn status(&self, now: Micros) -> KeyStatus {
        match self.switch {
            Switch::Revoked => KeyStatus::Revoked,
            Switch::Off => KeyStatus::Disabled,
            Switch::On if now < self.suspended_until => KeyStatus::Suspended,
            Switch::On if now < self.not_before => KeyStatus::NotYetValid,
            Switch::On if now >= self.expires_at => KeyStatus::Expired,
            Switch::On => KeyStatus::Active,
        }
    }

    /// Whether its effective permissions hold `permission` on `resource`: the key's ∩ its owner's ∩
    /// its consumer's.
    #[must_use]
    pub fn may(&self, permission: &str, resource: Option<&str>) -> bool {
        self.policy.gives(&self.place.project.catalogue.load(), permission, resource)
            && self.owner.state.load().allows(permission)
            && self.other_consumer().is_none_or(|consumer| consumer.state.load().allows(permission))
    }

    /// The consumer, where the owner is another.
    #[must_use]
    pub fn other_consumer(&self) -> Option<&Arc<Principal>> {
        self.consumer.as_ref().filter(|consumer| !Arc::ptr_eq(consumer, &self.owner))
    }

    /// Who of owner and consumer is switched off.
    #[must_use]
    pub fn disabled_principal(&self) -> Option<&Arc<Principal>> {
        let off = |principal: &&Arc<Principal>| principal.state.load().disabled;
        Some(&self.owner).filter(off).or_else(|| self.other_consumer().filter(off))
    }

    /// Its consumer's state, held while its limits are counted.
    #[must_use]
    pub fn consumer_state(&self) -> Option<arc_swap::Guard<Arc<PrincipalState>>> {
        self.consumer.as_ref().map(|consumer| consumer.state.load())
    }
}
