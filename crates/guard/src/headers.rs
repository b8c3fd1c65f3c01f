//! The headers by which an upstream learns whose request it has, and who may set them.

use http::header::UPGRADE;
use http::{HeaderMap, HeaderName};

/// What every header of ours begins with.
const OURS: &str = "x-keystead-";

/// The proxy's own key, by which it asks: never the client's.
pub const GUARD: HeaderName = HeaderName::from_static("x-keystead-guard");
/// Which key it was: `key_…`.
pub const KEY_ID: HeaderName = HeaderName::from_static("x-keystead-key-id");
/// Whose it is: `sa_…`, `con_…`, `mem_…`.
pub const OWNER: HeaderName = HeaderName::from_static("x-keystead-owner");
/// To whom it was issued: `con_…`.
pub const CONSUMER: HeaderName = HeaderName::from_static("x-keystead-consumer");
/// What it may do on every resource: names, joined by commas.
pub const PERMISSIONS: HeaderName = HeaderName::from_static("x-keystead-permissions");
/// The environment that it is valid in: its slug.
pub const ENVIRONMENT: HeaderName = HeaderName::from_static("x-keystead-environment");
/// The verification's id, as it stands in Keystead's log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-keystead-request-id");
/// All of it signed: a JWT that an upstream verifies with the published keys.
pub const SIGNED: HeaderName = HeaderName::from_static("x-keystead-identity");

/// All that an upstream learns: each is set or removed for each request.
pub const IDENTITY: [HeaderName; 7] = [KEY_ID, OWNER, CONSUMER, PERMISSIONS, ENVIRONMENT, REQUEST_ID, SIGNED];

/// Whether a header's name is one of ours in any spelling: upstreams that turn names into variables take `_`, `.`
/// and `-` for the same, and case for none (LESSONS 17).
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name.len() >= OURS.len() && reads_as(name, OURS)
}

/// Whether a name begins with this one as upstreams may read it.
fn reads_as(name: &str, wanted: &str) -> bool {
    name.bytes().zip(wanted.bytes()).all(|(sent, wanted)| match wanted {
        b'-' => !sent.is_ascii_alphanumeric(),
        letter => sent.eq_ignore_ascii_case(&letter),
    })
}

/// By these an upstream may take a request for another one than was judged: another method, another path, or the
/// beginning of a tunnel (`Upgrade: h2c` needs `HTTP2-Settings`, RFC 7540 §3.2.1) in which nobody judges any more.
const MISLEADING: [&str; 6] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "http2-settings",
];

/// A header that makes a request another one than it looks, if there is one.
#[must_use]
pub fn misleading(headers: &HeaderMap) -> Option<&HeaderName> {
    headers.iter().find_map(|(name, value)| {
        let sent = name.as_str();
        let is_h2c = *name == UPGRADE && value.as_bytes().to_ascii_lowercase().starts_with(b"h2c");
        let is_listed = MISLEADING.iter().any(|one| one.len() == sent.len() && reads_as(sent, one));
        (is_h2c || is_listed).then_some(name)
    })
}

/// A header that only a guard sets and that came with a request, if there is one.
#[must_use]
pub fn forged(headers: &HeaderMap) -> Option<&HeaderName> {
    headers.keys().find(|name| is_ours(name.as_str()) && **name != GUARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LESSONS 16, 17: identity headers in every spelling.
    #[test]
    fn lesson_17_ours_are_known_in_every_spelling() {
        for name in [
            "x-keystead-key-id",
            "X-Keystead-Owner",
            "x_keystead_owner",
            "x.keystead.key.id",
            "X_KEYSTEAD-anything",
            "x~keystead~consumer",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["x-keysteady", "keystead-key-id", "x-key", "", "xkeystead-key-id"] {
            assert!(!is_ours(name), "{name}");
        }
        assert!(IDENTITY.iter().all(|name| is_ours(name.as_str())));
    }

    #[test]
    fn what_makes_a_request_another_one_is_known_in_every_spelling() {
        let headers = |name: &'static str, value: &'static str| -> HeaderMap {
            [(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap())].into_iter().collect()
        };
        for (name, value) in [
            ("X-HTTP-Method-Override", "DELETE"),
            ("x_http_method", "DELETE"),
            ("X-Rewrite-URL", "/admin"),
            ("x.original.url", "/admin"),
            ("upgrade", "H2C"),
            ("http2-settings", "AAMAAABk"),
        ] {
            assert!(misleading(&headers(name, value)).is_some(), "{name}");
        }
        for (name, value) in [("upgrade", "websocket"), ("x-http-methods", "x"), ("x-original-uri", "/a")] {
            assert!(misleading(&headers(name, value)).is_none(), "{name}");
        }
    }
}
