//! What is answered between listening and the keyring being loaded: alive, and not ready.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use keystead_server::problem::{ApiProblem, ProblemCode};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt;

/// Routes that come when they are ready.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot(Arc<OnceLock<Router>>);

impl Slot {
    /// From now on these routes answer.
    pub(crate) fn fill(&self, routes: Router) {
        // A second filling would be a fault of ours; the first stays.
        let _ = self.0.set(routes);
    }

    /// A router that answers with `starting` until the slot is filled.
    pub(crate) fn router(self, starting: Router) -> Router {
        let service = tower::service_fn(move |request: Request| {
            let routes = self.0.get().unwrap_or(&starting).clone();
            async move { Ok::<Response, Infallible>(answer(routes, request).await) }
        });
        Router::new().fallback_service(service)
    }
}

async fn answer(routes: Router, request: Request) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The routes until then.
pub(crate) fn routes() -> Router {
    let not_yet = || async {
        ApiProblem::new(ProblemCode::Unavailable, "The server is starting; the keys are not loaded yet.")
            .with_retry_after(1)
    };
    Router::new()
        .route("/livez", axum::routing::get(|| async { "ok\n" }))
        .route("/{*path}", axum::routing::any(not_yet))
}
