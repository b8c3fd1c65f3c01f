//! Every request that the registry answers, with the permission that its key needs. The resource is the path: who
//! may `zones.write` on `networks/NET-7/**` may change the zones of NET-7 alone.

use crate::guard::Guard;
use crate::problem::Problem;
use crate::records::Registry;
use crate::{changes, contacts, networks, organizations, reports, routes, zones};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post, put};

const BODY_BYTES_MAX: usize = 8 * 1024;

/// The API, guarded.
pub(crate) fn router(guard: &Guard, registry: Registry) -> Router {
    let read = |permission, handler| guard.needs(permission, handler);
    let write = read;
    Router::new()
        .route("/v1/organizations", read("organizations.read", get(organizations::list)))
        .route("/v1/contacts", read("contacts.read", get(contacts::list)))
        .route("/v1/contacts/{contact}", write("contacts.write", put(contacts::set)))
        .route("/v1/networks", read("networks.read", get(networks::list)))
        .route(
            "/v1/networks/{network}",
            read("networks.read", get(networks::show))
                .merge(write("networks.write", patch(networks::change))),
        )
        .route("/v1/networks/{network}/transfer", write("networks.transfer", post(networks::transfer)))
        .route("/v1/networks/{network}/routes", read("routes.read", get(routes::list)))
        .route(
            "/v1/networks/{network}/routes/{route}",
            write("routes.write", put(routes::set)).merge(write("routes.write", delete(routes::remove))),
        )
        .route("/v1/networks/{network}/zones", read("zones.read", get(zones::list)))
        .route(
            "/v1/networks/{network}/zones/{zone}",
            write("zones.write", put(zones::set)).merge(write("zones.write", delete(zones::remove))),
        )
        .route("/v1/reports/{report}", read("reports.read", get(reports::download)))
        .route("/v1/changes", read("changes.read", get(changes::list)))
        .fallback(async || Problem::not_found("nothing at this path"))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(registry)
}
