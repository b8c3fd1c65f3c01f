//! How a key and a verdict are shown: everything that may be told, nothing of the secret.

pub(crate) mod rows;

use crate::described::Described;
use crate::refused::Refused;
use crate::verify::retry_after;
use keystead_api::{
    Check, CheckOutcome, Code, ConsumerRef, CreditsStatus, LimitStatus, OwnerKind, OwnerRef, QuotaStatus,
    TeamRef, VerdictDetail, Verification,
};
use keystead_domain::cells::Principal;
use keystead_domain::decide::{Ask, Verdict};
use keystead_domain::entry::Entry;
use keystead_domain::ids::{OwnerId, RequestId};
use keystead_domain::rate::{RateRule, RateState};
use keystead_domain::reach::{Reach, TeamCell};
use keystead_domain::route_limits::AtRoute;
use keystead_domain::take::{Metered, Of};
use keystead_domain::time::Micros;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Reads JSON that we wrote ourselves.
pub(crate) fn json<T: DeserializeOwned>(text: &str) -> Result<T, Refused> {
    serde_json::from_str(text)
        .map_err(|_| Refused::Internal("the database holds JSON that cannot be read".into()))
}

/// Writes JSON for the database.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Refused> {
    serde_json::to_string(value).map_err(|_| Refused::Internal("a value that is no JSON".into()))
}

/// Whose a key is.
pub(crate) fn owner(principal: &Principal) -> OwnerRef {
    let kind = match principal.id {
        OwnerId::ServiceAccount(_) => OwnerKind::ServiceAccount,
        OwnerId::Consumer(_) => OwnerKind::Consumer,
        OwnerId::Member(_) => OwnerKind::Member,
        OwnerId::Seat(_) => OwnerKind::TeamMember,
    };
    let state = principal.state.load();
    let (id, team) = match &state.reach {
        Reach::Seat { member, membership } => (member.id, Some(team(&membership.team))),
        Reach::Anything | Reach::Within(_) | Reach::Member { .. } => (principal.id, None),
    };
    OwnerRef { kind, id: id.to_string(), name: state.name.to_string(), team }
}

/// Which team.
pub(crate) fn team(cell: &TeamCell) -> TeamRef {
    TeamRef { id: cell.id.to_string(), name: cell.state.load().name.to_string() }
}

/// To whom a key is issued.
pub(crate) fn consumer(principal: &Principal) -> ConsumerRef {
    let state = principal.state.load();
    ConsumerRef {
        id: principal.id.to_string(),
        name: state.name.to_string(),
        external_id: state.external_id.as_deref().map(Into::into),
    }
}

/// An instant that stands for "none" at either end of time.
pub(crate) fn instant(at: Micros) -> Option<jiff::Timestamp> {
    (at != Micros::FOREVER && at.0 != i64::MIN).then(|| at.to_timestamp())
}

/// A verdict on a token that proved nothing: only the code.
pub(crate) fn stranger(verdict: Verdict, request: RequestId) -> Verification {
    Verification {
        valid: false,
        code: verdict.code,
        detail: None,
        key_id: None,
        kind: None,
        project: None,
        environment: None,
        owner: None,
        consumer: None,
        permissions: Arc::default(),
        narrowed_permissions: Arc::default(),
        expires_at: None,
        limits: Vec::new(),
        quotas: Vec::new(),
        credits: None,
        uses_remaining: None,
        retry_after_seconds: retry_after(&verdict),
        metadata: None,
        explanation: Vec::new(),
        request_id: request.to_string(),
    }
}

/// A verdict on a key whose digest matched.
pub(crate) fn verification(
    entry: &Entry,
    described: &Described,
    verdict: Verdict,
    cost: u64,
    now: Micros,
    request: RequestId,
) -> Verification {
    Verification {
        valid: verdict.code == Code::Valid,
        detail: detail(entry, verdict.code, now),
        key_id: Some(entry.id.to_string()),
        kind: Some(entry.kind),
        project: Some(Arc::clone(&described.project)),
        environment: Some(Arc::clone(&described.environment)),
        owner: Some(Arc::clone(&described.owner)),
        consumer: described.consumer.clone(),
        permissions: Arc::clone(&described.permissions),
        narrowed_permissions: Arc::clone(&described.narrowed_permissions),
        expires_at: instant(entry.expires_at),
        limits: limits(entry, cost, now),
        quotas: quotas(entry, now),
        credits: credits(entry, now),
        uses_remaining: uses(entry, now),
        ..stranger(verdict, request)
    }
}

/// What the code alone does not say.
fn detail(entry: &Entry, code: Code, now: Micros) -> Option<VerdictDetail> {
    (code == Code::Expired && entry.is_rotated_away(now)).then_some(VerdictDetail::Rotated)
}

