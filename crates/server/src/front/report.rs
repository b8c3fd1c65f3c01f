//! The log line of a request: never a header's value (but a sane request id), never a query, never a body.

use crate::listen::Peer;
use crate::request_id;
use axum::extract::{MatchedPath, Request};
use http::{Method, StatusCode};
use std::time::Duration;

/// What is remembered of a request until it is answered.
pub(super) struct Report {
    route: Option<MatchedPath>,
    method: Method,
    peer: Option<Peer>,
    foreign_id: Option<Box<str>>,
}

impl Report {
    pub(super) fn new(request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            route: extensions.get().cloned(),
            method: request.method().clone(),
            peer: extensions.get().copied(),
            foreign_id: request_id::foreign(request.headers()).map(Box::from),
        }
    }

    /// The pattern that matched; one name for all paths that none matches, because those are unbounded.
    pub(super) fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// Failures of the server at `info`, or at `error` with their cause; everything else at `debug`: nobody pays
    /// for a line a request.
    pub(super) fn log(&self, request_id: &str, status: StatusCode, took: Duration, cause: Option<&str>) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (method, route, status) = (self.method.as_str(), self.route(), status.as_u16());
        let peer = self.peer.map(|peer| tracing::field::display(peer.0));
        let client_request_id = self.foreign_id.as_deref();
        if let Some(cause) = cause {
            tracing::error!(
                request_id,
                method,
                route,
                status,
                micros,
                peer,
                client_request_id,
                cause,
                "request failed"
            );
        } else if status >= 500 {
            tracing::info!(
                request_id,
                method,
                route,
                status,
                micros,
                peer,
                client_request_id,
                "request refused"
            );
        } else {
            tracing::debug!(request_id, method, route, status, micros, peer, client_request_id, "request");
        }
    }
}
