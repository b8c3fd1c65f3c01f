//! What every request passes before and after its handler: an id, bounds, a log line, counters.
//!
//! One service instead of a stack of layers, because each would cost the hot path an allocation.

mod arrival;
mod report;
mod service;

#[cfg(test)]
mod tests;

use crate::configuration::Limits;
use crate::metrics::Metrics;
use crate::problem::{ApiProblem, ProblemCode, write_document};
use crate::request_id::{self, RequestIds, ThisRequest};
use arrival::Arrivals;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method};
use keystead_domain::replay::request_digest;
use rand_core::Rng;
use report::Report;
use service::{FrontLayer, Handler};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Names a request, so that its retry is known as one.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The digest of a POST that has an [`IDEMPOTENCY_KEY`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestDigest(pub(crate) [u8; 32]);

/// Header fields of one request.
pub(crate) const HEADERS_MAX: usize = 64;

/// Seconds after which a request that was shed may come again.
const SHED_RETRY_SECONDS: u64 = 1;

/// Routes that are answered however busy the server is: who watches it must not take it for dead.
const NEVER_SHED: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// What every request passes.
#[derive(Debug)]
pub struct Front {
    request_time_max: Duration,
    requests_in_flight_max: usize,
    arrivals: Arrivals,
    ids: RequestIds,
    metrics: Arc<Metrics>,
    started: Instant,
    /// The second since `started` in which shedding was last logged, plus one.
    shed_logged: AtomicU64,
}

impl Front {
    /// With these bounds. `rng` is asked once, for a seed.
    pub fn new<R: Rng + ?Sized>(limits: &Limits, metrics: Arc<Metrics>, rng: &mut R) -> Arc<Self> {
        Arc::new(Self {
            request_time_max: Duration::from_secs(limits.request_seconds_max),
            requests_in_flight_max: limits.requests_in_flight_max,
            arrivals: Arrivals::new(limits.body_bytes_max),
            ids: RequestIds::new(rng),
            metrics,
            started: Instant::now(),
            shed_logged: AtomicU64::new(0),
        })
    }

    /// Puts itself before all routes, and adds the answers to unknown routes and wrong methods. Routes that are
    /// added later are not behind it.
    pub fn before(self: Arc<Self>, routes: Router) -> Router {
        routes.fallback(unknown_route).method_not_allowed_fallback(wrong_method).layer(FrontLayer(self))
    }

    /// The whole way of one request.
    async fn pass<H: Handler>(self: Arc<Self>, handler: H, mut request: Request) -> Response {
        let begun = Instant::now();
        let id = self.ids.next();
        request.extensions_mut().insert(ThisRequest(id));
        let report = Report::new(&request);

        let mut response = match self.answer(handler, request, begun + self.request_time_max).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        };

        let id = id.to_string();
        let problem = write_document(&mut response, &id);
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(request_id::HEADER, id);
        }
        // Answers hold keys that are shown once: nothing on the way may keep them.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

        let took = begun.elapsed();
        self.metrics.request(report.route(), report.method(), response.status(), took);
        match problem.as_ref().map(ApiProblem::code) {
            Some(ProblemCode::Overloaded) => self.log_shedding(),
            _ => report.log(&id, response.status(), took, problem.as_ref().and_then(ApiProblem::cause)),
        }
        response
    }

    async fn answer<H: Handler>(
        &self,
        mut handler: H,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, ApiProblem> {
        if request.headers().len() > HEADERS_MAX {
            let detail = format!("There are more than {HEADERS_MAX} header fields.");
            return Err(ApiProblem::new(ProblemCode::HeadersTooLarge, detail));
        }
        let (mut parts, body) = request.into_parts();
        // The body comes before the place among the requests in work: slow senders must not take those places.
        let body = match timeout_at(deadline, self.arrivals.read(&parts.headers, body)).await {
            Ok(body) => body?,
            Err(_) => {
                return Err(ApiProblem::new(ProblemCode::SlowRequest, "The body did not arrive in time."));
            }
        };
        if parts.method == Method::POST && parts.headers.contains_key(IDEMPOTENCY_KEY) {
            let target = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
            parts.extensions.insert(RequestDigest(request_digest("POST", target, &body)));
        }
        let _place = self.metrics.enter(self.places(parts.extensions.get())).ok_or_else(overloaded)?;
        let request = Request::from_parts(parts, Body::from(body));
        let answer = AssertUnwindSafe(async move { handler.call(request).await }).catch_unwind();
        match timeout_at(deadline, answer).await {
            Ok(Ok(Ok(response))) => Ok(response),
            // The panic hook has logged where; the payload may hold values, so it is dropped unread.
            Ok(Err(_)) => Err(ApiProblem::internal("a panic, logged just before")),
            Err(_) => Err(ApiProblem::new(ProblemCode::Timeout, "The answer was not ready in time.")
                .with_retry_after(1)),
        }
    }

    fn places(&self, route: Option<&MatchedPath>) -> usize {
        match route {
            Some(route) if NEVER_SHED.contains(&route.as_str()) => usize::MAX,
            _ => self.requests_in_flight_max,
        }
    }

    /// At most one line a second: logging each would make the overload worse.
    fn log_shedding(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        let second = self.started.elapsed().as_secs() + 1;
        if self.shed_logged.fetch_max(second, Relaxed) < second {
            let shed = self.metrics.shed();
            tracing::warn!(shed, "overloaded: requests are answered 503 (`shed` counts from the start)");
        }
    }
}

fn overloaded() -> ApiProblem {
    ApiProblem::new(ProblemCode::Overloaded, "Too many requests are in work.")
        .with_retry_after(SHED_RETRY_SECONDS)
}

async fn unknown_route() -> ApiProblem {
    ApiProblem::new(ProblemCode::NotFound, "There is no such route.")
}

async fn wrong_method(method: Method) -> ApiProblem {
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let name = if known.contains(&method) { method.as_str() } else { "this method" };
    ApiProblem::new(ProblemCode::MethodNotAllowed, format!("This route does not take {name}."))
}
