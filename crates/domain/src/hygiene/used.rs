//! What can be said for certain of a key's use.

use super::facts::{Held, HygieneFacts};
use super::{DAY, RECENT_DAYS, UNUSED_PERMISSION_DAYS};
use crate::time::Micros;
use keystead_api::{Sighting, Timestamp};
use std::collections::BTreeSet;

/// Networks and programs of the last days.
#[derive(Debug)]
pub(super) struct Users {
    pub(super) networks: Vec<String>,
    pub(super) programs: Vec<String>,
}

impl Users {
    pub(super) fn of(facts: &HygieneFacts<'_>) -> Self {
        let from = facts.now.plus(-RECENT_DAYS * DAY);
        let recent = |list: &[Sighting]| list.iter().filter(|one| Micros::from(one.last_at) >= from).count();
        let (networks, agents) = (recent(&facts.seen.networks), recent(&facts.seen.user_agents));
        // The lists are in order of the last sighting.
        let programs: BTreeSet<String> =
            facts.seen.user_agents.iter().take(agents).filter_map(|one| program(&one.value)).collect();
        Self {
            networks: facts.seen.networks.iter().take(networks).map(|one| one.value.clone()).collect(),
            programs: programs.into_iter().collect(),
        }
    }

    pub(super) fn most(&self) -> usize {
        self.networks.len().max(self.programs.len())
    }
}

/// Which program a user agent is, whatever its version: an upgrade is no other program, and browsers are one.
fn program(user_agent: &str) -> Option<String> {
    let name = user_agent.split(|c: char| c == '/' || c.is_whitespace()).next()?;
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// When its lineage last passed, where that is known.
pub(super) fn last_used(facts: &HygieneFacts<'_>) -> Option<Micros> {
    facts.seen.last_used_at.map(|at: Timestamp| Micros::from(at))
}

/// Whether all that it used is known: where something passed without naming a permission, it may have used any of
/// them; and a list that is full has forgotten some.
fn all_is_known(facts: &HygieneFacts<'_>) -> bool {
    facts.seen.passed_unnamed == Some(0) && !facts.overflowed.permissions
}

/// The permissions that it has held for long and certainly never used. None where that cannot be known.
pub(super) fn unused<'a>(facts: &'a HygieneFacts<'_>) -> Vec<&'a Held> {
    let seen = facts.seen;
    if seen.passed == 0 || !all_is_known(facts) {
        return Vec::new();
    }
    let used: BTreeSet<&str> = seen.permissions.iter().map(|one| one.value.as_str()).collect();
    let long_ago = facts.now.plus(-UNUSED_PERMISSION_DAYS * DAY);
    let watched = |held: &&Held| held.use_is_recorded && held.since <= long_ago;
    facts.held.iter().filter(watched).filter(|held| !used.contains(held.name.as_str())).collect()
}

/// What its users need of it, as far as that is known: what was used, or all.
pub(super) fn needed<'a>(facts: &'a HygieneFacts<'_>) -> Vec<&'a Held> {
    let used = |held: &&Held| facts.seen.permissions.iter().any(|one| one.value == held.name);
    let some: Vec<&Held> = facts.held.iter().filter(used).collect();
    if some.is_empty() || !all_is_known(facts) { facts.held.iter().collect() } else { some }
}
