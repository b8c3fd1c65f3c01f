//! Bounded aggregates: the most recent networks, user agents, endpoints and permissions of a
//! lineage, with counts. Whatever is thrown at them, they stay small.

use crate::usage::UsageEvent;
use ipnet::IpNet;
use keystead_api::{Code, Seen, Sighting};
use keystead_domain::time::Micros;

/// The most networks or user agents kept of a lineage.
pub(crate) const FEW: usize = 16;
/// The most endpoints kept of a lineage.
pub(crate) const MORE: usize = 32;
/// The most permissions kept of a lineage.
pub(crate) const MOST: usize = 64;

/// What was seen of one lineage since the last flush. Nothing of it is written out before: each verdict adds to one.
#[derive(Debug, Default)]
pub(crate) struct Aggregate {
    passed: u64,
    passed_unnamed: u64,
    refused: u64,
    last_used_at: Option<Micros>,
    last_refused_at: Option<Micros>,
    minted_at: Option<Micros>,
    networks: Vec<Noted<IpNet>>,
    user_agents: Vec<Noted<Box<str>>>,
    endpoints: Vec<Noted<Box<str>>>,
    permissions: Vec<Noted<Box<str>>>,
}

/// Something seen, how often and when.
#[derive(Debug)]
pub(crate) struct Noted<T> {
    value: T,
    count: u64,
    first_at: Micros,
    last_at: Micros,
}

impl<T: ToString> From<Noted<T>> for Sighting {
    fn from(noted: Noted<T>) -> Self {
        Self {
            value: noted.value.to_string(),
            count: noted.count,
            first_at: noted.first_at.to_timestamp(),
            last_at: noted.last_at.to_timestamp(),
        }
    }
}

impl Aggregate {
    /// Adds one event.
    pub(crate) fn add(&mut self, event: &UsageEvent, network: Option<IpNet>) {
        let at = event.at;
        if event.code == Code::Valid {
            self.passed += 1;
            self.passed_unnamed += u64::from(event.permissions.is_empty());
            self.last_used_at = self.last_used_at.max(Some(at));
        } else {
            self.refused += 1;
            self.last_refused_at = self.last_refused_at.max(Some(at));
        }
        if event.is_minted {
            self.minted_at = self.minted_at.max(Some(at));
        }
        if let Some(network) = &network {
            note(&mut self.networks, network, at, FEW);
        }
        if let Some(user_agent) = &event.user_agent {
            note(&mut self.user_agents, user_agent, at, FEW);
        }
        if let Some(endpoint) = &event.endpoint {
            note(&mut self.endpoints, endpoint, at, MORE);
        }
        for permission in &event.permissions {
            note(&mut self.permissions, permission, at, MOST);
        }
    }

    /// What was seen before, with this added.
    #[must_use]
    pub(crate) fn onto(self, before: Seen) -> Seen {
        let (new, mut seen) = (self, before);
        let later = |before: Option<_>, new: Option<Micros>| before.max(new.map(Micros::to_timestamp));
        // What passed before that was counted may have used anything.
        let counted = if seen.passed == 0 { Some(0) } else { seen.passed_unnamed };
        seen.passed_unnamed = counted.map(|counted| counted.saturating_add(new.passed_unnamed));
        seen.minted_at = later(seen.minted_at, new.minted_at);
        seen.passed = seen.passed.saturating_add(new.passed);
        seen.refused = seen.refused.saturating_add(new.refused);
        seen.last_used_at = later(seen.last_used_at, new.last_used_at);
        seen.last_refused_at = later(seen.last_refused_at, new.last_refused_at);
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
    pub(crate) networks: Vec<Noted<IpNet>>,
}

impl UnknownAggregate {
    /// Adds one event.
    pub(crate) fn add(&mut self, at: Micros, network: Option<IpNet>) {
        self.count += 1;
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
        self.last_at = self.last_at.max(Some(at));
        if let Some(value) = network {
            note(&mut self.networks, &value, at, FEW);
        }
    }
}

/// Counts one sighting, and forgets the oldest beyond `max`. The list is in no order: it is put in
/// order when it is merged, because sorting at each event would be dear.
fn note<T: PartialEq + Clone>(list: &mut Vec<Noted<T>>, value: &T, at: Micros, max: usize) {
    if let Some(known) = list.iter_mut().find(|known| known.value == *value) {
        known.count = known.count.saturating_add(1);
        known.first_at = known.first_at.min(at);
        known.last_at = known.last_at.max(at);
        return;
    }
    list.push(Noted { value: value.clone(), count: 1, first_at: at, last_at: at });
    if list.len() > max {
        let oldest = list.iter().enumerate().min_by_key(|(_, known)| known.last_at);
        if let Some((oldest, _)) = oldest {
            list.swap_remove(oldest);
        }
    }
}

/// Adds sightings to a list, most recent first, and forgets the oldest beyond `max`.
pub(crate) fn merge<S: Into<Sighting>>(
    list: &mut Vec<Sighting>,
    new: impl IntoIterator<Item = S>,
    max: usize,
) {
    for sighting in new.into_iter().map(Into::into) {
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
    use keystead_domain::ids::OrganizationId;

    fn sighting(value: &str, at: i64) -> Sighting {
        let at = Micros(at).to_timestamp();
        Sighting { value: value.into(), count: 1, first_at: at, last_at: at }
    }

    fn event(permissions: &[&str], is_minted: bool) -> UsageEvent {
        UsageEvent {
            at: Micros(7),
            code: Code::Valid,
            organization: OrganizationId([1; 16]),
            project: None,
            environment: None,
            lineage: None,
            is_minted,
            drain: None,
            ip: None,
            user_agent: None,
            endpoint: None,
            permissions: permissions.iter().map(|name| (*name).into()).collect(),
        }
    }

    fn seen_of(events: &[UsageEvent]) -> Aggregate {
        let mut seen = Aggregate::default();
        events.iter().for_each(|event| seen.add(event, None));
        seen
    }

    #[test]
    fn what_passed_without_a_permission_is_counted_from_the_first_or_not_at_all() {
        let named = || seen_of(&[event(&["a", "b"], false)]);
        let both = || seen_of(&[event(&["a", "b"], false), event(&[], false)]);
        let fresh = named().onto(Seen::default());
        assert_eq!((fresh.passed, fresh.passed_unnamed, fresh.minted_at), (1, Some(0), None));
        assert_eq!(both().onto(fresh).passed_unnamed, Some(1));
        let old = Seen { passed: 5, ..Seen::default() };
        assert_eq!(named().onto(old).passed_unnamed, None);
    }

    #[test]
    fn use_of_a_minted_key_is_told_apart() {
        let seen = seen_of(&[event(&[], true)]).onto(Seen::default());
        assert_eq!(seen.minted_at, Some(Micros(7).to_timestamp()));
        assert_eq!(seen_of(&[event(&[], false)]).onto(seen.clone()).minted_at, seen.minted_at);
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let mut list: Vec<Noted<Box<str>>> = Vec::new();
        for (value, at) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)] {
            note(&mut list, &Box::from(value), Micros(at), 2);
        }
        let mut merged = Vec::new();
        merge(&mut merged, list, 2);
        let values: Vec<_> = merged.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!(values, [("a", 3), ("c", 1)]);
        assert_eq!(merged[0].first_at, Micros(1).to_timestamp());
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
