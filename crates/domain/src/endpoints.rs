//! Which endpoints a key may call: methods on path patterns.
//!
//! A path is compared as it was sent, only its escapes of unreserved characters are read
//! (RFC 3986 §6.2.2). What proxies and upstreams read differently is *ambiguous* and matches nothing.

use crate::invalid::Invalid;
use keystead_api::Endpoint;

mod path;

pub use path::{PATH_BYTES_MAX, canonical_path, is_ambiguous, parse_pattern};

/// Most endpoints in one rule.
pub const ENDPOINTS_MAX: usize = 64;
/// Longest path pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 512;

/// RFC 9110 §9.3, RFC 5789 (`PATCH`) and RFC 4918 (WebDAV).
const METHODS: [&str; 16] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
];

/// Allowed endpoints, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRules(Box<[Rule]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// One bit for each of `METHODS`; `None` means any.
    methods: Option<u16>,
    /// In canonical form; see `path::canonical`.
    path: Box<str>,
}

impl EndpointRules {
    /// Compiles endpoints. In a path, `*` stands for exactly one segment that is not empty, a final
    /// `**` for the rest, none included: `/v1/**` matches `/v1`, `/v1/` and `/v1/x/y`. Otherwise a
    /// slash at the end counts. `GET` does not include `HEAD`.
    ///
    /// # Errors
    /// Names what is wrong: `/0/methods/1`, `/3/path`.
    pub fn parse(endpoints: &[Endpoint]) -> Result<Self, Invalid> {
        if endpoints.len() > ENDPOINTS_MAX {
            return Err(Invalid::new(
                "",
                format!("These are {} endpoints.", endpoints.len()),
                format!("Send at most {ENDPOINTS_MAX}; `*` and `**` stand for many."),
            ));
        }
        endpoints
            .iter()
            .enumerate()
            .map(|(at, endpoint)| Rule::parse(endpoint).map_err(|error| error.below(&format!("/{at}"))))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads where the first path stands: see [`crate::entry::Entry::fetch_ahead`].
    #[inline]
    pub(crate) fn fetch_ahead(&self) -> Option<u8> {
        self.0.first().and_then(|rule| rule.path.bytes().next())
    }

    /// Whether this method may be called on this path (without query). Methods are compared as they
    /// are: case counts (RFC 9110 §9.1). An ambiguous path is never admitted. Allocates nothing.
    #[must_use]
    pub fn admits(&self, method: &str, path: &str) -> bool {
        let bit = bit_of(method);
        if (bit.is_none() && !is_token(method)) || is_ambiguous(path) {
            return false;
        }
        self.0.iter().any(|rule| {
            rule.methods.is_none_or(|methods| bit.is_some_and(|bit| methods & bit != 0))
                && path::matches(&rule.path, path)
        })
    }
}

impl Rule {
    fn parse(endpoint: &Endpoint) -> Result<Self, Invalid> {
        let methods = match endpoint.methods.as_slice() {
            [] => None,
            [any] if any == "*" => None,
            listed => Some(methods(listed)?),
        };
        let path = path::parse_pattern(&endpoint.path).map_err(|error| error.below("/path"))?;
        Ok(Self { methods, path })
    }
}

fn methods(listed: &[String]) -> Result<u16, Invalid> {
    if listed.len() > METHODS.len() {
        return Err(Invalid::new("/methods", "A method is there twice.", "Send each method once."));
    }
    let mut bits = 0;
    for (at, method) in listed.iter().enumerate() {
        bits |= bit_of(method).ok_or_else(|| {
            let capitals = method.to_ascii_uppercase();
            let fix = if method == "*" {
                "Send `*` alone, or name the methods.".to_owned()
            } else if bit_of(&capitals).is_some() {
                format!("Write it in capitals: `{capitals}`.")
            } else {
                format!("Send one of {}, or leave `methods` out for any.", METHODS.join(", "))
            };
            Invalid::new(format!("/methods/{at}"), "This is not an HTTP method.", fix)
        })?;
    }
    Ok(bits)
}

fn bit_of(method: &str) -> Option<u16> {
    METHODS.iter().position(|known| *known == method).map(|at| 1 << at)
}

/// A method is a token (RFC 9110 §5.6.2); an absent one helps nobody, not even with any method allowed.
fn is_token(method: &str) -> bool {
    (1..=32).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests;
