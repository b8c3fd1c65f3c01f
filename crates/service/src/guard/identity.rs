//! What an upstream learns of whose request it has, and what a client learns of its key.

use http::{HeaderName, HeaderValue};
use keystead_api::{LimitStatus, Verification};
use keystead_domain::time::{DAY, Micros};
use keystead_guard::headers::{
    CONSUMER, ENVIRONMENT, IDENTITY, KEY_ID, OWNER, PERMISSIONS, REQUEST_ID, SIGNED,
};
use keystead_guard::{Allowed, Compiled};

/// A list of permissions that is longer is left out: servers take headers of some KiB at most.
const PERMISSIONS_BYTES_MAX: usize = 4_096;
/// How long before its end a key's holder is warned.
const WARNING: i64 = 14 * DAY;

/// When a key ends, for whoever uses one that ends soon.
const KEY_EXPIRES: HeaderName = HeaderName::from_static("x-keystead-key-expires");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How a request with a valid key goes on.
pub(super) fn allowed(
    guard: &Compiled,
    verified: &Verification,
    signed: Option<HeaderValue>,
    now: Micros,
) -> Allowed {
    let owner = verified.owner.as_ref().map(|owner| owner.id.as_str());
    let consumer = verified.consumer.as_ref().map(|consumer| consumer.id.as_str());
    let permissions = verified.permissions.join(",");
    let short = (permissions.len() <= PERMISSIONS_BYTES_MAX).then_some(permissions.as_str());
    let told: [(HeaderName, Option<&str>); 6] = [
        (KEY_ID, verified.key_id.as_deref()),
        (OWNER, owner),
        (CONSUMER, consumer),
        (PERMISSIONS, short),
        (ENVIRONMENT, verified.environment.as_deref()),
        (REQUEST_ID, Some(&verified.request_id)),
    ];
    let mut allowed = Allowed { to_client: to_client(guard, verified, now), ..Allowed::default() };
    let told = told.map(|(name, value)| (name, value.and_then(|value| HeaderValue::from_str(value).ok())));
    for (name, value) in told.into_iter().chain([(SIGNED, signed)]) {
        // Each is set or removed: none of the client's own is left (LESSONS 16).
        match value {
            Some(value) => allowed.set.push((name, value)),
            None => allowed.remove.push(name),
        }
    }
    allowed
}

/// How a request goes on of which nobody is known.
pub(super) fn nobody() -> Allowed {
    Allowed { remove: IDENTITY.to_vec(), ..Allowed::default() }
}

/// What the client is told besides.
pub(super) fn to_client(
    guard: &Compiled,
    verified: &Verification,
    now: Micros,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut told = Vec::new();
    let soon = verified.expires_at.filter(|at| verified.valid && Micros::from(*at) < now.plus(WARNING));
    if let Some(value) = soon.and_then(|at| HeaderValue::from_str(&at.to_string()).ok()) {
        told.push((KEY_EXPIRES, value));
    }
    told.extend(limits_to_client(guard, &verified.limits));
    told
}

/// What remains of limits, where clients are told.
pub(super) fn limits_to_client(guard: &Compiled, limits: &[LimitStatus]) -> Vec<(HeaderName, HeaderValue)> {
    let mut told = Vec::new();
    if guard.rate_limit_headers && !limits.is_empty() {
        told.extend(listed(RATE_LIMIT_POLICY, limits, |limit| {
            format!("\"{}\";q={};w={}", limit.name, limit.limit, limit.window_seconds)
        }));
        told.extend(listed(RATE_LIMIT, limits, |limit| {
            let wait = limit.retry_after_ms.div_ceil(1_000);
            let until = if wait > 0 { format!(";t={wait}") } else { String::new() };
            format!("\"{}\";r={}{until}", limit.name, limit.remaining)
        }));
    }
    told
}

/// draft-ietf-httpapi-ratelimit-headers: lists of named limits.
fn listed(
    name: HeaderName,
    limits: &[LimitStatus],
    item: impl Fn(&LimitStatus) -> String,
) -> Option<(HeaderName, HeaderValue)> {
    let items: Vec<String> = limits.iter().map(item).collect();
    HeaderValue::from_str(&items.join(", ")).ok().map(|value| (name, value))
}
