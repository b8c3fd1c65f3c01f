//! Every check of a verdict with its outcome and why, for administrators. Takes nothing.

use crate::decide::{self, Ask};
use crate::entry::{Entry, Principals, Switch};
use crate::lease::Standing;
use crate::take::{Metered, Of};
use crate::time::Micros;
use keystead_api::{Check, CheckOutcome, Code};

/// Lists every check that [`decide::decide`] makes, in its order. Once one has failed, the others
/// are still evaluated: an administrator wants to see all that is wrong at once.
#[must_use]
pub fn explain(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Vec<Check> {
    let rules = &entry.policy.restrictions;
    let principals = entry.principals();
    let mut checks = vec![
        state(entry, &principals, now),
        restriction(
            "network",
            Code::NetworkDenied,
            rules.networks.is_some(),
            decide::network(entry, ask),
            ask.ip.map(|ip| format!("the address {ip}")).ok_or("ip"),
        ),
        restriction(
            "origin",
            Code::OriginDenied,
            rules.origins.is_some(),
            decide::origin(entry, ask),
            ask.origin.map(|origin| format!("the origin {origin}")).ok_or("origin"),
        ),
        restriction(
            "endpoint",
            Code::EndpointDenied,
            rules.endpoints.is_some(),
            decide::endpoint(entry, ask),
            endpoint(ask),
        ),
    ];
    checks.extend(permissions(entry, &principals, ask));
    checks.push(restriction(
        "hours",
        Code::ConditionDenied,
        rules.hours.is_some(),
        decide::hours(entry, now),
        Ok(format!("the instant {now:?}")),
    ));
    let key = Metered { of: Of::Key, rules: &entry.policy.rules, meter: &entry.lineage.meter };
    meter(&mut checks, key, ask.cost, now);
    if let Some(state) = principals.consumer() {
        meter(
            &mut checks,
            Metered { of: Of::Consumer, rules: &state.rules, meter: &state.meter },
            ask.cost,
            now,
        );
    }
    checks
}

fn check(name: &str, code: Code, passed: bool, why: impl Into<String>) -> Check {
    let outcome = if passed { CheckOutcome::Passed } else { CheckOutcome::Failed };
    Check { check: name.into(), outcome, code: (!passed).then_some(code), why: why.into() }
}

fn state(entry: &Entry, principals: &Principals, now: Micros) -> Check {
    let Err(verdict) = decide::state(entry, principals, now) else {
        return check("state", Code::Valid, true, "The key is switched on and within its validity.");
    };
    let why = match verdict.code {
        Code::Revoked => "The key was revoked, which is for good. Issue a new one.".into(),
        Code::Disabled if entry.switch == Switch::Off => {
            "The key is disabled. Enable it to use it again.".into()
        }
        Code::Disabled => entry.disabled_principal().map_or_else(String::new, |principal| {
            format!(
                "{} ({}) is disabled, and all of its keys with it.",
                principal.state.load().name,
                principal.id
            )
        }),
        Code::Suspended => format!("The key is suspended until {:?}.", entry.suspended_until),
        Code::NotYetValid => format!("The key is not valid before {:?}.", entry.not_before),
        _ => format!("The key expired at {:?}.", entry.expires_at),
    };
    check("state", verdict.code, false, why)
}

/// What is compared with the key's endpoints, or which field the request lacks.
fn endpoint(ask: &Ask<'_>) -> Result<String, &'static str> {
    match (ask.method, ask.path) {
        (Some(method), Some(path)) => Ok(format!("the endpoint {method} {path}")),
        (None, _) => Err("method"),
        (_, None) => Err("path"),
    }
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

fn permissions(entry: &Entry, principals: &Principals, ask: &Ask<'_>) -> Vec<Check> {
    let Some(query) = ask.permissions else {
        return vec![Check {
            check: "permissions".into(),
            outcome: CheckOutcome::NotApplicable,
            code: None,
            why: "The request asks for no permission.".into(),
        }];
    };
    let holds = decide::permissions(entry, principals, ask);
    let mut checks = vec![check(
        "permissions",
        Code::InsufficientPermissions,
        holds,
        if holds { "The key has what the request asks." } else { "The key lacks what the request asks." },
    )];
    query.names(&mut |name| {
        let passed = entry.may_under(principals, name, ask.resource);
        let outcome = if passed { CheckOutcome::Passed } else { CheckOutcome::Failed };
        checks.push(Check {
            check: format!("permission {name}"),
            outcome,
            code: None,
            why: why_permission(entry, name, ask.resource),
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
    for principal in [Some(&entry.owner), entry.other_consumer()].into_iter().flatten() {
        let state = principal.state.load();
        if !state.allows(name) {
            return format!(
                "{} gives {name}, but the ceiling of {} ({}) does not.",
                grant.describe(),
                state.name,
                principal.id
            );
        }
    }
    format!("{} gives {name}.", grant.describe())
}

fn meter(checks: &mut Vec<Check>, metered: Metered<'_>, cost: u64, now: Micros) {
    let of = match metered.of {
        Of::Key => "key",
        Of::Consumer => "consumer",
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
            checks.push(check(&format!("{name} of the {of}"), code, passed, why));
        }
    }
}
