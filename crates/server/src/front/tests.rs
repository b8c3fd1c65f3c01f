//! What callers see of `Front`: ids, problem documents, bounds, shedding, timeouts, panics.

use super::*;
use crate::body::Json;
use crate::configuration::{self, LogFormat, LogLevel};
use crate::logging;
use crate::metrics::Live;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use keystead_api::Problem;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::sync::Notify;
use tower::ServiceExt;

struct Setup {
    router: Router,
    metrics: Arc<Metrics>,
    /// Told when `/wait` is reached; `/wait` ends when `go` is told.
    reached: Arc<Notify>,
    go: Arc<Notify>,
}

fn setup(change: impl FnOnce(&mut Limits)) -> Setup {
    let mut limits = configuration::load(&[], []).unwrap().configuration.limits;
    change(&mut limits);
    let metrics = Metrics::new();
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&reached), Arc::clone(&go));
    let routes = Router::new()
        .route("/echo", post(async |Json(value): Json<serde_json::Value>| Json(value)))
        .route("/id", get(async |ThisRequest(id): ThisRequest| id.to_string()))
        .route("/panic", get(panics))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/failed", get(async || ApiProblem::internal("canary")))
        .route("/livez", get(async || "alive"))
        .route(
            "/wait",
            get(async move || {
                tell.notify_one();
                wait.notified().await;
                "done"
            }),
        );
    let front = Front::new(&limits, Arc::clone(&metrics), &mut ChaCha8Rng::seed_from_u64(1));
    Setup { router: front.before(routes), metrics, reached, go }
}

async fn panics() {
    panic!("canary");
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn problem(&self) -> Problem {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(self.headers["x-request-id"], problem.request_id.as_str());
        problem
    }
}

async fn ask(router: &Router, request: Request) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

