//! The verdict: may this request pass? Pure, without allocation, in a documented order.
//!
//! State and validity, network, origin, endpoint, permissions, hours, policies, then limits, quotas, credits.
//! A restriction whose input is missing from the request denies. A refused request takes nothing.

use crate::conditions::{Deed, Forbidden};
use crate::entry::{Entry, Principals, Switch};
use crate::meter::Account;
use crate::query::Query;
use crate::route_limits::AtRoute;
use crate::share::Sharing;
use crate::take::{LeaseNeed, Metered, Of, Refusal, take};
use crate::time::Micros;
use keystead_api::Code;
use std::net::IpAddr;

/// The largest cost of one request.
pub const COST_MAX: u64 = 1_000_000;

/// A request to judge, as the asker describes it. What is left out never helps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The HTTP method.
    pub method: Option<&'a str>,
    /// The path, without query.
    pub path: Option<&'a str>,
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// What the permissions are needed on.
    pub resource: Option<&'a str>,
    /// Which permissions the request needs.
    pub permissions: Option<&'a Query>,
    /// What it takes of limits, quotas and credits.
    pub cost: u64,
    /// Whether this process counts rate limits alone.
    pub sharing: &'a Sharing,
    /// What it is for.
    pub deed: Deed,
    /// The limits of the guarded route that it goes to.
    pub route: Option<&'a AtRoute<'a>>,
}

/// A verdict. Its details are for presenting it; the code decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Why the request may pass, or why not.
    pub code: Code,
    /// When it is worth trying again, in nanoseconds from now, where that is known.
    pub retry_after_ns: Option<u64>,
    /// A block that runs low, to be leased ahead of need.
    pub lease_ahead: Option<LeaseNeed>,
}

impl Verdict {
    /// Only a code.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        Self { code, retry_after_ns: None, lease_ahead: None }
    }

    const fn until(code: Code, at: Micros, now: Micros) -> Self {
        let wait = at.since(now);
        let wait_ns = if wait > 0 { wait.unsigned_abs().saturating_mul(1_000) } else { 0 };
        Self { code, retry_after_ns: Some(wait_ns), lease_ahead: None }
    }
}

/// What [`decide`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The verdict.
    Made(Verdict),
    /// A block of credits or quota must be leased first; then ask again. Nothing was taken.
    NeedsLease(LeaseNeed),
}

/// The verdict on a request that carries this key, whose digest has matched. Takes from limits,
/// quota and credits only when it is `valid`.
#[must_use]
pub fn decide(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Decision {
    let Some(parent) = entry.parent() else {
        return decide_under(&Live::of(entry), None, ask, now);
    };
    match &*parent.now() {
        Some(parent) => decide_under(&Live::of(entry), Some(&Live::of(parent)), ask, now),
        // Only a revoked key is purged.
        None => Decision::Made(Verdict::of(Code::Revoked)),
    }
}

/// A key with its owner and its consumer as they are now, read once for a whole verdict.
pub(crate) struct Live<'a> {
    entry: &'a Entry,
    principals: Principals,
}

impl<'a> Live<'a> {
    pub(crate) fn of(entry: &'a Entry) -> Self {
        Self { entry, principals: entry.principals() }
    }

    fn may(&self, permission: &str, resource: Option<&str>) -> bool {
        self.entry.may_under(&self.principals, permission, resource)
    }
}

/// A minted key passes where its parent would too, and spends what its parent has.
fn decide_under(key: &Live<'_>, parent: Option<&Live<'_>>, ask: &Ask<'_>, now: Micros) -> Decision {
    if let Err(verdict) = judge(key, parent, ask, now) {
        return Decision::Made(verdict);
    }
    if ask.cost == 0 {
        return Decision::Made(Verdict::of(Code::Valid));
    }
    let Live { entry: spender, principals } = parent.unwrap_or(key);
    let uses = key.entry.uses();
    let key = Metered { of: Of::Key, rules: &spender.policy.rules, meter: &spender.lineage.meter };
    let consumer = principals.consumer().map(|state| Metered {
        of: Of::Consumer,
        rules: &state.rules,
        meter: &state.meter,
    });
    let uses = uses.map(|uses| Metered { of: Of::Uses, rules: &uses.rules, meter: &uses.meter });
    let taken = match ask.route {
        None => take(key, consumer, uses, ask.cost, now, ask.sharing),
        Some(route) => route.take(Some(spender), [Some(key), consumer, uses], ask, now),
    };
    decision(taken, now)
}

/// The verdict on a request without a key, to a route that anybody may call: only the route's limits count.
#[must_use]
pub fn decide_open(ask: &Ask<'_>, now: Micros) -> Decision {
    match ask.route {
        None => Decision::Made(Verdict::of(Code::Valid)),
        Some(route) => decision(route.take(None, [None; 3], ask, now), now),
    }
}

