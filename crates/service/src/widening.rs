//! Nobody widens their own reach: whether a caller already has what it is about to give.

use keystead_domain::entry::Entry;
use keystead_domain::pattern::Pattern;
use keystead_domain::resource::ResourcePattern;

/// Whether everything that `pattern` stands for, on all of `resources` (`None`: everywhere), is
/// what the key may do now: its own grants ∩ its owner's ceiling ∩ its consumer's.
///
/// Never true wrongly. False where only several grants together would cover one pattern on one
/// resource, and for an empty list of resources: some stored grants write "everywhere" like that.
pub(crate) fn covers(entry: &Entry, pattern: &Pattern, resources: Option<&[ResourcePattern]>) -> bool {
    let within = |resource: Option<&ResourcePattern>| {
        let principals = [Some(&entry.owner), entry.other_consumer()];
        let mut principals = principals.into_iter().flatten();
        entry.policy.grants.iter().any(|grant| grant.covers(pattern, resource))
            && principals
                .all(|principal| principal.state.load().reach.covers(&entry.place, pattern, resource))
    };
    match resources {
        None => within(None),
        Some(resources) => !resources.is_empty() && resources.iter().all(|resource| within(Some(resource))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
