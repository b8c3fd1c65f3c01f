//! The API that is guarded: a real axum application on a socket.

use crate::wire::{Message, send};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use keystead_sdk::Client;
use keystead_sdk::layer::{Guard, GuardBuilder, Need, Verdict};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const READ: &str = "routes.read";
pub(crate) const WRITE: &str = "routes.write";

/// What a request needs.
pub(crate) fn needs(request: &Parts) -> Need {
    let path = request.uri.path();
    let network = path.strip_prefix("/v1/networks/").and_then(|rest| rest.strip_suffix("/routes"));
    match (path, network) {
        ("/v1/routes", _) if request.method == "PUT" => Need::permission(WRITE),
        ("/v1/routes", _) => Need::permission(READ),
        ("/v1/all", _) => Need::all_of([READ, WRITE]),
        ("/v1/any", _) => Need::any_of([READ, WRITE]),
        (_, Some(network)) => Need::permission(READ).on(format!("networks/{network}")),
        _ => Need::default(),
    }
}

/// Tells who asked.
pub(crate) async fn tell(request: Request) -> Response {
    match request.extensions().get::<Verdict>() {
        Some(verdict) => Json(json!({"key_id": verdict.key_id, "valid": verdict.valid, "code": verdict.code,
                "metadata": verdict.metadata}))
        .into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A guard that asks there; why requests were not judged is nobody's concern.
pub(crate) fn guard(url: &str, key: &str) -> GuardBuilder {
    // Longer than any test waits: what ends a question is the guard's own time.
    let client = Client::builder().url(url).key(key).timeout(Duration::from_secs(600)).build().unwrap();
    Guard::builder(client)
        .environment("acme", "production")
        .timeout(Duration::from_secs(30))
        .error_log(|_| {})
        .peer(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()))
}

/// An application all of which is guarded.
pub(crate) fn whole(guard: &GuardBuilder) -> Router {
    let guard = guard.clone().build().unwrap();
    Router::new().fallback(tell).layer(guard.guard(needs))
}

/// Applications that run as long as this.
pub(crate) struct Stage(Runtime);

impl Stage {
    pub(crate) fn new() -> Self {
        Self(Runtime::new().unwrap())
    }

    /// Serves it; its port.
    pub(crate) fn serve(&self, router: Router) -> u16 {
        let listener = self.0.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.0.spawn(async move { axum::serve(listener, service).await });
        port
    }
}

/// The document of an answer.
pub(crate) fn document(answer: &Message) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

/// The status with which a request is answered.
pub(crate) fn status(port: u16, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    send(port, method, path, headers, b"").status()
}
