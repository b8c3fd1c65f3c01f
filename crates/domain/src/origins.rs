//! Which web origins may use a key: scheme, host and port (RFC 6454), as browsers send them.

use crate::invalid::Invalid;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Most origins in one rule.
pub const ORIGINS_MAX: usize = 64;
/// Longest origin, in bytes: a host has at most 253.
pub const ORIGIN_BYTES_MAX: usize = 320;

/// Allowed origins, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginRules(Box<[Rule]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    scheme: Box<str>,
    host: RuleHost,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RuleHost {
    Name(Box<str>),
    SubdomainsOf(Box<str>),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl OriginRules {
    /// Compiles origins such as `https://app.example.com`, `https://*.example.com:8443`: scheme and
    /// host in small letters, a port where it is not the scheme's own. A leading `*.` stands for one
    /// or more labels, so it never admits the bare domain.
    ///
    /// # Errors
    /// Names the first that is wrong: `/3`.
    pub fn parse(origins: &[String]) -> Result<Self, Invalid> {
        if origins.len() > ORIGINS_MAX {
            return Err(Invalid::new(
                "",
                format!("These are {} origins.", origins.len()),
                format!("Send at most {ORIGINS_MAX}; `*.` before a domain stands for its sub-domains."),
            ));
        }
        origins
            .iter()
            .enumerate()
            .map(|(at, origin)| Rule::parse(origin).map_err(|error| error.below(&format!("/{at}"))))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this `Origin` header is one of them. What is no origin (`null`, a path, a trailing
    /// dot, …) is not. Allocates nothing.
    #[must_use]
    pub fn admits(&self, origin: &str) -> bool {
        split(origin).is_some_and(|origin| self.0.iter().any(|rule| rule.admits(&origin)))
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_near_misses(text)?;
        let malformed = || {
            Invalid::new(
                "",
                "This is not a web origin.",
                "Send scheme, host and, where it is not the usual one, port, such as `https://app.example.com` or `https://*.example.com:8443`; no path, no slash at the end.",
            )
        };
        // The rest of a wildcard is read as an origin of its own, so that both obey the same rules.
        let bare = text.replacen("://*.", "://", 1);
        let subdomains = bare.len() != text.len();
        let origin = split(&bare).ok_or_else(malformed)?;
        let host = match origin.host {
            Host::Name(name) if subdomains => RuleHost::SubdomainsOf(name.into()),
            Host::Name(name) => RuleHost::Name(name.into()),
            _ if subdomains => return Err(malformed()),
            Host::V4(address) => RuleHost::V4(address),
            Host::V6(address) => RuleHost::V6(address),
        };
        Ok(Self { scheme: origin.scheme.into(), host, port: origin.port })
    }

    fn admits(&self, origin: &Origin<'_>) -> bool {
        self.port == origin.port
            && self.scheme.eq_ignore_ascii_case(origin.scheme)
            && match (&self.host, &origin.host) {
                (RuleHost::Name(own), Host::Name(name)) => own.eq_ignore_ascii_case(name),
                (RuleHost::SubdomainsOf(own), Host::Name(name)) => is_below(name, own),
                (RuleHost::V4(own), Host::V4(address)) => own == address,
                (RuleHost::V6(own), Host::V6(address)) => own == address,
                _ => false,
            }
    }
}

/// What people write by mistake gets the answer that helps them.
fn refuse_near_misses(text: &str) -> Result<(), Invalid> {
    let refuse = |detail: &str, fix: String| Err(Invalid::new("", detail, fix));
    if text.len() > ORIGIN_BYTES_MAX {
        return refuse("This is too long.", format!("Send at most {ORIGIN_BYTES_MAX} characters."));
    }
    if !text.is_ascii() {
        return refuse(
            "This has letters beyond ASCII.",
            "Write the host in punycode (`xn--…`), as browsers send it.".to_owned(),
        );
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = text.to_ascii_lowercase();
        return refuse("This has capital letters.", format!("Write it in small letters: `{lower}`."));
    }
    if matches!(text, "*" | "null") {
        return refuse(
            "This would admit pages that nobody vouches for.",
            "Name the origins, or leave `origins` out when every origin is allowed.".to_owned(),
        );
    }
    Ok(())
}

/// Whether `name` is one or more labels and a dot before `domain`.
fn is_below(name: &str, domain: &str) -> bool {
    name.len()
        .checked_sub(domain.len())
        .and_then(|at| name.split_at_checked(at))
        .is_some_and(|(labels, tail)| labels.ends_with('.') && tail.eq_ignore_ascii_case(domain))
}

struct Origin<'a> {
    scheme: &'a str,
    host: Host<'a>,
    /// `None` when it is the scheme's own.
    port: Option<u16>,
}

enum Host<'a> {
    Name(&'a str),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

fn split(text: &str) -> Option<Origin<'_>> {
    if text.len() > ORIGIN_BYTES_MAX {
        return None;
    }
    let (scheme, authority) = text.split_once("://")?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (Host::V6(address.parse().ok()?), port)
        }
        None => {
            let (host, port) = authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?;
            (named(host)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => Some(port_number(digits)?),
        None if port.is_empty() => None,
        None => return None,
    };
    is_scheme(scheme).then_some(Origin {
        scheme,
        host,
        port: port.filter(|port| Some(*port) != usual_port(scheme)),
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn usual_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else {
        None
    }
}

/// 1 to 65535 as browsers write it: no sign, no leading zero.
fn port_number(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// A name or an IPv4 address. A host whose last label is a number is an address or nothing: other
/// spellings of addresses (`0x7f.1`, `127.1`) never pass for names (WHATWG URL §3.5).
fn named(host: &str) -> Option<Host<'_>> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return None;
    }
    let last = host.rsplit('.').next()?;
    let is_hex = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
        host.parse().ok().map(Host::V4)
    } else {
        Some(Host::Name(host))
    }
}

#[cfg(test)]
mod tests;
