//! Header fields that are for one connection only (RFC 9110 §7.6.1), and those that no client may set.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use keystead_guard::headers::is_ours;

static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
static PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What stands for another client, path or method than the one that was decided on. The upstream gets ours of the
/// first kind; what would have it take the request for another one (LESSONS 15, 18) it does not get.
const LIES: [&str; 10] = [
    "forwarded",
    "x-real-ip",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-original-method",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-forwarded",
];
const LIES_BEGIN: &str = "x-forwarded-";

/// Takes out what is for one connection only, and what `Connection` says is.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> =
            listed(headers, &CONNECTION).filter_map(|name| name.parse().ok()).collect();
        // Framing and host are nobody's to take away: `Connection: content-length` is an attack.
        for name in named.iter().filter(|name| ![HOST, CONTENT_LENGTH].contains(name)) {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in [&KEEP_ALIVE, &PROXY_CONNECTION, &TE, &TRANSFER_ENCODING, &UPGRADE] {
        headers.remove(name);
    }
    headers.remove(PROXY_AUTHENTICATE);
    headers.remove(PROXY_AUTHORIZATION);
}

/// Takes out what only a guard says, in any spelling (LESSONS 16, 17).
pub(crate) fn strip_lies(headers: &mut HeaderMap) {
    let lies: Vec<HeaderName> = headers.keys().filter(|name| is_lie(name.as_str())).cloned().collect();
    for name in lies {
        headers.remove(name);
    }
}

/// Takes out of trailers what would mean something as a header: servers that merge the two would believe it.
pub(crate) fn clean_trailers(trailers: &mut HeaderMap) {
    strip(trailers);
    strip_lies(trailers);
    for name in [HOST, CONTENT_LENGTH, AUTHORIZATION, COOKIE] {
        trailers.remove(name);
    }
}

fn is_lie(name: &str) -> bool {
    if !name.starts_with(['x', 'f']) {
        return false;
    }
    let is = |lie: &str| name.len() == lie.len() && begins(name, lie);
    is_ours(name) || begins(name, LIES_BEGIN) || LIES.iter().any(|lie| is(lie))
}

/// Header names are in lower case here; whoever makes variables of them takes `_`, `.` and `-` for the same.
fn begins(name: &str, with: &str) -> bool {
    name.len() >= with.len()
        && name.bytes().zip(with.bytes()).all(|(sent, lie)| match lie {
            b'-' => !sent.is_ascii_alphanumeric(),
            letter => sent == letter,
        })
}

/// The entries of a header that is a list.
pub(crate) fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in names {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn connections_own_list_goes_with_what_it_names_but_framing_and_host() {
        let mut headers = map(&[
            ("connection", "close, x-mine"),
            ("connection", "Content-Length,host, ,TE"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("proxy-connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("content-length", "5"),
            ("host", "a"),
            ("trailer", "x"),
        ]);
        strip(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "host", "trailer"]);
    }

    /// LESSONS 15, 16, 17, 18.
    #[test]
    fn lesson_17_what_only_a_guard_says_goes_in_every_spelling() {
        let lies = [
            "x-keystead-guard",
            "x_keystead_owner",
            "x.keystead.key.id",
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded-prefix",
            "x-real-ip",
            "x_real_ip",
            "x-original-url",
            "x-http-method-override",
            "x.rewrite.url",
        ];
        for name in lies {
            assert!(is_lie(name), "{name}");
        }
        for name in ["x-api-key", "from", "x-request-id", "x-real-ipv", "x-forward", "accept"] {
            assert!(!is_lie(name), "{name}");
        }
    }
}
