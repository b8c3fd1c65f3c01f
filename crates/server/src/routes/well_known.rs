//! `/.well-known/jwks.json`: with what an upstream verifies the identities that it is told (RFC 7517, RFC 8037). For
//! anybody: there is nothing secret in it.

use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/.well-known/jwks.json", get(keys))
}

async fn keys(State(app): State<App>) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, Bytes::from_owner(app.keystead.published_identity_keys()))
}
