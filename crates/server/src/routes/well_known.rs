//! `/.well-known/jwks.json`: with what an upstream verifies the identities that it is told (RFC 7517, RFC 8037). For
//! anybody: there is nothing secret in it.

use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(keys))
}

/// What `X-Keystead-Identity` is verified with: a JWK set (RFC 7517) of Ed25519 keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "operation", operation_id = "published_identity_keys",
    security(()), responses(
        (status = 200, body = serde_json::Value, content_type = "application/jwk-set+json"),
        (status = 503, description = "The server cannot answer now.", body = keystead_api::Problem, content_type = "application/problem+json"),
    ))]
async fn keys(State(app): State<App>) -> Result<impl IntoResponse, ApiProblem> {
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=60")];
    Ok((headers, Bytes::from_owner(app.keystead.published_identity_keys()?)))
}
