//! What is asked about a request, or why nothing is.

use super::address;
use super::credential::{Unusable, credential};
use super::judge::Judge;
use super::need::Need;
use super::refusal::Reason;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use keystead_api::{Code, Include, Verify};

/// The longest text that Keystead takes, in bytes.
const TEXT_BYTES_MAX: usize = 2_048;
const METHOD_BYTES_MAX: usize = 32;
/// What turns one method into another behind the guard.
const OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// What to ask about a request; `again` when the same guard has asked about it before.
pub(super) fn question(judge: &Judge, parts: &Parts, need: Need, again: bool) -> Result<Verify, Reason> {
    let key = credential(&parts.headers, &judge.places).map_err(|unusable| match unusable {
        Unusable::None => Reason::Unauthenticated,
        Unusable::Malformed => Reason::Verdict(Code::Malformed),
    })?;
    // Two origins are none: joined they are not what a browser sends.
    let origin = text(&joined(&parts.headers, &ORIGIN));
    let path = (judge.path)(parts).unwrap_or_default();
    let method = parts.method.as_str();
    if origin.len() > TEXT_BYTES_MAX {
        return Err(Reason::Verdict(Code::OriginDenied));
    }
    if path.is_empty() || path.len() > TEXT_BYTES_MAX || method.len() > METHOD_BYTES_MAX {
        return Err(Reason::Verdict(Code::EndpointDenied));
    }
    if need.resource.as_ref().is_some_and(|resource| resource.len() > TEXT_BYTES_MAX) {
        return Err(Reason::Verdict(Code::InsufficientPermissions));
    }
    let peer = (judge.peer)(&parts.extensions);
    Ok(Verify {
        key: key.to_owned(),
        project: judge.place.as_ref().map(|(project, _)| project.clone()),
        environment: judge.place.as_ref().map(|(_, environment)| environment.clone()),
        ip: address::client(peer, &parts.headers, &judge.trusted).map(|address| address.to_string()),
        method: Some(method.to_owned()),
        path: Some(path),
        origin: Some(origin).filter(|origin| !origin.is_empty()),
        user_agent: Some(agent(&parts.headers)).filter(|agent| !agent.is_empty()),
        resource: need.resource,
        permissions: need.permissions,
        // Asked a second time for the same request, which is counted once.
        cost: need.cost.or(again.then_some(0)),
        tags: need.tags,
        include: if judge.metadata { vec![Include::Metadata] } else { Vec::new() },
        explain: false,
    })
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    headers.get_all(name).iter().map(|value| value.as_bytes()).collect::<Vec<_>>().join(&b", "[..])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The user agent, a record and no rule, cut to what Keystead takes: bytes that are no UTF-8 grow threefold.
fn agent(headers: &HeaderMap) -> String {
    let mut agent = joined(headers, &USER_AGENT);
    agent.truncate(TEXT_BYTES_MAX / 3);
    text(&agent)
}

/// Whether a browser asks if it may ask (CORS): it never sends a key with that.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    let once = |name: HeaderName| parts.headers.get_all(name).iter().count() == 1;
    parts.method == Method::OPTIONS
        && !OVERRIDES.iter().any(|name| parts.headers.contains_key(name))
        && once(ORIGIN)
        && once(ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn user_agents_fit_whatever_they_are() {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_bytes(&[0xff; 60_000]).unwrap());
        let cut = agent(&headers);
        assert!(!cut.is_empty() && cut.len() <= TEXT_BYTES_MAX, "{}", cut.len());
    }
}
