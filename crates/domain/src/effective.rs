//! What a key may do now, and where each permission comes from: for presenting, not for deciding.

use crate::cells::Catalogue;
use crate::entry::Entry;
use crate::policy::Grant;
use crate::reach::Reach;
use crate::resource::ResourcePattern;
use keystead_api::{EffectivePermission, KeyKind, NarrowedPermission};

/// Every catalogued permission that a grant of the key reaches, with what takes it away, if anything.
#[must_use]
pub fn effective_permissions(entry: &Entry) -> Vec<EffectivePermission> {
    let catalogue = entry.place.project.catalogue.load();
    let parent = entry.parent().map(|parent| (parent.id, parent.now()));
    let mut effective = Vec::new();
    for name in catalogue.names() {
        let lost = lost(entry, &catalogue, name).or_else(|| {
            let (id, now) = parent.as_ref()?;
            let has = now.as_ref().is_some_and(|parent| {
                parent.policy.grants.iter().any(|grant| grant.gives(&catalogue, name))
                    && lost(parent, &catalogue, name).is_none()
            });
            (!has).then(|| format!("{id}, from which the key was minted, does not have it"))
        });
        for grant in entry.policy.grants.iter().filter(|grant| grant.gives(&catalogue, name)) {
            let resources =
                grant.resources.as_ref().map(|resources| resources.iter().map(ToString::to_string).collect());
            effective.push(EffectivePermission {
                permission: name.into(),
                resources,
                via: grant.describe(),
                lost: lost.clone(),
            });
        }
    }
    effective
}

/// What keeps a key from a permission that a grant gives.
fn lost(entry: &Entry, catalogue: &Catalogue, name: &str) -> Option<String> {
    if entry.kind == KeyKind::Public && !catalogue.is_public_safe(name) {
        return Some("it is not public_safe, and the key is public".into());
    }
    let would = |grant: &Grant| grant.gives(catalogue, name);
    let mut principals = [Some(&entry.owner), entry.other_consumer()].into_iter().flatten();
    principals.find_map(|principal| principal.withholds(&entry.place, name, &would))
}

/// What a verify answer lists: names held on every resource, and names held on some only. Apart,
/// so that a program that looks for a name cannot overlook that it is narrowed.
#[must_use]
pub fn held_permissions(entry: &Entry) -> (Vec<String>, Vec<NarrowedPermission>) {
    let own = held_alone(entry);
    match entry.parent() {
        None => own,
        Some(parent) => match &*parent.now() {
            Some(parent) => within(own, held_alone(parent)),
            None => (Vec::new(), Vec::new()),
        },
    }
}

/// What is in both lists. Of resources those of the one that are within the other's: two patterns
/// that only overlap list nothing, since a list must not say too much.
fn within(
    (everywhere, narrowed): (Vec<String>, Vec<NarrowedPermission>),
    (in_all, in_some): (Vec<String>, Vec<NarrowedPermission>),
) -> (Vec<String>, Vec<NarrowedPermission>) {
    let (both, rest): (Vec<_>, Vec<_>) =
        everywhere.into_iter().partition(|name| in_all.binary_search(name).is_ok());
    let mut some: Vec<NarrowedPermission> =
        in_some.iter().filter(|held| rest.contains(&held.permission)).cloned().collect();
    for held in narrowed {
        if in_all.binary_search(&held.permission).is_ok() {
            some.push(held);
        } else if let Some(other) = in_some.iter().find(|other| other.permission == held.permission) {
            let mut resources = covered(&held.resources, &other.resources);
            resources.extend(covered(&other.resources, &held.resources));
            resources.sort_unstable();
            resources.dedup();
            if !resources.is_empty() {
                some.push(NarrowedPermission { permission: held.permission, resources });
            }
        }
    }
    some.sort_by(|one, other| one.permission.cmp(&other.permission));
    (both, some)
}

/// Those of `inner` that one of `outer` covers.
fn covered(inner: &[String], outer: &[String]) -> Vec<String> {
    let outer: Vec<_> = outer.iter().filter_map(|text| ResourcePattern::parse(text).ok()).collect();
    let within = |text: &&String| {
        ResourcePattern::parse(text).is_ok_and(|inner| outer.iter().any(|outer| outer.covers(&inner)))
    };
    inner.iter().filter(within).cloned().collect()
}

fn held_alone(entry: &Entry) -> (Vec<String>, Vec<NarrowedPermission>) {
    let (owner, consumer) =
        (entry.owner.state.load(), entry.other_consumer().map(|consumer| consumer.state.load()));
    let catalogue = entry.place.project.catalogue.load();
    let below = |reach: &Reach, name: &str| match reach {
        Reach::Within(ceiling) => ceiling.allows(name),
        // What people may do is narrowed to resources like what keys may, and is listed like it.
        Reach::Anything | Reach::Member { .. } | Reach::Seat { .. } => true,
    };
    let allowed = |name: &str| {
        (entry.kind != KeyKind::Public || catalogue.is_public_safe(name))
            && below(&owner.reach, name)
            && consumer.as_ref().is_none_or(|consumer| below(&consumer.reach, name))
    };
    let own = listed(&entry.policy.grants, &catalogue, &allowed);
    match owner.reach.grants(&entry.place) {
        Some(grants) => within(own, listed(&grants, &catalogue, &|_| true)),
        None => own,
    }
}

/// Every catalogued name that these grants give, of those that are allowed.
fn listed(
    grants: &[Grant],
    catalogue: &Catalogue,
    allowed: &dyn Fn(&str) -> bool,
) -> (Vec<String>, Vec<NarrowedPermission>) {
    let mut given: Vec<(String, &Grant)> = Vec::new();
    for grant in grants {
        grant.each_name(catalogue, &mut |name| {
            if allowed(name) {
                given.push((name.to_owned(), grant));
            }
        });
    }
    given.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (mut everywhere, mut narrowed) = (Vec::with_capacity(given.len()), Vec::new());
    let mut given = given.into_iter().peekable();
    while let Some((name, grant)) = given.next() {
        let mut reach = grant.resources.as_deref().map(<[_]>::to_vec);
        while let Some((_, grant)) = given.next_if(|(next, _)| *next == name) {
            reach = reach.zip(grant.resources.as_deref()).map(|(reach, more)| [&reach, more].concat());
        }
        let Some(reach) = reach else {
            everywhere.push(name);
            continue;
        };
        let mut resources: Vec<String> = reach.iter().map(ToString::to_string).collect();
        resources.sort_unstable();
        resources.dedup();
        narrowed.push(NarrowedPermission { permission: name, resources });
    }
    (everywhere, narrowed)
}

#[cfg(test)]
mod tests;
