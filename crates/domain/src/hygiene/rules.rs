//! The rules, one function each.

use super::facts::{Held, HygieneFacts, OwnerFacts};
use super::used::{Users, last_used, needed, unused};
use super::{ADMIN_SHARED_BY, DAY, DORMANT_DAYS, NEVER_USED_DAYS, RECENT_DAYS, SHARED_BY, fix};
use crate::time::Micros;
use keystead_api::{HygieneCode, HygieneEvidence, KeyKind};
use std::collections::BTreeSet;

/// The most names of permissions in one finding.
const NAMES_MAX: usize = 32;

type Rule = fn(&HygieneFacts<'_>) -> Option<Said>;

/// Those about a key that somebody answers for.
pub(super) const RULES: [Rule; 9] = [
    shared,
    owner_unclear,
    never_used,
    dormant,
    over_privileged,
    no_expiry,
    rotation_overdue,
    no_network_rule,
    public_too_strong,
];

/// What a rule says; severity and weight follow from the code and the key.
pub(super) struct Said {
    pub(super) code: HygieneCode,
    pub(super) detail: String,
    pub(super) evidence: HygieneEvidence,
    pub(super) fix: String,
    pub(super) command: Option<String>,
}

/// Whole days from `since` to the time of judging; none where the clock stands before it.
fn days(facts: &HygieneFacts<'_>, since: Micros) -> u64 {
    u64::try_from(facts.now.since(since) / DAY).unwrap_or(0)
}

fn dated(facts: &HygieneFacts<'_>, since: Micros) -> HygieneEvidence {
    HygieneEvidence {
        since: Some(since.to_timestamp()),
        days: Some(days(facts, since)),
        ..HygieneEvidence::default()
    }
}

fn date(at: Micros) -> String {
    at.to_timestamp().strftime("%Y-%m-%d").to_string()
}

/// From how many networks or programs on it is shared.
fn shared_by(facts: &HygieneFacts<'_>) -> usize {
    if facts.is_administrative() { ADMIN_SHARED_BY } else { SHARED_BY }
}

/// A public key is meant to be everywhere; and whoever holds what was minted from a key is no holder of it.
fn shared(facts: &HygieneFacts<'_>) -> Option<Said> {
    if facts.kind == KeyKind::Public || facts.has_minted {
        return None;
    }
    let administrative = facts.is_administrative();
    let users = Users::of(facts);
    if users.most() < shared_by(facts) {
        return None;
    }
    let maybe_more = facts.overflowed.networks || facts.overflowed.user_agents;
    let (code, what) = if administrative {
        (HygieneCode::AdminKeyShared, "This key with administrative permissions was")
    } else {
        (HygieneCode::KeyShared, "This key was")
    };
    let detail = format!(
        "{what} seen from {}{} and {} in the last {RECENT_DAYS} days.",
        if maybe_more { "at least " } else { "" },
        number(users.networks.len(), "network"),
        number(users.programs.len(), "program"),
    );
    let Users { networks, programs } = users;
    Some(Said {
        code,
        detail,
        evidence: HygieneEvidence {
            passed: Some(facts.seen.passed),
            networks,
            programs,
            maybe_more,
            ..HygieneEvidence::default()
        },
        fix: "Issue a key for each program that uses it, with what that needs, then revoke this one.".into(),
        command: fix::split(facts.project, facts.environment, &needed(facts)),
    })
}

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn owner_unclear(facts: &HygieneFacts<'_>) -> Option<Said> {
    let (id, project) = (facts.id, facts.project);
    let (detail, fix, command) = match facts.owner {
        OwnerFacts::ServiceAccount { of_project: false, .. } => (
            "Its owner is whoever made it: nobody named the program or consumer that uses it.",
            "Name the project's service account or consumer that uses it.",
            format!("keystead keys update {id} --owner OWNER"),
        ),
        OwnerFacts::ServiceAccount { is_described: false, id, .. } => (
            "Its owner is a service account of which nobody wrote down what it is.",
            "Describe the service account: what it is, and which team answers for it.",
            format!("keystead service-accounts update --project {project} {id} --description 'WHAT, WHOSE'"),
        ),
        OwnerFacts::Consumer { has_contact: false, id } => (
            "Its owner is a consumer without a contact: nobody could be asked or told.",
            "Give the consumer an address.",
            format!("keystead consumers update --project {project} {id} --contact ADDRESS"),
        ),
        _ => return None,
    };
    Some(Said {
        code: HygieneCode::OwnerUnclear,
        detail: detail.into(),
        evidence: dated(facts, facts.created_at),
        fix: fix.into(),
        command: Some(command),
    })
}

pub(super) fn person_gone(facts: &HygieneFacts<'_>) -> Option<Said> {
    let (code, detail, evidence) = match facts.owner {
        OwnerFacts::Disabled => (
            HygieneCode::LeaversKey,
            "Its owner is disabled: it does nothing now, and works again when they are enabled.".to_owned(),
            HygieneEvidence::default(),
        ),
        OwnerFacts::Left { at } => (
            HygieneCode::TeamKeyWithoutPerson,
            format!("Whoever made it in a team's name left the team on {}: nobody answers for it.", date(at)),
            dated(facts, at),
        ),
        _ => return None,
    };
    Some(Said {
        code,
        detail,
        evidence,
        fix: "Hand it to somebody who stays, or revoke it.".into(),
        command: Some(format!("keystead keys update {} --owner OWNER", facts.id)),
    })
}

fn never_used(facts: &HygieneFacts<'_>) -> Option<Said> {
    let from = facts.usable_from;
    if !facts.use_is_recorded
        || facts.seen.passed > 0
        || last_used(facts).is_some()
        || facts.now.since(from) < NEVER_USED_DAYS * DAY
    {
        return None;
    }
    let detail = format!("It was never used in the {} days since {}.", days(facts, from), date(from));
    Some(Said {
        code: HygieneCode::NeverUsed,
        detail,
        evidence: HygieneEvidence { passed: Some(0), ..dated(facts, from) },
        fix: "Disable it, and revoke it when nobody misses it.".into(),
        command: Some(format!("keystead keys disable {}", facts.id)),
    })
}

/// A key that is younger than its lineage's last use is not dormant yet.
fn dormant(facts: &HygieneFacts<'_>) -> Option<Said> {
    let last = last_used(facts).filter(|_| facts.use_is_recorded)?;
    if facts.now.since(last.max(facts.usable_from)) < DORMANT_DAYS * DAY {
        return None;
    }
    Some(Said {
        code: HygieneCode::Dormant,
        detail: format!("It was last used {} days ago, on {}.", days(facts, last), date(last)),
        evidence: HygieneEvidence { passed: Some(facts.seen.passed), ..dated(facts, last) },
        fix: "Disable it, and revoke it when nobody misses it.".into(),
        command: Some(format!("keystead keys disable {}", facts.id)),
    })
}

fn over_privileged(facts: &HygieneFacts<'_>) -> Option<Said> {
    let unused = unused(facts);
    let since = unused.iter().map(|held| held.since).max()?;
    let names_unused: BTreeSet<&str> = unused.iter().map(|held| held.name.as_str()).collect();
    let kept: Vec<&Held> =
        facts.held.iter().filter(|held| !names_unused.contains(held.name.as_str())).collect();
    let detail = format!(
        "It has never used {} of its {} since {}, while {} passed.",
        unused.len(),
        number(facts.held.len(), "permission"),
        date(since),
        number(usize::try_from(facts.seen.passed).unwrap_or(usize::MAX), "request"),
    );
    let permissions_held = u64::try_from(facts.held.len()).ok();
    Some(Said {
        code: HygieneCode::OverPrivileged,
        detail,
        evidence: HygieneEvidence {
            passed: Some(facts.seen.passed),
            permissions_held,
            permissions_concerned: u64::try_from(unused.len()).ok(),
            permissions: names(&unused),
            ..dated(facts, since)
        },
        fix: "Leave it what it uses.".into(),
        command: fix::keep(facts.id, &kept, facts.has_roles),
    })
}

fn names(held: &[&Held]) -> Vec<String> {
    held.iter().take(NAMES_MAX).map(|held| held.name.clone()).collect()
}

fn no_expiry(facts: &HygieneFacts<'_>) -> Option<Said> {
    facts.expires_at.is_none().then(|| Said {
        code: HygieneCode::NoExpiry,
        detail: "It never expires: what leaks stays good for ever.".into(),
        evidence: dated(facts, facts.created_at),
        fix: "Set an end, and rotate it before.".into(),
        command: Some(format!("keystead keys update {} --expires 90d", facts.id)),
    })
}

fn rotation_overdue(facts: &HygieneFacts<'_>) -> Option<Said> {
    let due = facts.rotation_due_at.filter(|due| *due <= facts.now)?;
    Some(Said {
        code: HygieneCode::RotationOverdue,
        detail: format!(
            "It is {} days old; by the rotation plan or a guardrail it was due on {}.",
            days(facts, facts.created_at),
            date(due),
        ),
        evidence: dated(facts, due),
        fix: "Rotate it.".into(),
        command: Some(format!("keystead keys rotate {}", facts.id)),
    })
}

/// Browsers come from anywhere, and a temporary key ends by itself.
fn no_network_rule(facts: &HygieneFacts<'_>) -> Option<Said> {
    if facts.has_networks || matches!(facts.kind, KeyKind::Public | KeyKind::Temporary) {
        return None;
    }
    let networks = Users::of(facts).networks;
    // A network that was refused is in the list, too, and one of many may be a thief's: neither must be let in
    // by a command that is pasted. Nor must it shut out one that is not in the list: because it is full, because it
    // was last seen long ago, or because nobody said where a request came from.
    let few = (1..shared_by(facts)).contains(&networks.len());
    let told = facts.seen.networks.iter().fold(0_u64, |sum, one| sum.saturating_add(one.count));
    let is_whole = !facts.overflowed.networks
        && networks.len() == facts.seen.networks.len()
        && told >= facts.seen.passed;
    let known = few && facts.seen.refused == 0 && is_whole;
    let (fix, command) = if known {
        let fix = "Allow only the networks that it is used from; look first whether each is yours.";
        (fix, fix::only_from(facts.id, &networks))
    } else {
        let fix = "Allow only the networks that it should be used from.";
        (fix, Some(format!("keystead keys update {} --network-allow NETWORK", facts.id)))
    };
    Some(Said {
        code: HygieneCode::NoNetworkRule,
        detail: "It may be used from any network.".into(),
        evidence: HygieneEvidence {
            networks,
            maybe_more: facts.overflowed.networks,
            ..HygieneEvidence::default()
        },
        fix: fix.into(),
        command,
    })
}

fn public_too_strong(facts: &HygieneFacts<'_>) -> Option<Said> {
    if facts.kind != KeyKind::Public {
        return None;
    }
    let (sensitive, harmless): (Vec<&Held>, Vec<&Held>) = facts.held.iter().partition(|held| held.sensitive);
    let (detail, fix, command) = if !sensitive.is_empty() {
        let what = number(sensitive.len(), "permission");
        (
            format!("Everybody can see it, and it holds {what} that the catalogue marks as sensitive."),
            "Take them away; what needs them gets a private key.",
            fix::keep(facts.id, &harmless, facts.has_roles),
        )
    } else if facts.holds_all {
        (
            "Everybody can see it, and it holds everything, also what is added later.".to_owned(),
            "Name the permissions that it needs.",
            fix::keep(facts.id, &needed(facts), facts.has_roles),
        )
    } else if !facts.has_limits {
        (
            "Everybody can see it, and nothing limits how often it is used.".to_owned(),
            "Give it a rate limit.",
            Some(format!("keystead keys update {} --limit default=100/1m", facts.id)),
        )
    } else {
        return None;
    };
    Some(Said {
        code: HygieneCode::PublicTooStrong,
        detail,
        evidence: HygieneEvidence {
            permissions_held: u64::try_from(facts.held.len()).ok(),
            permissions_concerned: u64::try_from(sensitive.len()).ok(),
            permissions: names(&sensitive),
            ..HygieneEvidence::default()
        },
        fix: fix.into(),
        command,
    })
}
