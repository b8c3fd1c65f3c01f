//! What an upstream learns of whose request it has, and what a client learns of its key.

use crate::described::Described;
use crate::verify::Judged;
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

/// What an upstream gets beside the key's id, the same for each request of keys of which the same is told.
#[derive(Debug)]
pub(crate) struct IdentityHeaders {
    set: Box<[(HeaderName, HeaderValue)]>,
    remove: Box<[HeaderName]>,
}

impl IdentityHeaders {
    fn new(key: &Described) -> Self {
        let permissions = key.permissions.join(",");
        let short = (permissions.len() <= PERMISSIONS_BYTES_MAX).then_some(permissions.as_str());
        let told: [(HeaderName, Option<&str>); 4] = [
            (OWNER, Some(&key.owner.id)),
            (CONSUMER, key.consumer.as_ref().map(|consumer| consumer.id.as_str())),
            (PERMISSIONS, short),
            (ENVIRONMENT, Some(&key.environment)),
        ];
        let told =
            told.map(|(name, value)| (name, value.and_then(|value| HeaderValue::from_str(value).ok())));
        Self {
            set: told.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect(),
            remove: told.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// How a request with a valid key goes on.
pub(super) fn allowed(
    guard: &Compiled,
    Judged { answer, known }: &Judged,
    signed: Option<HeaderValue>,
    now: Micros,
) -> Allowed {
    let mut allowed = Allowed { to_client: to_client(guard, answer, now), ..nobody() };
    let Some((_, key)) = known else { return allowed };
    let headers = key.headers.get_or_init(|| IdentityHeaders::new(key));
    // Each is set or removed: none of the client's own is left (LESSONS 16).
    allowed.remove = headers.remove.to_vec();
    allowed.set.reserve(headers.set.len() + 3);
    allowed.set.extend_from_slice(&headers.set);
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let key_id = answer.key_id.as_deref().and_then(value);
    for (name, value) in [(KEY_ID, key_id), (REQUEST_ID, value(&answer.request_id)), (SIGNED, signed)] {
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