fn decision(taken: Result<Option<LeaseNeed>, Refusal>, now: Micros) -> Decision {
    match taken {
        Ok(lease_ahead) => Decision::Made(Verdict { code: Code::Valid, retry_after_ns: None, lease_ahead }),
        Err(Refusal::NeedsLease(need)) => Decision::NeedsLease(need),
        Err(Refusal::Rate { state, .. }) => Decision::Made(Verdict {
            code: Code::RateLimited,
            retry_after_ns: Some(state.wait_ns).filter(|wait| *wait != u64::MAX),
            lease_ahead: None,
        }),
        Err(Refusal::UsedUp { account, until, .. }) => {
            let code = match account {
                Account::Quota => Code::QuotaExceeded,
                Account::Credits => Code::CreditsExhausted,
                Account::Rate(_) => Code::RateLimited,
            };
            Decision::Made(until.map_or(Verdict::of(code), |until| Verdict::until(code, until, now)))
        }
    }
}

/// Whether a key may be minted from this one by a request: its state, networks, hours and policies.
/// Origins and endpoints are the guarded API's; what is minted is held to them there.
///
/// # Errors
/// With the verdict that refuses.
pub fn judge_minting(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Result<(), Verdict> {
    state(&Live::of(entry), now)?;
    if !network(entry, ask) {
        Err(Verdict::of(Code::NetworkDenied))
    } else if !hours(entry, now) || forbidden(entry, &Ask { deed: Deed::Mint, ..*ask }, now).is_some() {
        Err(Verdict::of(Code::ConditionDenied))
    } else {
        Ok(())
    }
}

/// Every check that takes nothing, in order; each of the key, then of its parent.
fn judge(key: &Live<'_>, parent: Option<&Live<'_>>, ask: &Ask<'_>, now: Micros) -> Result<(), Verdict> {
    state(key, now)?;
    parent.map_or(Ok(()), |parent| state(parent, now))?;
    let both = |check: fn(&Entry, &Ask<'_>) -> bool| {
        check(key.entry, ask) && parent.is_none_or(|parent| check(parent.entry, ask))
    };
    let code = if !both(network) {
        Code::NetworkDenied
    } else if !both(origin) {
        Code::OriginDenied
    } else if !both(endpoint) {
        Code::EndpointDenied
    } else if !permissions(key, parent, ask) {
        Code::InsufficientPermissions
    } else if !(hours(key.entry, now) && parent.is_none_or(|parent| hours(parent.entry, now)))
        || forbidden(key.entry, ask, now).is_some()
        || parent.is_some_and(|parent| forbidden(parent.entry, ask, now).is_some())
    {
        Code::ConditionDenied
    } else {
        return Ok(());
    };
    Err(Verdict::of(code))
}

/// Switched off, revoked, suspended, not yet or no longer valid.
pub(crate) fn state(key: &Live<'_>, now: Micros) -> Result<(), Verdict> {
    let entry = key.entry;
    match entry.switch {
        Switch::Revoked => return Err(Verdict::of(Code::Revoked)),
        Switch::Off => return Err(Verdict::of(Code::Disabled)),
        Switch::On => {}
    }
    if key.principals.disabled() {
        Err(Verdict::of(Code::Disabled))
    } else if now < entry.suspended_until {
        Err(Verdict::until(Code::Suspended, entry.suspended_until, now))
    } else if now < entry.not_before {
        Err(Verdict::until(Code::NotYetValid, entry.not_before, now))
    } else if entry.has_expired(now) {
        Err(Verdict::of(Code::Expired))
    } else {
        Ok(())
    }
}

/// The address may use the key.
pub(crate) fn network(entry: &Entry, ask: &Ask<'_>) -> bool {
    entry.policy.restrictions.networks.as_ref().is_none_or(|rules| ask.ip.is_some_and(|ip| rules.admits(ip)))
}

/// The web origin may use the key.
pub(crate) fn origin(entry: &Entry, ask: &Ask<'_>) -> bool {
    entry
        .policy
        .restrictions
        .origins
        .as_ref()
        .is_none_or(|rules| ask.origin.is_some_and(|origin| rules.admits(origin)))
}

/// The key may call the endpoint.
pub(crate) fn endpoint(entry: &Entry, ask: &Ask<'_>) -> bool {
    entry.policy.restrictions.endpoints.as_ref().is_none_or(|rules| match (ask.method, ask.path) {
        (Some(method), Some(path)) => rules.admits(method, path),
        _ => false,
    })
}

/// The week's hours let the key be used now.
pub(crate) fn hours(entry: &Entry, now: Micros) -> bool {
    entry.policy.restrictions.hours.as_ref().is_none_or(|hours| hours.admits(now))
}

/// The policy that forbids the request. Asked when all else lets it pass: an evaluation costs more than the rest.
#[must_use]
pub fn forbidden(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Option<Forbidden> {
    entry.place.project.conditions.forbid(entry, ask, now)
}

/// The key, its owner, its consumer and its parent have what the request needs. Each permission is
/// asked of all of them: of "one or the other" the key may have the one, its parent the other.
pub(crate) fn permissions(key: &Live<'_>, parent: Option<&Live<'_>>, ask: &Ask<'_>) -> bool {
    ask.permissions.is_none_or(|query| {
        query.holds(ask.resource, &mut |permission, resource| {
            key.may(permission, resource) && parent.is_none_or(|parent| parent.may(permission, resource))
        })
    })
}
