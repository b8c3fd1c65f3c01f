//! What a request is, before its key is asked: which route, which key, or why neither matters.

use crate::headers;
use crate::place::Place;
use crate::rules::{Compiled, Route};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderName};
use keystead_api::{GuardMode, UnlistedEndpoints};
use keystead_domain::endpoints::canonical_path;
use std::net::IpAddr;

/// A request as a proxy describes it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as it was sent, never decoded.
    pub path: &'a str,
    /// Its query.
    pub query: Option<&'a str>,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Whether who asks can take a key out of the query.
    pub strips_query: bool,
}

/// What a request is.
#[derive(Debug)]
pub enum Reading<'a> {
    /// It passes without a key.
    Pass(Pass),
    /// It is refused, whatever its key may do.
    Refuse {
        /// The route, where there is one.
        route: Option<&'a Route>,
        /// Whether the refusal is carried out.
        mode: GuardMode,
        /// Why.
        fault: Fault,
    },
    /// It passes without a key, unless its route's limits are used up.
    Count {
        /// The route.
        route: &'a Route,
        /// Whether a refusal is carried out.
        mode: GuardMode,
    },
    /// Its key has to be asked.
    Ask(Asking<'a>),
}

/// Why a request passes without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Its route is public.
    Public,
    /// It is a browser's preflight.
    Preflight,
}

/// Why a request is refused whatever its key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It brings a header that only a guard sets.
    Forged,
    /// It brings a header by which the upstream may take it for another request.
    Misleading,
    /// Proxies and servers read its path in different ways.
    AmbiguousPath,
    /// No route lists its endpoint.
    Unlisted,
    /// It carries no key.
    NoKey,
    /// It carries more than one.
    SeveralKeys,
    /// Its key is where who asks cannot take it out.
    KeyInQuery,
}

/// The key of a request, and what it is asked for.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The route; none for an unlisted endpoint that any key may call.
    pub route: Option<&'a Route>,
    /// Whether a refusal is carried out.
    pub mode: GuardMode,
    /// The key.
    pub key: &'a str,
    /// Where it was.
    pub place: &'a Place,
    /// What permissions are needed on.
    pub resource: Option<String>,
}

impl Compiled {
    /// Reads a request.
    #[must_use]
    pub fn read<'a>(&'a self, request: &Request<'a>) -> Reading<'a> {
        // Whatever the mode: observing, an upstream that already trusts these headers would be lied to.
        if headers::forged(request.headers).is_some() {
            return Reading::Refuse { route: None, mode: GuardMode::Enforce, fault: Fault::Forged };
        }
        let refuse = |route, fault| Reading::Refuse { route, mode: self.mode_of(route), fault };
        if headers::misleading(request.headers).is_some() {
            return refuse(None, Fault::Misleading);
        }
        if self.preflight && is_preflight(request) {
            return Reading::Pass(Pass::Preflight);
        }
        let Some(path) = canonical_path(request.path) else { return refuse(None, Fault::AmbiguousPath) };
        let route = self.route(request.method, &path);
        if route.is_none() && self.unlisted == UnlistedEndpoints::Deny {
            return refuse(None, Fault::Unlisted);
        }
        if let Some(route) = route.filter(|route| route.public) {
            return match &*route.limits {
                [] => Reading::Pass(Pass::Public),
                _ => Reading::Count { route, mode: self.mode_of(Some(route)) },
            };
        }
        let places = route.and_then(|route| route.places.as_deref()).unwrap_or(&self.places);
        match credential(places, request) {
            Err(fault) => refuse(route, fault),
            Ok((place, key)) => Reading::Ask(Asking {
                route,
                mode: self.mode_of(route),
                key,
                place,
                resource: route.and_then(|route| route.resource(&path)),
            }),
        }
    }

    fn mode_of(&self, route: Option<&Route>) -> GuardMode {
        route.and_then(|route| route.mode).unwrap_or(self.mode)
    }

    /// The client's address: what the asking proxy says of its own connection, unless that is a trusted proxy; then
    /// the last of `X-Forwarded-For` that is none. Never the leftmost of whoever calls (LESSONS 22).
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        let values: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            // What is no address ends what can be believed.
            let Ok(ip) = entry.trim().parse() else { return client };
            client = ip;
            if !self.trusts(ip) {
                return client;
            }
        }
        client
    }
}

/// The CORS protocol's own question (Fetch, "CORS-preflight request"): it never carries a credential, and asks for
/// nothing but permission to ask.
fn is_preflight(request: &Request<'_>) -> bool {
    request.method == "OPTIONS"
        && request.headers.contains_key(ORIGIN)
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The one key in these places. Of two, proxies disagree which one counts (LESSONS 20).
fn credential<'a>(places: &'a [Place], request: &Request<'a>) -> Result<(&'a Place, &'a str), Fault> {
    let mut found: Option<(&Place, &str)> = None;
    for place in places {
        let values = match place {
            Place::Bearer => of_header(request.headers, place.header(), bearer),
            Place::Header(_) => of_header(request.headers, place.header(), |value| Some(value.trim())),
            Place::Query(name) => of_query(request.query, name),
        };
        for value in values {
            if found.replace((place, value)).is_some() {
                return Err(Fault::SeveralKeys);
            }
        }
    }
    match found {
        None => Err(Fault::NoKey),
        Some((Place::Query(_), _)) if !request.strips_query => Err(Fault::KeyInQuery),
        Some(found) => Ok(found),
    }
}

fn of_header<'a>(
    headers: &'a HeaderMap,
    name: Option<&HeaderName>,
    read: impl Fn(&'a str) -> Option<&'a str>,
) -> Vec<&'a str> {
    let values = name.into_iter().flat_map(|name| headers.get_all(name));
    // What is no text is no key, and still one that was sent.
    values.filter_map(|value| read(value.to_str().unwrap_or("bearer \u{0}"))).collect()
}

/// The token of `Bearer …`; other schemes are somebody else's.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim_start().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// A parameter's values.
fn of_query<'a>(query: Option<&'a str>, name: &'a str) -> Vec<&'a str> {
    query.into_iter().flat_map(|query| named(query, name)).map(|(_, value)| value).collect()
}

/// How a parameter's name is spelled each time that it stands in a query: who takes it out may look for it letter by
/// letter.
pub fn spellings<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    named(query, name).map(|(sent, _)| sent)
}

/// A parameter's names and values. It is also found escaped: the upstream would find it, too.
fn named<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(move |(sent, _)| is_named(sent, name))
}

fn is_named(sent: &str, name: &str) -> bool {
    if !sent.contains('%') {
        return sent == name;
    }
    let mut bytes = sent.bytes();
    let mut wanted = name.bytes();
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    loop {
        let byte = match bytes.next() {
            None => return wanted.next().is_none(),
            Some(b'%') => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
                _ => return false,
            },
            Some(byte) => byte,
        };
        if wanted.next() != Some(byte) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests;
