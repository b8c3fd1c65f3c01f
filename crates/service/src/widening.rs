//! Nobody widens their own reach: whether a caller already has what it is about to give.

use keystead_domain::entry::Entry;
use keystead_domain::pattern::Pattern;
use keystead_domain::policy::{Given, Grant};
use keystead_domain::resource::ResourcePattern;

/// Whether everything that `pattern` stands for, on all of `resources` (`None`: everywhere), is
/// what the key may do now: its own grants ∩ its owner's ceiling ∩ its consumer's.
///
/// Never true wrongly. False where only several grants together would cover one pattern on one
/// resource, and for an empty list of resources: some stored grants write "everywhere" like that.
pub(crate) fn covers(entry: &Entry, pattern: &Pattern, resources: Option<&[ResourcePattern]>) -> bool {
    let within_ceilings =
        [Some(&entry.owner), entry.other_consumer()].into_iter().flatten().all(|principal| {
            let state = principal.state.load();
            state.ceiling.as_ref().is_none_or(|ceiling| ceiling.covers(pattern))
        });
    let held = |resource: Option<&ResourcePattern>| {
        entry.policy.grants.iter().any(|grant| reaches(grant, resource) && gives(grant, pattern))
    };
    within_ceilings
        && match resources {
            None => held(None),
            Some(resources) => !resources.is_empty() && resources.iter().all(|resource| held(Some(resource))),
        }
}

fn reaches(grant: &Grant, resource: Option<&ResourcePattern>) -> bool {
    match (&grant.resources, resource) {
        (None, _) => true,
        (Some(own), Some(resource)) => own.iter().any(|own| own.covers(resource)),
        (Some(_), None) => false,
    }
}

fn gives(grant: &Grant, pattern: &Pattern) -> bool {
    match &grant.given {
        Given::Permission(own) => own.covers(pattern),
        Given::Role(role) => role.permissions.load().covers(pattern),
    }
}

#[cfg(test)]
mod tests;