fn to(method: &str, path: &str) -> Request {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

fn json(body: impl Into<Body>) -> Request {
    let request = Request::builder().method("POST").uri("/echo").header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn an_answer_carries_the_requests_id_and_is_kept_by_nobody() {
    let setup = setup(|_| {});
    let mut request = to("GET", "/id");
    request.headers_mut().insert("x-request-id", HeaderValue::from_static("theirs"));
    let answer = ask(&setup.router, request).await;
    assert_eq!(answer.headers["x-request-id"].as_bytes(), answer.body);
    assert!(answer.body.starts_with(b"req_"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_are_problems() {
    let setup = setup(|_| {});
    let answer = ask(&setup.router, to("GET", "/canary?key=canary")).await;
    assert_eq!(answer.problem().code, "not_found");
    assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    let answer = ask(&setup.router, to("GET", "/echo")).await;
    assert_eq!(
        (answer.problem().code.as_str(), answer.status),
        ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED)
    );
    assert_eq!(answer.headers["allow"], "POST");
    let answer = ask(&setup.router, to("CANARY", "/id")).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("CANARY"));
    let text = setup.metrics.text(Live::default());
    assert!(text.contains("{route=\"unmatched\",method=\"GET\",status=\"4xx\"} 1"), "{text}");
    assert!(!text.to_lowercase().contains("canary"));
}

/// LESSONS 42: limits on every input.
#[tokio::test]
async fn a_body_or_head_beyond_its_bound_is_refused() {
    let setup = setup(|limits| limits.body_bytes_max = 16);
    assert_eq!(ask(&setup.router, json("[1, 2, 3]")).await.body, b"[1,2,3]");
    let answer = ask(&setup.router, json("[1, 2, 3, 4, 5, 6]")).await;
    assert_eq!((answer.problem().code.as_str(), answer.status), ("too_large", StatusCode::PAYLOAD_TOO_LARGE));
    let mut request = json("[]");
    for number in 0..HEADERS_MAX {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        request.headers_mut().insert(name, HeaderValue::from_static("1"));
    }
    assert_eq!(ask(&setup.router, request).await.problem().code, "headers_too_large");
}

#[tokio::test]
async fn refusals_of_the_body_are_problems() {
    let setup = setup(|_| {});
    assert_eq!(ask(&setup.router, json("[")).await.problem().code, "invalid_json");
    assert_eq!(ask(&setup.router, json("[".repeat(40))).await.problem().code, "invalid_json");
    let plain = Request::builder().method("POST").uri("/echo").body(Body::from("{}")).unwrap();
    assert_eq!(ask(&setup.router, plain).await.problem().code, "unsupported_media_type");
}

#[tokio::test]
async fn overload_sheds_with_retry_after_but_not_who_watches() {
    let setup = setup(|limits| limits.requests_in_flight_max = 1);
    let (router, reached) = (setup.router.clone(), Arc::clone(&setup.reached));
    let waiting = tokio::spawn(async move { ask(&router, to("GET", "/wait")).await });
    reached.notified().await;
    let answer = ask(&setup.router, to("GET", "/id")).await;
    assert_eq!(
        (answer.problem().code.as_str(), answer.status),
        ("overloaded", StatusCode::SERVICE_UNAVAILABLE)
    );
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(ask(&setup.router, to("GET", "/livez")).await.status, StatusCode::OK);
    setup.go.notify_one();
    assert_eq!(waiting.await.unwrap().body, b"done");
    assert_eq!(ask(&setup.router, to("GET", "/id")).await.status, StatusCode::OK);
    assert!(setup.metrics.text(Live::default()).contains("keystead_http_requests_shed_total 1"));
}

/// LESSONS 42: whoever sends slowly must not take the places of those who do not.
#[tokio::test]
async fn a_body_that_is_still_coming_takes_no_place() {
    let setup = setup(|limits| limits.requests_in_flight_max = 1);
    let silent = Body::from_stream(futures_util::stream::pending::<std::io::Result<bytes::Bytes>>());
    let mut slow = Box::pin(ask(&setup.router, json(silent)));
    assert!((&mut slow).now_or_never().is_none());
    assert_eq!(ask(&setup.router, to("GET", "/id")).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_ended() {
    let setup = setup(|limits| limits.request_seconds_max = 30);
    let begun = Instant::now();
    let answer = ask(&setup.router, to("GET", "/never")).await;
    assert_eq!((answer.problem().code.as_str(), answer.status), ("timeout", StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(begun.elapsed().as_secs(), 30);
    let silent = Body::from_stream(futures_util::stream::pending::<std::io::Result<bytes::Bytes>>());
    let answer = ask(&setup.router, json(silent)).await;
    assert_eq!(
        (answer.problem().code.as_str(), answer.status),
        ("slow_request", StatusCode::REQUEST_TIMEOUT)
    );
}

#[tokio::test]
async fn a_panic_and_a_failure_tell_nothing_and_give_their_place_back() {
    let setup = setup(|limits| limits.requests_in_flight_max = 1);
    for path in ["/panic", "/failed", "/panic"] {
        let answer = ask(&setup.router, to("GET", path)).await;
        assert_eq!(
            (answer.problem().code.as_str(), answer.status),
            ("internal", StatusCode::INTERNAL_SERVER_ERROR)
        );
        assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    }
}

/// LESSONS 32: header values (CVE-2024-8365) and bodies (CVE-2025-62513) reached logs.
#[tokio::test]
async fn a_log_line_tells_the_route_and_never_what_was_sent() {
    let (subscriber, sink) = logging::tests::capture(LogLevel::Trace, LogFormat::Json);
    let logging = tracing::subscriber::set_default(subscriber);
    let setup = setup(|_| {});
    for path in ["/echo?key=canary", "/canary", "/livez?canary", "/id?canary"] {
        let mut request = json("\"canary\"");
        *request.uri_mut() = path.parse().unwrap();
        for name in ["authorization", "x-api-key", "cookie", "user-agent"] {
            request.headers_mut().insert(name, HeaderValue::from_static("canary"));
        }
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("theirs"));
        ask(&setup.router, request).await;
    }
    ask(&setup.router, to("GET", "/failed")).await;
    drop(logging);
    let lines = sink.text();
    let (others, failure) = lines.trim_end().rsplit_once('\n').unwrap();
    assert!(!others.contains("canary"), "{others}");
    assert!(others.contains("\"client_request_id\":\"theirs\"") && others.contains("\"route\":\"/echo\""));
    assert!(failure.contains("\"cause\":\"canary\"") && failure.contains("\"request_id\":\"req_"));
}
