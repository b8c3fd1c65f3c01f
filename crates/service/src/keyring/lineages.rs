//! Lineages that several keys share: one set of counters for all of them, never reset and never
//! multiplied by rotating (LESSONS 3).

use hashbrown::HashMap;
use keystead_domain::entry::{Entry, Lineage};
use keystead_domain::ids::KeyId;
use keystead_domain::meter::{Meter, MeterRules};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// The shared lineages, by the id of their first key.
#[derive(Debug, Default)]
pub struct Lineages(Mutex<Known>);

/// How a key stands to the others of its lineage.
#[derive(Debug, Clone, Copy)]
pub struct Company {
    /// There are others, or there will be.
    pub is_shared: bool,
    /// It takes nothing any more: it was revoked, or rotated away and has ended.
    pub is_over: bool,
}

#[derive(Debug, Default)]
struct Known {
    lineages: HashMap<KeyId, Shared>,
    pruned_at: usize,
}

#[derive(Debug)]
struct Shared {
    lineage: Weak<Lineage>,
    rules: MeterRules,
}

impl Lineages {
    /// The counters of a key of this lineage. `before` is that key, or another of the lineage, as it
    /// was. When its rules are new, the counters are carried over for all; but a key that takes
    /// nothing any more does not take them away from those that do.
    pub fn join(
        &self,
        id: KeyId,
        rules: &MeterRules,
        company: Company,
        before: Option<&Entry>,
    ) -> Arc<Lineage> {
        let known = &mut *self.0.lock();
        let shared = known.lineages.get(&id).and_then(|shared| Some((shared, shared.lineage.upgrade()?)));
        let lineage = match shared {
            Some((shared, lineage)) if shared.rules == *rules => return lineage,
            Some(_) if company.is_over => return alone(id, rules, None),
            Some((shared, lineage)) => {
                Arc::new(Lineage::new(id, lineage.meter.carried(&shared.rules, rules)))
            }
            None if !company.is_shared => return alone(id, rules, before),
            None => alone(id, rules, before),
        };
        known.remember(id, &lineage, rules);
        lineage
    }
}

impl Known {
    /// Now and then those that no key holds any more are forgotten.
    fn remember(&mut self, id: KeyId, lineage: &Arc<Lineage>, rules: &MeterRules) {
        if self.lineages.len() > 2 * self.pruned_at.max(1_024) {
            self.lineages.retain(|_, shared| shared.lineage.strong_count() > 0);
            self.pruned_at = self.lineages.len();
        }
        self.lineages.insert(id, Shared { lineage: Arc::downgrade(lineage), rules: rules.clone() });
    }
}

/// The counters of a key on its own: as they were `before`, carried over where its rules are new.
fn alone(id: KeyId, rules: &MeterRules, before: Option<&Entry>) -> Arc<Lineage> {
    match before {
        Some(before) if before.policy.rules == *rules => Arc::clone(&before.lineage),
        Some(before) => Arc::new(Lineage::new(id, before.lineage.meter.carried(&before.policy.rules, rules))),
        None => Arc::new(Lineage::new(id, Meter::new(rules))),
    }
}
