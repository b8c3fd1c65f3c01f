//! The one key of a request.

use crate::Error;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

const KEY_BYTES_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 64;

/// Why there is no key to ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// There is no credential.
    None,
    /// There is one, and it is not one key.
    Malformed,
}

/// Reads the headers that may carry a key.
pub(super) fn places(names: &[String]) -> Result<Vec<HeaderName>, Error> {
    let mut listed = Vec::with_capacity(names.len());
    for name in names {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let read = HeaderName::try_from(name).ok().filter(|_| is_plain && name.len() <= NAME_BYTES_MAX);
        match read {
            Some(place) if !listed.contains(&place) => listed.push(place),
            _ => return Err(wrong()),
        }
    }
    if listed.is_empty() { Err(wrong()) } else { Ok(listed) }
}

fn wrong() -> Error {
    Error::invalid(
        "The headers that may carry a key are none, or one of them is no name or there twice.",
        "List each once, such as Authorization and X-API-Key.",
    )
}

/// The key in the listed places. Two are refused, also two of which one is empty: whoever stands in between may have
/// looked at the other one.
pub(super) fn credential<'a>(headers: &'a HeaderMap, places: &[HeaderName]) -> Result<&'a str, Unusable> {
    let mut found =
        places.iter().flat_map(|place| headers.get_all(place).iter().map(move |value| (place, value)));
    let (place, value) = found.next().ok_or(Unusable::None)?;
    if found.next().is_some() {
        return Err(Unusable::Malformed);
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Unusable::Malformed)?;
    let mut key = text.trim_matches([' ', '\t']);
    if *place == AUTHORIZATION {
        let (scheme, token) = key.split_once(' ').unwrap_or((key, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Unusable::Malformed);
        }
        key = token.trim_matches([' ', '\t']);
    }
    // A comma joins what were two headers, so it is never a part of a key here.
    let is_key = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !is_key { Err(Unusable::Malformed) } else { Ok(key) }
}
