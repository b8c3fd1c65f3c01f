//! The head of a request as the upstream gets it.

use crate::hop;
use crate::problem::Problem;
use http::header::{CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, TE, TRANSFER_ENCODING, UPGRADE, VIA};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use keystead_guard::Allowed;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// How a request came, beside its head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    pub(crate) client: IpAddr,
    pub(crate) tls: bool,
}

/// The host that a request is for. One request names one: of two, proxies and servers read either.
pub(crate) fn host<B>(request: &Request<B>) -> Result<Authority, Problem> {
    if *request.method() == Method::CONNECT {
        return Err(Problem::Connect);
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let host = match (request.uri().authority(), host) {
        (_, Some(_)) if second.is_some() => return Err(Problem::Host),
        // HTTP/2 has them agree (RFC 9113 §8.3.1); in HTTP/1.1 the target wins (RFC 9112 §3.2.2).
        (Some(target), Some(host))
            if request.version() == Version::HTTP_2
                && !host.as_bytes().eq_ignore_ascii_case(target.as_str().as_bytes()) =>
        {
            return Err(Problem::Host);
        }
        (Some(target), _) => target.clone(),
        (None, Some(host)) => Authority::try_from(host.as_bytes()).map_err(|_| Problem::Host)?,
        (None, None) => return Err(Problem::Host),
    };
    if host.host().is_empty() || host.as_str().contains('@') {
        return Err(Problem::Host);
    }
    Ok(host)
}

/// What the client wants its connection to become, where that is allowed.
pub(crate) fn wanted_upgrade(parts: &Parts, allowed: &[String]) -> Option<HeaderValue> {
    if parts.version != Version::HTTP_11
        || !hop::listed(&parts.headers, &CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade"))
    {
        return None;
    }
    let mut protocols = hop::listed(&parts.headers, &UPGRADE);
    let (Some(protocol), None) = (protocols.next(), protocols.next()) else { return None };
    allowed.iter().find(|allowed| allowed.eq_ignore_ascii_case(protocol))?;
    HeaderValue::from_str(protocol).ok()
}

/// Changes a request's headers and path to what goes on.
pub(crate) fn change(
    parts: &mut Parts,
    allowed: &Allowed,
    host: &Authority,
    from: From,
) -> Result<(), Problem> {
    let version = parts.version;
    let headers = &mut parts.headers;
    let takes_trailers = hop::listed(headers, &TE).any(|entry| entry.eq_ignore_ascii_case("trailers"));
    hop::strip(headers);
    hop::strip_lies(headers);
    // It was for us: the body is asked for when it is sent on.
    headers.remove(EXPECT);
    if version == Version::HTTP_2 {
        join_cookies(parts);
    }
    let headers = &mut parts.headers;
    for name in &allowed.remove {
        headers.remove(name);
    }
    for (name, value) in &allowed.set {
        headers.insert(name, value.clone());
    }
    if takes_trailers {
        headers.insert(TE, TRAILERS.clone());
    }
    let text = |text: &str| HeaderValue::from_str(text).map_err(|_| Problem::Host);
    let scheme = if from.tls { "https" } else { "http" };
    let client = from.client.to_string();
    let named = match from.client {
        IpAddr::V4(_) => client.clone(),
        IpAddr::V6(_) => format!("\"[{client}]\""),
    };
    headers.insert(FORWARDED, text(&format!("for={named};host=\"{host}\";proto={scheme}"))?);
    headers.insert(&FORWARDED_FOR, text(&client)?);
    headers.insert(&FORWARDED_PROTO, HeaderValue::from_static(scheme));
    headers.insert(&FORWARDED_HOST, text(host.as_str())?);
    let via = if version == Version::HTTP_2 { "2.0 keystead" } else { "1.1 keystead" };
    headers.append(VIA, HeaderValue::from_static(via));
    parts.uri = Uri::from(target(&parts.uri, allowed.remove_parameter.as_deref())?);
    Ok(())
}

/// What differs by the protocol that the upstream speaks.
pub(crate) fn frame(
    parts: &mut Parts,
    host: &Authority,
    http2: Option<Scheme>,
    upgrade: Option<&HeaderValue>,
    unknown_length: bool,
) -> Result<(), Problem> {
    parts.extensions.clear();
    let headers = &mut parts.headers;
    if let Some(scheme) = http2 {
        headers.remove(HOST);
        parts.version = Version::HTTP_2;
        let path = parts.uri.path_and_query().cloned();
        let uri = Uri::builder().scheme(scheme).authority(host.clone());
        let uri = uri.path_and_query(path.unwrap_or(PathAndQuery::from_static("/")));
        parts.uri = uri.build().map_err(|_| Problem::Host)?;
        return Ok(());
    }
    parts.version = Version::HTTP_11;
    headers.insert(HOST, HeaderValue::from_str(host.as_str()).map_err(|_| Problem::Host)?);
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    } else if headers.contains_key(TE) {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    if unknown_length {
        // Said, because a GET with a body would be taken for one without.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Ok(())
}

/// HTTP/2 splits cookies over headers, HTTP/1.1 must not (RFC 9113 §8.2.3).
fn join_cookies(parts: &mut Parts) {
    let crumbs: Vec<&[u8]> = parts.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        parts.headers.insert(COOKIE, whole);
    }
}

/// The path and query, byte by byte as they came, but for the parameter that the key was in.
fn target(uri: &Uri, without: Option<&str>) -> Result<PathAndQuery, Problem> {
    let whole = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let (Some(name), Some(query)) = (without, whole.query()) else { return Ok(whole) };
    let is_it = |pair: &&str| {
        let sent = pair.split('=').next().unwrap_or_default();
        !percent_decode_str(sent).eq(name.bytes())
    };
    let left: Vec<&str> = query.split('&').filter(is_it).collect();
    let path = whole.path();
    let text = if left.is_empty() { path.to_owned() } else { format!("{path}?{}", left.join("&")) };
    PathAndQuery::try_from(text).map_err(|_| Problem::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(build: http::request::Builder) -> Parts {
        build.body(()).unwrap().into_parts().0
    }

    #[test]
    fn one_host_is_named() {
        let named =
            |build: http::request::Builder| host(&build.body(()).unwrap()).map(|host| host.to_string());
        assert_eq!(named(Request::get("/a").header("host", "api.example")).unwrap(), "api.example");
        assert_eq!(named(Request::get("http://a:1/x").header("host", "b")).unwrap(), "a:1");
        for wrong in [
            Request::get("/"),
            Request::get("/").header("host", "a").header("host", "a"),
            Request::get("/").header("host", "a, b"),
            Request::get("/").header("host", "u@a"),
            Request::get("/").header("host", "a/b"),
            Request::get("/").header("host", ""),
            Request::get("http://a/").header("host", "b").version(Version::HTTP_2),
        ] {
            assert_eq!(named(wrong), Err(Problem::Host));
        }
        assert_eq!(named(Request::connect("a:1")), Err(Problem::Connect));
    }

    #[test]
    fn the_parameter_of_the_key_goes_in_each_spelling_and_nothing_else_changes() {
        for (sent, left) in [
            ("/a?api_key=x", "/a"),
            ("/a?q=%20&api_key=x&r=1+2", "/a?q=%20&r=1+2"),
            ("/a?%61pi_key=x&b&api_key&api_key=", "/a?b"),
            ("/a%2Eb?api_keys=1&xapi_key=2", "/a%2Eb?api_keys=1&xapi_key=2"),
            ("/a", "/a"),
        ] {
            assert_eq!(target(&sent.parse().unwrap(), Some("api_key")).unwrap(), left);
        }
        assert_eq!(target(&"/a?api_key=x".parse().unwrap(), None).unwrap(), "/a?api_key=x");
    }

    #[test]
    fn only_one_named_protocol_is_upgraded_to() {
        let allowed = ["websocket".to_owned()];
        let wants = |connection, upgrade: &str| {
            let build = Request::get("/").header("connection", connection).header("upgrade", upgrade);
            wanted_upgrade(&parts(build), &allowed)
        };
        assert_eq!(wants("keep-alive, Upgrade", "WebSocket").unwrap(), "WebSocket");
        assert_eq!(wants("keep-alive", "websocket"), None);
        assert_eq!(wants("upgrade", "h2c"), None);
        assert_eq!(wants("upgrade", "websocket, h2c"), None);
    }
}
