//! What Prometheus scrapes. Counting is an atomic addition or two: neither a lock nor a label is built.

mod exposition;
mod proxies;
mod route;

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use keystead_api::Code;
use keystead_proxy::Proxy;
use keystead_service::MailCounts;
use route::Route;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// The content type of the text that [`Metrics::text`] makes: OpenMetrics, which Prometheus asks for.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All counters of the HTTP side.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By the route's pattern: as many as there are routes, so this map cannot grow without bound.
    routes: ArcSwap<HashMap<Box<str>, Arc<Route>>>,
    shed: AtomicU64,
    in_flight: AtomicUsize,
    /// The own proxies, by where they listen.
    proxies: ArcSwap<Vec<(String, Arc<Proxy>)>>,
}

/// What others count, read when Prometheus asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Live {
    /// Verdicts since the start, in the order of [`Code::ALL`].
    pub verdicts: [u64; Code::ALL.len()],
    /// Keys in the keyring.
    pub keys_resident: u64,
    /// Whether the log beside the database is written.
    pub log_is_kept: bool,
    /// Usage events that did not fit the queue since the start.
    pub usage_events_dropped: u64,
    /// Blocks of credits and quotas that were leased since the start.
    pub leases: u64,
    /// Administrative acts committed since the start.
    pub acts: u64,
    /// Calls to this API with a key that proved nothing, since the start.
    pub unknown_callers: u64,
    /// Guarded requests that were refused, since the start.
    pub refused_at_guards: u64,
    /// Guarded requests that passed because their guard only observes, since the start.
    pub observed_at_guards: u64,
    /// Nodes that share the database and gave a sign of life lately, this one included.
    pub nodes: u64,
    /// Up to which row of the change feed this node knows of everything.
    pub feed_mark: u64,
    /// Whether this node can know of every change.
    pub is_fresh: bool,
    /// What became of mail.
    pub mail: MailCounts,
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Counts an answered request; `route` is the pattern that matched, never the path that was sent.
    pub(crate) fn request(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        match self.routes.load().get(route) {
            Some(counters) => counters.count(method, status, took),
            None => self.add(route).count(method, status, took),
        }
    }

    #[cold]
    fn add(&self, route: &str) -> Arc<Route> {
        let added = Arc::new(Route::default());
        self.routes.rcu(|routes| {
            let mut routes = HashMap::clone(routes);
            routes.entry(route.into()).or_insert_with(|| Arc::clone(&added));
            routes
        });
        self.routes.load().get(route).map_or(added, Arc::clone)
    }

    /// Takes a place among the requests in work; `None` when `max` are taken.
    pub(crate) fn enter(self: &Arc<Self>, max: usize) -> Option<InFlight> {
        let in_flight = InFlight(Arc::clone(self));
        if self.in_flight.fetch_add(1, Ordering::Relaxed) < max {
            return Some(in_flight);
        }
        self.shed.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Requests that were refused since the start because too many were in work.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }
}

/// A place among the requests in work, given back when dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let metrics = Metrics::new();
        let mut verdicts = [0; Code::ALL.len()];
        verdicts[Code::Valid as usize] = 1;
        verdicts[Code::Unavailable as usize] = 2;
        let took = Duration::from_micros(300);
        metrics.request("/v1/keys/{id}", &Method::GET, StatusCode::OK, took);
        metrics.request("/v1/keys/{id}", &Method::GET, StatusCode::OK, Duration::from_secs(60));
        metrics.request("/v1/keys/{id}", &Method::from_bytes(b"BREW").unwrap(), StatusCode::NOT_FOUND, took);
        let place = metrics.enter(1);
        assert!(place.is_some() && metrics.enter(1).is_none());
        let text = metrics.text(Live {
            verdicts,
            keys_resident: 5,
            log_is_kept: true,
            usage_events_dropped: 6,
            leases: 7,
            acts: 8,
            unknown_callers: 9,
            refused_at_guards: 14,
            observed_at_guards: 15,
            nodes: 3,
            feed_mark: 70,
            is_fresh: true,
            mail: MailCounts { sent: 10, failed: 11, waiting: 12, oldest_seconds: 13 },
        });
        for line in [
            "keystead_verdicts_total{code=\"valid\"} 1",
            "keystead_verdicts_total{code=\"unavailable\"} 2",
            "keystead_verdicts_total{code=\"revoked\"} 0",
            "keystead_http_requests_total{route=\"/v1/keys/{id}\",method=\"GET\",status=\"2xx\"} 2",
            "keystead_http_requests_total{route=\"/v1/keys/{id}\",method=\"other\",status=\"4xx\"} 1",
            "keystead_http_request_seconds_bucket{le=\"0.0005\",route=\"/v1/keys/{id}\"} 2",
            "keystead_http_request_seconds_bucket{le=\"+Inf\",route=\"/v1/keys/{id}\"} 3",
            "keystead_http_request_seconds_count{route=\"/v1/keys/{id}\"} 3",
            "keystead_http_requests_in_flight 1",
            "keystead_http_requests_shed_total 1",
            "keystead_keys_resident 5",
            "keystead_backup_log_kept 1",
            "keystead_usage_events_dropped_total 6",
            "keystead_leases_total 7",
            "keystead_acts_total 8",
            "keystead_unknown_callers_total 9",
            "keystead_guard_refused_total 14",
            "keystead_guard_observed_total 15",
            "keystead_nodes 3",
            "keystead_feed_mark 70",
            "keystead_fresh 1",
            "keystead_mail_sent_total 10",
            "keystead_mail_failed_total 11",
            "keystead_mail_waiting 12",
            "keystead_mail_oldest_seconds 13",
            "# EOF",
        ] {
            assert!(text.lines().any(|has| has == line), "{line} is not in\n{text}");
        }
        assert!(text.contains("keystead_build_info{version="));
        drop(place);
        assert!(metrics.text(Live::default()).contains("keystead_http_requests_in_flight 0"));
    }
}
