//! Upstreams that are asked for their health.

use crate::house::{Running, Upstream, allow, full, say, settings, start};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use keystead_proxy::{Health, Plan, Settings};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// An API, what it answers to checks, and what came to it.
struct Api {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    checks: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Api {
    async fn start() -> Self {
        let (status, checks) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicUsize::new(0)));
        let requests = Arc::new(AtomicUsize::new(0));
        let (says, checked, requested) = (Arc::clone(&status), Arc::clone(&checks), Arc::clone(&requests));
        let upstream = Upstream::start(move |request: Request<Incoming>| {
            let is_check = request.uri().path() == "/healthz";
            if is_check {
                assert_eq!(request.headers()["user-agent"], "keystead-health");
                checked.fetch_add(1, SeqCst);
            } else {
                requested.fetch_add(1, SeqCst);
            }
            let status = if is_check { says.load(SeqCst) } else { 200 };
            async move {
                let mut response = Response::new(full("ok"));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response
            }
        })
        .await;
        Self { address: upstream.address, status, checks, requests }
    }

    /// Waits until so many more checks have come, and their answers are known.
    async fn checked(&self, count: usize) {
        let wanted = self.checks.load(SeqCst) + count;
        while self.checks.load(SeqCst) <= wanted {
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn take(&self) -> usize {
        self.requests.swap(0, SeqCst)
    }
}

fn checked(upstreams: &[SocketAddr]) -> Settings {
    let health = Health {
        path: "/healthz".parse().unwrap(),
        interval: Duration::from_secs(5),
        answer: Duration::from_secs(2),
        failures_max: 3,
        successes_min: 2,
    };
    Settings { health: Some(health), ..settings(upstreams) }
}

async fn ask(proxy: &Running, times: usize) {
    for _ in 0..times {
        let answer = say(proxy.address, GET).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_fails_its_checks_is_left_out_until_it_passes_them() {
    let (one, other) = (Api::start().await, Api::start().await);
    let proxy = start(checked(&[one.address, other.address]), allow(), None).await;
    one.checked(1).await;
    ask(&proxy, 10).await;
    assert_eq!((one.take(), other.take()), (5, 5));
    one.status.store(503, SeqCst);
    one.checked(3).await;
    ask(&proxy, 10).await;
    assert_eq!((one.take(), other.take()), (0, 10));
    // One good answer is none yet.
    one.status.store(204, SeqCst);
    one.checked(2).await;
    ask(&proxy, 10).await;
    assert_eq!((one.take(), other.take()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn where_all_fail_all_are_asked() {
    let (one, other) = (Api::start().await, Api::start().await);
    let proxy = start(checked(&[one.address, other.address]), allow(), None).await;
    one.status.store(500, SeqCst);
    other.status.store(301, SeqCst);
    one.checked(3).await;
    other.checked(3).await;
    ask(&proxy, 10).await;
    assert_eq!((one.take(), other.take()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_nothing_fails_its_checks_and_no_request_is_tried_on_it() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = Api::start().await;
    let proxy = start(checked(&[silent.local_addr().unwrap(), good.address]), allow(), None).await;
    good.checked(5).await;
    let begun = tokio::time::Instant::now();
    ask(&proxy, 10).await;
    assert_eq!((good.take(), begun.elapsed().as_secs()), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn checks_end_and_are_forgotten_when_they_are_no_longer_set() {
    let (one, other) = (Api::start().await, Api::start().await);
    let both = [one.address, other.address];
    let proxy = start(checked(&both), allow(), None).await;
    one.status.store(500, SeqCst);
    one.checked(3).await;
    // What is known of it outlives a change.
    proxy.proxy.change(Plan::new(checked(&both), None).unwrap(), allow());
    ask(&proxy, 4).await;
    assert_eq!((one.take(), other.take()), (0, 4));
    proxy.proxy.change(Plan::new(settings(&both), None).unwrap(), allow());
    sleep(Duration::from_secs(5)).await;
    let checks = one.checks.load(SeqCst);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(one.checks.load(SeqCst), checks);
    ask(&proxy, 10).await;
    assert_eq!((one.take(), other.take()), (5, 5));
}