/// What remains of each rate limit, the key's own first.
pub(crate) fn limits(entry: &Entry, cost: u64, now: Micros) -> Vec<LimitStatus> {
    let mut limits = Vec::new();
    each_meter(entry, |metered| {
        for (index, rule) in metered.rules.rates.iter().enumerate() {
            let Some(state) = metered.meter.rate_state(metered.rules, index, cost, now) else {
                continue;
            };
            limits.push(limit(metered.of, rule, state));
        }
    });
    limits
}

/// What remains of each limit of a guarded route, for the key whose lineage pays; none has a key on a public one.
pub(crate) fn route_limits(
    route: &AtRoute<'_>,
    spender: Option<&Entry>,
    ask: &Ask<'_>,
    now: Micros,
) -> Vec<LimitStatus> {
    route.states(spender, ask, now).map(|(rule, state)| limit(Of::Route(0), rule, state)).collect()
}

fn limit(whose: Of, rule: &RateRule, state: RateState) -> LimitStatus {
    LimitStatus {
        name: rule.name.to_string(),
        of: of(whose).into(),
        limit: rule.limit,
        window_seconds: rule.window_seconds,
        remaining: state.remaining,
        retry_after_ms: state.wait_ns.div_ceil(1_000_000),
    }
}

/// What remains of the quotas, as far as this process knows.
pub(crate) fn quotas(entry: &Entry, now: Micros) -> Vec<QuotaStatus> {
    let mut quotas = Vec::new();
    each_meter(entry, |metered| {
        let Some(rule) = &metered.rules.quota else {
            return;
        };
        let Some((remaining, until)) = metered.meter.show_blocks().quota.remaining(now) else {
            return;
        };
        quotas.push(QuotaStatus {
            of: of(metered.of).into(),
            limit: rule.limit,
            per: rule.per,
            remaining,
            resets_at: until.to_timestamp(),
        });
    });
    quotas
}

/// What remains of the credits, as far as this process knows.
fn credits(entry: &Entry, now: Micros) -> Option<CreditsStatus> {
    let spender = entry.spender()?;
    let rule = spender.policy.rules.credits?;
    let (remaining, until) = spender.lineage.meter.show_blocks().credits.remaining(now)?;
    Some(CreditsStatus { remaining, refill: rule.refill, amount: rule.amount, refills_at: instant(until) })
}

/// How many requests it may still pass, as far as this process knows.
fn uses(entry: &Entry, now: Micros) -> Option<u64> {
    entry.uses()?.meter.show_blocks().credits.remaining(now).map(|(remaining, _)| remaining)
}

fn each_meter(entry: &Entry, mut visit: impl FnMut(Metered<'_>)) {
    let Some(entry) = entry.spender() else {
        return;
    };
    visit(Metered { of: Of::Key, rules: &entry.policy.rules, meter: &entry.lineage.meter });
    if let Some(state) = entry.principals().consumer() {
        visit(Metered { of: Of::Consumer, rules: &state.rules, meter: &state.meter });
    }
}

const fn of(of: Of) -> &'static str {
    match of {
        Of::Key => "key",
        Of::Consumer => "consumer",
        Of::Uses => "uses",
        Of::Route(_) | Of::RouteHere(_) => "route",
    }
}

/// The checks that a key has passed when its digest has matched.
pub(crate) fn found_checks() -> Vec<Check> {
    [
        ("format", "The text is a well-formed key, and its checksum fits."),
        ("key", "The key exists in this project and environment."),
        ("secret", "The secret is the key's."),
    ]
    .map(|(name, why)| Check {
        check: name.into(),
        outcome: CheckOutcome::Passed,
        code: None,
        why: why.into(),
    })
    .into()
}

/// The checks of a token that proved nothing.
pub(crate) fn stranger_checks(code: Code) -> Vec<Check> {
    let failed = match code {
        Code::Malformed => 0,
        Code::NotFound => 1,
        Code::WrongSecret => 2,
        _ => {
            let why = "This node cannot know of every change right now. Ask again.";
            return vec![Check {
                check: "freshness".into(),
                outcome: CheckOutcome::Failed,
                code: Some(code),
                why: why.into(),
            }];
        }
    };
    let why_failed = [
        "The text is no key of ours, or was mistyped or cut: its form or checksum does not fit.",
        "No such key in this project and environment. Was it issued for another environment?",
        "The id is a key's, but the secret is another. Was the key rotated, or altered?",
    ];
    let mut checks = found_checks();
    for (index, check) in checks.iter_mut().enumerate().skip(failed) {
        if index == failed {
            check.outcome = CheckOutcome::Failed;
            check.code = Some(code);
            check.why = why_failed.get(index).copied().unwrap_or_default().into();
        } else {
            check.outcome = CheckOutcome::Skipped;
            check.why = "An earlier check left nothing to look at.".into();
        }
    }
    checks
}

/// An organization as the API shows it.
pub(crate) fn organization(row: &keystead_store::OrganizationRow) -> keystead_api::Organization {
    keystead_api::Organization {
        id: row.id.to_string(),
        name: row.name.clone(),
        slug: row.slug.clone(),
        created_at: row.created_at.to_timestamp(),
    }
}
