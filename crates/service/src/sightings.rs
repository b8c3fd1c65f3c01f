//! Bounded aggregates: the most recent networks, user agents, endpoints and permissions of a
//! lineage, with counts. Whatever is thrown at them, they stay small.

use crate::usage::UsageEvent;
use keystead_api::{Code, Seen, Sighting, Timestamp};
use keystead_domain::time::Micros;

/// The most networks or user agents kept of a lineage.
pub(crate) const FEW: usize = 16;
/// The most endpoints kept of a lineage.
pub(crate) const MORE: usize = 32;
/// The most permissions kept of a lineage.
pub(crate) const MOST: usize = 64;

/// What was seen of one lineage since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Aggregate(Seen);

impl Aggregate {
    /// Adds one event.
    pub(crate) fn add(&mut self, event: &UsageEvent, network: Option<String>) {
        let Self(seen) = self;
        let at = event.at.to_timestamp();
        if event.code == Code::Valid {
            seen.passed += 1;
            seen.last_used_at = seen.last_used_at.max(Some(at));
        } else {
            seen.refused += 1;
            seen.last_refused_at = seen.last_refused_at.max(Some(at));
        }
        if let Some(network) = &network {
            note(&mut seen.networks, network, at, FEW);
        }
        if let Some(user_agent) = &event.user_agent {
            note(&mut seen.user_agents, user_agent, at, FEW);
        }
        if let Some(endpoint) = &event.endpoint {
            note(&mut seen.endpoints, endpoint, at, MORE);
        }
        for permission in &event.permissions {
            note(&mut seen.permissions, permission, at, MOST);
        }
    }

    /// What was seen before, with this added.
    #[must_use]
    pub(crate) fn onto(self, before: Seen) -> Seen {
        let Self(new) = self;
        let mut seen = before;
        seen.passed = seen.passed.saturating_add(new.passed);
        seen.refused = seen.refused.saturating_add(new.refused);
        seen.last_used_at = seen.last_used_at.max(new.last_used_at);
        seen.last_refused_at = seen.last_refused_at.max(new.last_refused_at);
        merge(&mut seen.networks, new.networks, FEW);
        merge(&mut seen.user_agents, new.user_agents, FEW);
        merge(&mut seen.endpoints, new.endpoints, MORE);
        merge(&mut seen.permissions, new.permissions, MOST);
        seen
    }
}

/// Refusals that could not be tied to a key, since the last flush.
#[derive(Debug, Default)]
pub(crate) struct UnknownAggregate {
    pub(crate) count: u64,
    pub(crate) first_at: Option<Micros>,
    pub(crate) last_at: Option<Micros>,
    pub(crate) networks: Vec<Sighting>,
}

impl UnknownAggregate {
    /// Adds one event.
    pub(crate) fn add(&mut self, at: Micros, network: Option<String>) {
        self.count += 1;
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = self.last_at.max(Some(at));
        if let Some(value) = network {
            note(&mut self.networks, &value, at.to_timestamp(), FEW);
        }
    }
}

/// Counts one sighting, and forgets the oldest beyond `max`. The list is in no order: it is put in
/// order when it is merged, because sorting at each event would be dear.
fn note(list: &mut Vec<Sighting>, value: &str, at: Timestamp, max: usize) {
    if let Some(known) = list.iter_mut().find(|known| known.value == value) {
        known.count = known.count.saturating_add(1);
        known.first_at = known.first_at.min(at);
        known.last_at = known.last_at.max(at);
        return;
    }
    list.push(Sighting { value: value.into(), count: 1, first_at: at, last_at: at });
    if list.len() > max {
        let oldest = list.iter().enumerate().min_by_key(|(_, known)| known.last_at);
        if let Some((oldest, _)) = oldest {
            list.swap_remove(oldest);
        }
    }
}

/// Adds sightings to a list, most recent first, and forgets the oldest beyond `max`.
pub(crate) fn merge(list: &mut Vec<Sighting>, new: impl IntoIterator<Item = Sighting>, max: usize) {
    for sighting in new {
        match list.iter_mut().find(|known| known.value == sighting.value) {
            Some(known) => {
                known.count = known.count.saturating_add(sighting.count);
                known.first_at = known.first_at.min(sighting.first_at);
                known.last_at = known.last_at.max(sighting.last_at);
            }
            None => list.push(sighting),
        }
    }
    list.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.value.cmp(&b.value)));
    list.truncate(max);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(value: &str, at: i64) -> Sighting {
        let at = Micros(at).to_timestamp();
        Sighting { value: value.into(), count: 1, first_at: at, last_at: at }
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let mut list = Vec::new();
        for (value, at) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)] {
            note(&mut list, value, Micros(at).to_timestamp(), 2);
        }
        merge(&mut list, [], 2);
        let values: Vec<_> = list.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!(values, [("a", 3), ("c", 1)]);
        assert_eq!(list[0].first_at, Micros(1).to_timestamp());
    }

    #[test]
    fn the_most_recent_come_first_and_the_list_stays_bounded() {
        let mut list = Vec::new();
        merge(&mut list, (0..100).map(|n| sighting(&n.to_string(), n)), 3);
        merge(&mut list, [sighting("98", 500)], 3);
        let values: Vec<_> = list.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!(values, [("98", 2), ("99", 1), ("97", 1)]);
    }
}
