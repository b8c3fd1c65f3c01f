//! What a key may do now, and where each permission comes from: for presenting, not for deciding.

use crate::entry::Entry;
use crate::policy::Grant;
use keystead_api::{EffectivePermission, NarrowedPermission};

/// Every catalogued permission that a grant of the key reaches, with what takes it away, if anything.
#[must_use]
pub fn effective_permissions(entry: &Entry) -> Vec<EffectivePermission> {
    let catalogue = entry.place.project.catalogue.load();
    let mut effective = Vec::new();
    for name in catalogue.names() {
        let lost = [Some(&entry.owner), entry.other_consumer()].into_iter().flatten().find_map(|principal| {
            let state = principal.state.load();
            (!state.allows(name))
                .then(|| format!("the ceiling of {} ({}) does not have it", state.name, principal.id))
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

/// What a verify answer lists: names held on every resource, and names held on some only. Apart,
/// so that a program that looks for a name cannot overlook that it is narrowed.
#[must_use]
pub fn held_permissions(entry: &Entry) -> (Vec<String>, Vec<NarrowedPermission>) {
    let (owner, consumer) =
        (entry.owner.state.load(), entry.other_consumer().map(|consumer| consumer.state.load()));
    let allowed =
        |name: &str| owner.allows(name) && consumer.as_ref().is_none_or(|consumer| consumer.allows(name));
    let mut given: Vec<(String, &Grant)> = Vec::new();
    let catalogue = entry.place.project.catalogue.load();
    for grant in &entry.policy.grants {
        grant.each_name(&catalogue, &mut |name| {
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
