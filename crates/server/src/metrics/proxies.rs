//! What the own proxies have counted, as text. Upstreams have numbers there: their addresses are nobody's.

use super::Metrics;
use keystead_proxy::{CLASSES, Numbers, Proxy};
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::fmt;
use std::sync::Arc;

/// A name, its help, and what it is of a proxy.
type Of<T> = (&'static str, &'static str, fn(&Numbers) -> T);

const GAUGES: [Of<usize>; 3] = [
    ("keystead_proxy_connections", "Open connections of clients, by guard", |of| of.connections),
    ("keystead_proxy_requests_in_flight", "Requests in work, tunnels too, by guard", |of| of.in_flight),
    ("keystead_proxy_tunnels", "Open tunnels, such as WebSocket, by guard", |of| of.tunnels),
];

impl Metrics {
    /// Has these proxies shown from now on, each by where it listens.
    pub fn show_proxies(&self, proxies: Vec<(String, Arc<Proxy>)>) {
        self.proxies.store(Arc::new(proxies));
    }

    pub(super) fn proxies(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let proxies = self.proxies.load();
        let all: Vec<(&str, Numbers)> =
            proxies.iter().map(|(guard, proxy)| (guard.as_str(), proxy.numbers())).collect();
        requests(encoder, &all)?;
        let (name, help) = ("keystead_proxy_retries", "Tries beyond the first one of a request, by guard");
        let mut retries = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (guard, numbers) in &all {
            let labels = [("guard", *guard)];
            retries.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&numbers.retries, None)?;
        }
        for (name, help, of) in GAUGES {
            let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (guard, numbers) in &all {
                let value = i64::try_from(of(numbers)).unwrap_or(i64::MAX);
                gauge.encode_family(&[("guard", *guard)])?.encode_gauge(&value)?;
            }
        }
        upstreams(encoder, &all)
    }
}

fn requests(encoder: &mut DescriptorEncoder<'_>, all: &[(&str, Numbers)]) -> fmt::Result {
    let (name, help) = ("keystead_proxy_requests", "Requests answered, by guard and class of status");
    let mut requests = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (guard, numbers) in all {
        for (class, count) in CLASSES.iter().zip(numbers.answers) {
            let labels = [("guard", *guard), ("status", *class)];
            requests.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
        }
    }
    Ok(())
}

fn upstreams(encoder: &mut DescriptorEncoder<'_>, all: &[(&str, Numbers)]) -> fmt::Result {
    let help = "How often an upstream could not be reached, or gave no valid answer in time";
    let name = "keystead_proxy_upstream_failures";
    let mut failures = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (guard, numbers) in all {
        for (at, upstream) in (1..).zip(&numbers.upstreams) {
            let place = i32::to_string(&at);
            let labels = [("guard", *guard), ("upstream", place.as_str())];
            failures
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, u64, u64>(&upstream.failures, None)?;
        }
    }
    let help = "Whether an upstream neither rests after failures nor fails its checks";
    let name = "keystead_proxy_upstream_healthy";
    let mut healthy = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (guard, numbers) in all {
        for (at, upstream) in (1..).zip(&numbers.upstreams) {
            let place = i32::to_string(&at);
            let labels = [("guard", *guard), ("upstream", place.as_str())];
            healthy.encode_family(&labels)?.encode_gauge(&i64::from(upstream.is_healthy))?;
        }
    }
    Ok(())
}
