//! Every check of a verdict with its outcome and why, for administrators. Takes nothing.

use crate::decide::{self, Ask, Live};
use crate::entry::{Entry, Switch};
use crate::lease::Standing;
use crate::policy::Grant;
use crate::take::{Metered, Of};
use crate::time::Micros;
use keystead_api::{Check, CheckOutcome, Code, KeyKind};

/// Lists every check that [`decide::decide`] makes, in its order. Once one has failed, the others
/// are still evaluated: an administrator wants to see all that is wrong at once.
#[must_use]
pub fn explain(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Vec<Check> {
    let Some(cell) = entry.parent() else {
        return explain_under(entry, None, ask, now);
    };
    match &*cell.now() {
        Some(parent) => explain_under(entry, Some(parent), ask, now),
        None => {
            let why = format!("{}, from which the key was minted, was revoked and purged.", cell.id);
            vec![check("parent state", Code::Revoked, false, why)]
        }
    }
}

fn explain_under(entry: &Entry, parent: Option<&Entry>, ask: &Ask<'_>, now: Micros) -> Vec<Check> {
    let both = |check: fn(&Entry, &Ask<'_>, Micros) -> Check| {
        let of_parent = parent.and_then(|parent| of_parent(parent, check(parent, ask, now)));
        [Some(check(entry, ask, now)), of_parent].into_iter().flatten()
    };
    let mut checks: Vec<Check> = [state, network, origin, endpoint].into_iter().flat_map(both).collect();
    checks.extend(permissions(entry, parent, ask));
    checks.extend(both(hours));
    checks.extend(both(policies));
    let spender = parent.unwrap_or(entry);
    let key = Metered { of: Of::Key, rules: &spender.policy.rules, meter: &spender.lineage.meter };
    meter(&mut checks, key, ask.cost, now);
    if let Some(state) = spender.principals().consumer() {
        meter(
            &mut checks,
            Metered { of: Of::Consumer, rules: &state.rules, meter: &state.meter },
            ask.cost,
            now,
        );
    }
    if let Some(uses) = entry.uses() {
        let uses = Metered { of: Of::Uses, rules: &uses.rules, meter: &uses.meter };
        meter(&mut checks, uses, ask.cost.min(1), now);
    }
    checks
}

/// The same check of the key that it was minted from; none where there is nothing to check.
fn of_parent(parent: &Entry, check: Check) -> Option<Check> {
    (check.outcome != CheckOutcome::NotApplicable).then(|| Check {
        check: format!("parent {}", check.check),
        why: format!("Of {}, from which the key was minted: {}", parent.id, check.why),
        ..check
    })
}

fn network(entry: &Entry, ask: &Ask<'_>, _: Micros) -> Check {
    restriction(
        "network",
        Code::NetworkDenied,
        entry.policy.restrictions.networks.is_some(),
        decide::network(entry, ask),
        ask.ip.map(|ip| format!("the address {ip}")).ok_or("ip"),
    )
}

fn origin(entry: &Entry, ask: &Ask<'_>, _: Micros) -> Check {
    restriction(
        "origin",
        Code::OriginDenied,
        entry.policy.restrictions.origins.is_some(),
        decide::origin(entry, ask),
        ask.origin.map(|origin| format!("the origin {origin}")).ok_or("origin"),
    )
}

fn endpoint(entry: &Entry, ask: &Ask<'_>, _: Micros) -> Check {
    restriction(
        "endpoint",
        Code::EndpointDenied,
        entry.policy.restrictions.endpoints.is_some(),
        decide::endpoint(entry, ask),
        // What is compared with the key's endpoints, or which field the request lacks.
        match (ask.method, ask.path) {
            (Some(method), Some(path)) => Ok(format!("the endpoint {method} {path}")),
            (None, _) => Err("method"),
            (_, None) => Err("path"),
        },
    )
}

fn hours(entry: &Entry, _: &Ask<'_>, now: Micros) -> Check {
    restriction(
        "hours",
        Code::ConditionDenied,
        entry.policy.restrictions.hours.is_some(),
        decide::hours(entry, now),
        Ok(format!("the instant {now:?}")),
    )
}

/// Which policy forbids it, by name: whoever may look at verdicts may know what makes them.
fn policies(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Check {
    if !entry.place.project.conditions.is_any() {
        return Check {
            check: "policies".into(),
            outcome: CheckOutcome::NotApplicable,
            code: None,
            why: "No policy is about keys of this project.".into(),
        };
    }
    match decide::forbidden(entry, ask, now) {
        None => check("policies", Code::ConditionDenied, true, "No policy forbids the request."),
        Some(forbidden) => {
            check("policies", Code::ConditionDenied, false, format!("Refused, because {forbidden}."))
        }
    }
}

fn check(name: &str, code: Code, passed: bool, why: impl Into<String>) -> Check {
    let outcome = if passed { CheckOutcome::Passed } else { CheckOutcome::Failed };
    Check { check: name.into(), outcome, code: (!passed).then_some(code), why: why.into() }
}

fn state(entry: &Entry, _: &Ask<'_>, now: Micros) -> Check {
    let Err(verdict) = decide::state(&Live::of(entry), now) else {
        return check("state", Code::Valid, true, "The key is switched on and within its validity.");
    };
    let why = match verdict.code {
        Code::Revoked => "The key was revoked, which is for good. Issue a new one.".into(),
        Code::Disabled if entry.switch == Switch::Off => {
            "The key is disabled. Enable it to use it again.".into()
        }
        Code::Disabled => {
            entry.disabled_principal().and_then(|principal| principal.why_off()).unwrap_or_default()
        }
        Code::Suspended => format!("The key is suspended until {:?}.", entry.suspended_until),
        Code::NotYetValid => format!("The key is not valid before {:?}.", entry.not_before),
        _ => match entry.rotation().filter(|rotation| rotation.is_old()) {
            Some(rotation) => format!(
                "The key was rotated into {}, and ended at {:?}. Use that one.",
                rotation.other, entry.expires_at
            ),
            None => format!("The key expired at {:?}.", entry.expires_at),
        },
    };
    check("state", verdict.code, false, why)
}

/// `what` is what the restriction was asked about, or the field that the request lacks.
fn restriction(
    name: &str,
    code: Code,
    exists: bool,
    passed: bool,
    what: Result<String, &'static str>,
) -> Check {
    if !exists {
        return Check {
            check: name.into(),
            outcome: CheckOutcome::NotApplicable,
            code: None,
            why: format!("The key has no {name} restriction."),
        };
    }
    let verb = if passed { "admits" } else { "does not admit" };
    let why = match what {
        Ok(what) => format!("The key's {name} restriction {verb} {what}."),
        Err(field) => {
            format!("The key's {name} restriction needs `{field}`, which the request does not say.")
        }
    };
    check(name, code, passed, why)
}

fn permissions(entry: &Entry, parent: Option<&Entry>, ask: &Ask<'_>) -> Vec<Check> {
    let Some(query) = ask.permissions else {
        return vec![Check {
            check: "permissions".into(),
            outcome: CheckOutcome::NotApplicable,
            code: None,
            why: "The request asks for no permission.".into(),
        }];
    };
    let holds = decide::permissions(&Live::of(entry), parent.map(Live::of).as_ref(), ask);
    let mut checks = vec![check(
        "permissions",
        Code::InsufficientPermissions,
        holds,
        if holds { "The key has what the request asks." } else { "The key lacks what the request asks." },
    )];
    query.names(&mut |name| {
        let passed = entry.may(name, ask.resource);
        let outcome = if passed { CheckOutcome::Passed } else { CheckOutcome::Failed };
        checks.push(Check {
            check: format!("permission {name}"),
            outcome,
            code: None,
            why: match parent {
                Some(parent) if entry.may_alone(name, ask.resource) => format!(
                    "Of {}, from which the key was minted: {}",
                    parent.id,
                    why_permission(parent, name, ask.resource)
                ),
                _ => why_permission(entry, name, ask.resource),
            },
        });
    });
    checks
}

/// Where a permission comes from, or what takes it away.
fn why_permission(entry: &Entry, name: &str, resource: Option<&str>) -> String {
    let catalogue = entry.place.project.catalogue.load();
    if !catalogue.knows(name) {
        return format!("The project's catalogue has no permission {name}.");
    }
    if entry.kind == KeyKind::Public && !catalogue.is_public_safe(name) {
        return format!("{name} is not public_safe, and a public key holds nothing else.");
    }
    let Some(grant) =
        entry.policy.grants.iter().find(|grant| grant.reaches(resource) && grant.gives(&catalogue, name))
    else {
        let elsewhere = entry.policy.grants.iter().any(|grant| grant.gives(&catalogue, name));
        return match (elsewhere, resource) {
            (false, _) => format!("No grant of the key gives {name}."),
            (true, None) => {
                format!("The key has {name} on some resources only, and the request names no `resource`.")
            }
            (true, Some(resource)) => format!("The key has {name}, but not on {resource}."),
        };
    };
    let would = |grant: &Grant| grant.reaches(resource) && grant.gives(&catalogue, name);
    for principal in [Some(&entry.owner), entry.other_consumer()].into_iter().flatten() {
        if let Some(why) = principal.withholds(&entry.place, name, &would) {
            return format!("{} gives {name}, but {why}.", grant.describe());
        }
    }
    format!("{} gives {name}.", grant.describe())
}

fn meter(checks: &mut Vec<Check>, metered: Metered<'_>, cost: u64, now: Micros) {
    let of = match metered.of {
        Of::Key => "key",
        Of::Consumer => "consumer",
        Of::Uses => "uses",
        Of::Route(_) | Of::RouteHere(_) => "route",
    };
    for (index, rule) in metered.rules.rates.iter().enumerate() {
        let Some(state) = metered.meter.rate_state(metered.rules, index, cost, now) else {
            continue;
        };
        let why = format!(
            "{} of {} a {} s remain; the request takes {cost}.",
            state.remaining, rule.limit, rule.window_seconds
        );
        checks.push(check(
            &format!("limit {} of the {of}", rule.name),
            Code::RateLimited,
            state.wait_ns == 0,
            why,
        ));
    }
    let blocks = metered.meter.show_blocks();
    let accounts = [
        (metered.rules.quota.is_some(), "quota", blocks.quota, Code::QuotaExceeded),
        (metered.rules.credits.is_some(), "credits", blocks.credits, Code::CreditsExhausted),
    ];
    for (exists, name, block, code) in accounts {
        if exists {
            let why = match block.remaining(now) {
                Some((remaining, _)) => format!("{remaining} remain; the request takes {cost}."),
                None => {
                    "Nothing of the current period is leased yet; the store is asked at first use.".into()
                }
            };
            let passed = block.standing(cost, now) != Standing::Exhausted;
            let name =
                if metered.of == Of::Uses { "uses of the key".into() } else { format!("{name} of the {of}") };
            checks.push(check(&name, code, passed, why));
        }
    }
}
