//! What few keys have: behind one pointer, so that it costs the others nothing more.

use crate::calendar::CreditsRule;
use crate::entry::Entry;
use crate::ids::KeyId;
use crate::meter::{Meter, MeterRules, UsesId};
use crate::rotation::Rotation;
use arc_swap::{ArcSwapOption, Guard};
use keystead_api::Refill;
use std::sync::Arc;

/// What few keys have.
#[derive(Debug, Default)]
pub struct Special {
    /// Whether its holder may mint from it, where that is not what its kind says.
    pub may_mint: Option<bool>,
    /// How many requests it may pass, where that is limited.
    pub uses: Option<Arc<Uses>>,
    /// The key that it was minted from.
    pub minted: Option<Arc<ParentCell>>,
    /// Its part in a rotation.
    pub rotation: Option<Rotation>,
    /// Its tags, sorted: policies ask for them.
    pub tags: Box<[Box<str>]>,
}

impl Special {
    /// Whether there is nothing special.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.may_mint.is_none()
            && self.uses.is_none()
            && self.minted.is_none()
            && self.rotation.is_none()
            && self.tags.is_empty()
    }
}

/// A key that others were minted from, as it is now. One cell for all of them, swapped when the key
/// changes: what stops it stops them on the next request, and none of them is touched for it.
#[derive(Debug)]
pub struct ParentCell {
    /// Its id.
    pub id: KeyId,
    now: ArcSwapOption<Entry>,
}

impl ParentCell {
    /// The cell of a key; `None` for one that is not here: purged, or not loaded yet.
    #[must_use]
    pub fn new(id: KeyId, now: Option<Entry>) -> Self {
        Self { id, now: ArcSwapOption::from_pointee(now) }
    }

    /// The key as it is now; `None` when it was purged, which only a revoked key can be.
    #[must_use]
    pub fn now(&self) -> Guard<Option<Arc<Entry>>> {
        self.now.load()
    }

    /// Says what the key is now.
    pub fn set(&self, now: Option<Entry>) {
        self.now.store(now.map(Arc::new));
    }
}

/// The number of requests that a key may pass, whatever each costs: an account of its own, leased in
/// blocks like credits, so that it is never over-spent.
#[derive(Debug)]
pub struct Uses {
    /// The account in the store.
    pub id: UsesId,
    /// Credits that are never refilled.
    pub rules: MeterRules,
    /// What this process holds of them.
    pub meter: Meter,
}

impl Uses {
    /// Of a key, none of them leased yet.
    #[must_use]
    pub fn new(key: KeyId) -> Self {
        let rules = MeterRules { credits: Some(Self::RULE), ..MeterRules::default() };
        Self { id: UsesId::of(key), meter: Meter::new(&rules), rules }
    }

    /// How they are refilled: never.
    pub const RULE: CreditsRule = CreditsRule { refill: Refill::None, amount: 0 };
}
