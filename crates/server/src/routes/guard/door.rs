//! What the doors share: the proxy proves itself, the request that it describes is judged, and the answer says what
//! goes on.

use crate::credential::origin;
use crate::own_place::OwnPlace;
use crate::state::App;
use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keystead_guard::headers::GUARD;
use keystead_guard::{Allowed, Answer, Refusal, Request};
use keystead_service::Door;
use keystead_service::caller::Origin;
use std::net::IpAddr;
use std::sync::Arc;

/// A request as a proxy describes it.
pub(super) struct Described<'a> {
    /// Its method.
    pub(super) method: &'a str,
    /// Its path and query, as they were sent.
    pub(super) target: &'a str,
    /// Who sent it to the proxy.
    pub(super) peer: IpAddr,
}

/// What is wrong with how a proxy asks: its operator's mistake, and closed.
pub(super) struct Misasked(pub(super) &'static str);

/// What becomes of the request that a proxy describes, and the door that said so.
pub(super) async fn judge<'a>(
    app: &App,
    parts: &'a Parts,
    described: Result<Described<'a>, Misasked>,
) -> (Answer, Option<Door>) {
    let described = match described {
        Ok(described) => described,
        Err(Misasked(detail)) => return (closed(detail), None),
    };
    let door = match open(app, parts).await {
        Ok(door) => door,
        Err(Misasked(detail)) => return (closed(detail), None),
    };
    let (path, query) = match described.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (described.target, None),
    };
    let request =
        Request { method: described.method, path, query, headers: &parts.headers, strips_query: false };
    let answer = app.keystead.guard_request(&door, &request, Some(described.peer)).await;
    (answer, Some(door))
}

async fn open(app: &App, parts: &Parts) -> Result<Door, Misasked> {
    let origin = origin(parts).map_err(|_| Misasked("The proxy's request is not understood."))?;
    if let Some(place) = parts.extensions.get() {
        return at_socket(place, &origin).await.map_err(|shut| Misasked(shut.detail()));
    }
    let token = one(&parts.headers, &GUARD)
        .ok_or(Misasked("The proxy does not prove itself: it must send its own key in X-Keystead-Guard."))?;
    open_with(app, token, origin).await.map_err(|shut| Misasked(shut.detail()))
}

/// The door of the socket by which the proxy came: nothing that it sends besides can open another.
pub(super) async fn at_socket(place: &Arc<OwnPlace>, origin: &Origin) -> Result<Door, Shut> {
    place.door(origin.request_id).await.ok_or(Shut::Nowhere)
}

/// Why a proxy may not ask.
pub(super) enum Shut {
    /// It sends none over gRPC, or several.
    Unproven,
    /// Its own key is nobody's, or not valid.
    Unknown,
    /// It is a key, and not for this.
    MayNot,
    /// What its socket is for is not there, or not guarded.
    Nowhere,
}

impl Shut {
    /// For the proxy's operator.
    pub(super) const fn detail(&self) -> &'static str {
        match self {
            Self::Unproven => {
                "Envoy must prove itself once: by its own key as authorization: Bearer in initial_metadata, or as x-keystead-guard in context_extensions."
            }
            Self::Unknown => "The proxy's own key is not accepted.",
            Self::MayNot => {
                "The proxy's key must hold keys.verify for one environment of a guarded project, and nothing may forbid it."
            }
            Self::Nowhere => {
                "The environment that this socket is for is not there, or its project is not guarded."
            }
        }
    }
}

/// The door that a proxy's own key opens.
pub(super) async fn open_with(app: &App, token: &str, origin: Origin) -> Result<Door, Shut> {
    let caller = app.keystead.recognise(token, origin).await.map_err(|_| Shut::Unknown)?;
    app.keystead.open_door(&caller).await.map_err(|refused| {
        tracing::debug!(%refused, "a proxy may not ask");
        Shut::MayNot
    })
}

/// Whatever goes wrong between proxy and Keystead keeps the request out.
fn closed(detail: &'static str) -> Answer {
    Answer::Refuse(unavailable(detail))
}

/// The refusal where it cannot be said what the request is.
pub(super) fn unavailable(detail: &'static str) -> Refusal {
    let mut refusal = Refusal::at_once(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail, false);
    refusal.retry_after_seconds = Some(1);
    refusal
}

/// A header's value where it is there once.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The last address in `X-Forwarded-For`: the one that the asking proxy itself has put there.
pub(super) fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

/// 200 with the headers that the upstream gets: the identity's, and those of the headers for keys that are not the
/// key. A proxy that copies them, and removes what is not there, strips the key and every forged header.
pub(super) fn whole(parts: &Parts, door: Option<&Door>, allowed: Allowed) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    for name in door.map(Door::credential_headers).unwrap_or_default() {
        if !allowed.remove.contains(name) {
            for value in parts.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
    set(headers, allowed.set);
    set(headers, allowed.to_client);
    response
}

/// The refusal as the client gets it.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let mut response = Response::new(Body::from(refusal.document()));
    *response.status_mut() = refusal.status;
    set(response.headers_mut(), refusal.headers());
    response
}

pub(super) fn set(headers: &mut HeaderMap, with: Vec<(HeaderName, HeaderValue)>) {
    for (name, value) in with {
        headers.insert(name, value);
    }
}
