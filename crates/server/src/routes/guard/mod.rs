//! `/v1/guard`, and Envoy's gRPC method: the doors at which proxies ask about the requests of others, one for each
//! dialect. None ever reads another's headers: what one proxy sets, another lets clients send (LESSONS 15).
//!
//! They are no part of the API's description: proxies call them as a recipe tells them to.

mod door;
mod envoy;
mod ext_authz;
mod forwarded;
mod haproxy;
mod nginx;

use crate::state::App;
use axum::Router;
use axum::routing::{any, post};

/// The doors alone, for [`crate::listen::serve_door`].
pub fn doors(app: App) -> Router {
    routes().with_state(app)
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/guard/nginx", any(nginx::ask))
        .route("/v1/guard/forwarded", any(forwarded::ask))
        .route("/v1/guard/haproxy", any(haproxy::ask))
        .route("/v1/guard/envoy", any(envoy::ask))
        .route("/v1/guard/envoy/", any(envoy::ask))
        .route("/v1/guard/envoy/{*path}", any(envoy::ask))
        .route(ext_authz::METHOD, post(ext_authz::check))
}
