//! `envoy.service.auth.v3.Authorization/Check`: Envoy's ext_authz over gRPC. Only what goes wrong between Envoy and
//! Keystead is an error of gRPC, by which Envoy fails closed or not, as it was told to; what a client does is never one.

mod answer;
mod messages;
mod read;

use super::door::{Shut, at_socket, open_with, unavailable};
use crate::credential::origin;
use crate::own_place::OwnPlace;
use crate::problem::{ApiProblem, ProblemCode};
use crate::state::App;
use answer::{denied, passes};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use keystead_guard::Answer;
use keystead_guard::headers::GUARD;
use keystead_service::Door;
use keystead_service::caller::Origin;
use messages::{AttributeContext, CheckRequest, CheckResponse, Entry};
use std::sync::Arc;
use tonic::Status;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;

/// The path that the method has in HTTP.
pub(super) const METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Bytes of the largest message that is read, about what a request's head may have elsewhere.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Bytes before a message that say how long it is.
const PREFIX_BYTES: usize = 5;
/// A message without a field.
const EMPTY: &[u8] = &[0; PREFIX_BYTES];

pub(super) async fn check(State(app): State<App>, request: Request) -> Result<Response, ApiProblem> {
    let (parts, body) = request.into_parts();
    check_type(&parts.headers)?;
    let origin = origin(&parts)?;
    let proof = match parts.extensions.get::<Arc<OwnPlace>>() {
        Some(place) => Proof::Socket(Arc::clone(place)),
        None => Proof::Keys(bearer(&parts.headers)),
    };
    // `Front` has bounded it.
    let body = to_bytes(body, usize::MAX).await.map_err(ApiProblem::internal)?;
    // A client can make the message too large. What is not read must not be an error, so it is answered as one that is.
    let fits = body.len() <= MESSAGE_BYTES_MAX + PREFIX_BYTES;
    let message = if fits { body } else { Bytes::from_static(EMPTY) };
    let answer = tower::service_fn(move |request: tonic::Request<CheckRequest>| {
        let (app, origin, proof) = (app.clone(), origin.clone(), proof.clone());
        async move {
            if !fits {
                return Ok(tonic::Response::new(denied(None, &read::too_large())));
            }
            let attributes = request.into_inner().attributes.unwrap_or_default();
            judge(&app, origin, proof, attributes).await.map(tonic::Response::new)
        }
    });
    let mut grpc = Grpc::new(ProstCodec::<CheckResponse, CheckRequest>::default());
    let response = grpc.unary(answer, Request::from_parts(parts, Body::from(message))).await;
    Ok(response.map(Body::new).into_response())
}

/// How Envoy proves itself: by the socket that it opened, or by the keys that the call's metadata has.
#[derive(Clone)]
enum Proof {
    Socket(Arc<OwnPlace>),
    Keys(Vec<String>),
}

async fn judge(
    app: &App,
    origin: Origin,
    proof: Proof,
    attributes: AttributeContext,
) -> Result<CheckResponse, Status> {
    let door = match open(app, origin, proof, &attributes.context_extensions).await {
        Ok(door) => door,
        Err(shut) => return refused(&shut),
    };
    let asked = match read::asked(attributes) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(denied(Some(&door), &refusal)),
    };
    let (path, query) = match asked.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked.target.as_str(), None),
    };
    let (method, headers) = (asked.method.as_str(), &asked.headers);
    let request = keystead_guard::Request { method, path, query, headers, strips_query: true };
    Ok(match app.keystead.guard_request(&door, &request, Some(asked.peer)).await {
        Answer::Allow(allowed) => passes(&door, allowed, query),
        Answer::Refuse(refusal) => denied(Some(&door), &refusal),
    })
}

/// Envoy proves itself in the call's metadata (`initial_metadata`) or, where that cannot be set, as with Envoy
/// Gateway, in a context extension; never in what a client sends.
async fn open(app: &App, origin: Origin, proof: Proof, extensions: &[Entry]) -> Result<Door, Shut> {
    let mut proof = match proof {
        Proof::Socket(place) => return at_socket(&place, &origin).await,
        Proof::Keys(keys) => keys,
    };
    let named = extensions.iter().filter(|entry| entry.key == GUARD.as_str());
    proof.extend(named.map(|entry| String::from_utf8_lossy(&entry.value).trim().to_owned()));
    let [token] = &proof[..] else {
        return Err(Shut::Unproven);
    };
    open_with(app, token, origin).await
}

fn refused(shut: &Shut) -> Result<CheckResponse, Status> {
    match shut {
        Shut::Unproven | Shut::Unknown => Err(Status::unauthenticated(shut.detail())),
        Shut::MayNot => Err(Status::permission_denied(shut.detail())),
        // Envoy asks rightly, and may be told to stay open: an error would open the API.
        Shut::Nowhere => Ok(denied(None, &unavailable(shut.detail()))),
    }
}

/// What the call's metadata has for a proof; what is no bearer token is none that could be valid.
fn bearer(metadata: &HeaderMap) -> Vec<String> {
    let token = |value: &str| match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        _ => String::new(),
    };
    metadata.get_all(AUTHORIZATION).iter().map(|value| token(value.to_str().unwrap_or_default())).collect()
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if sent == "application/grpc" || sent == "application/grpc+proto" {
        return Ok(());
    }
    Err(ApiProblem::new(ProblemCode::UnsupportedMediaType, "This is a method of gRPC, which Envoy calls.")
        .with_fix("See keystead guard recipe envoy-grpc."))
}
