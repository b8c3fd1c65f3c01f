//! What Envoy says of a request, read. What its client made unreadable is refused, never an error: errors pass
//! wherever `failure_mode_allow` is on.

use super::messages::{AttributeContext, HttpRequest};
use crate::front::HEADERS_MAX;
use crate::routes::guard::door::unavailable;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keystead_domain::networks;
use keystead_guard::Refusal;
use std::net::IpAddr;

/// A request as Envoy describes it.
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query, as they were sent.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) peer: IpAddr,
}

pub(super) fn asked(attributes: AttributeContext) -> Result<Asked, Refusal> {
    let address = attributes.source.and_then(|peer| peer.address).and_then(|address| address.socket_address);
    let peer = address.and_then(|socket| socket.address.parse().ok()).map(networks::normalise);
    let peer = peer.ok_or_else(|| unavailable("Envoy does not say which address the request came from."))?;
    let http = attributes.request.and_then(|request| request.http);
    let http = http.ok_or_else(|| unavailable("Envoy does not say what the request is."))?;
    let (method, target) = (text(&http.method)?, text(&http.path)?);
    Ok(Asked { method, target, headers: headers(http)?, peer })
}

/// Those of `header_map` (`encode_raw_headers`) alone, where it is there; Envoy sends one of the two.
fn headers(http: HttpRequest) -> Result<HeaderMap, Refusal> {
    let raw = http.header_map.map(|raw| {
        raw.headers
            .into_iter()
            .map(|header| {
                (header.key, if header.raw_value.is_empty() { header.value } else { header.raw_value })
            })
            .collect()
    });
    let sent: Vec<(Bytes, Bytes)> =
        raw.unwrap_or_else(|| http.headers.into_iter().map(|header| (header.key, header.value)).collect());
    let mut headers = HeaderMap::new();
    // `:method`, `:path` and their like are said apart.
    for (name, value) in sent.into_iter().filter(|(name, _)| !name.starts_with(b":")) {
        if headers.len() >= HEADERS_MAX {
            return Err(too_large());
        }
        let name = HeaderName::from_bytes(&name).map_err(|_| unreadable())?;
        headers.append(name, HeaderValue::from_maybe_shared(value).map_err(|_| unreadable())?);
    }
    Ok(headers)
}

fn text(bytes: &Bytes) -> Result<String, Refusal> {
    std::str::from_utf8(bytes).map(ToOwned::to_owned).map_err(|_| unreadable())
}

fn unreadable() -> Refusal {
    let detail = "The method, the path or a header holds what does not belong there.";
    Refusal::at_once(StatusCode::BAD_REQUEST, "invalid_request", detail, false)
}

pub(super) fn too_large() -> Refusal {
    let detail = "The request has too many headers, or they or the path are too long.";
    Refusal::at_once(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail, false)
}
