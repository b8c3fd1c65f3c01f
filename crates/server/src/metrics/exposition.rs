//! The counters as text.

use super::{Live, Metrics};
use keystead_api::Code;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Metrics {
    /// Everything as OpenMetrics text of the type [`super::CONTENT_TYPE`].
    #[must_use]
    pub fn text(self: &Arc<Self>, live: Live) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { metrics: Arc::clone(self), live }));
        let mut text = String::with_capacity(16 << 10);
        // Writing into a string does not fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    live: Live,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.routes(encoder)?;
        let metrics = &self.metrics;
        let in_flight = i64::try_from(metrics.in_flight.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        gauge(encoder, "keystead_http_requests_in_flight", "Requests in work", in_flight)?;
        let shed = "Requests answered 503 because too many were in work";
        counter(encoder, "keystead_http_requests_shed", shed, metrics.shed())?;
        self.verdicts(encoder)?;
        gauge(encoder, "keystead_keys_resident", "Keys in the keyring", signed(self.live.keys_resident))?;
        let nodes = "Nodes that share the database and gave a sign of life lately, this one included";
        gauge(encoder, "keystead_nodes", nodes, signed(self.live.nodes))?;
        let mark = "Up to which row of the change feed this node knows of everything";
        gauge(encoder, "keystead_feed_mark", mark, signed(self.live.feed_mark))?;
        let fresh = "Whether this node can know of every change: 0 means that it answers unavailable";
        gauge(encoder, "keystead_fresh", fresh, i64::from(self.live.is_fresh))?;
        let kept = "Whether the log beside the database is written; 0 when it cannot be";
        gauge(encoder, "keystead_backup_log_kept", kept, i64::from(self.live.log_is_kept))?;
        let dropped = "Usage events that did not fit the queue";
        counter(encoder, "keystead_usage_events_dropped", dropped, self.live.usage_events_dropped)?;
        counter(encoder, "keystead_acts", "Administrative acts committed", self.live.acts)?;
        let unknown = "Calls to this API with a key that proved nothing";
        counter(encoder, "keystead_unknown_callers", unknown, self.live.unknown_callers)?;
        let refused = "Guarded requests that were refused";
        counter(encoder, "keystead_guard_refused", refused, self.live.refused_at_guards)?;
        let observed = "Guarded requests that passed because their guard only observes";
        counter(encoder, "keystead_guard_observed", observed, self.live.observed_at_guards)?;
        counter(
            encoder,
            "keystead_leases",
            "Blocks of credits and quotas that were leased",
            self.live.leases,
        )?;
        self.mail(encoder)?;
        self.metrics.proxies(encoder)?;
        encoder
            .encode_descriptor("keystead_build", "The version that runs", None, MetricType::Info)?
            .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }
}

impl Scrape {
    fn routes(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let routes = self.metrics.routes.load();
        let help = "Answered requests by route, method and class of status";
        let mut requests =
            encoder.encode_descriptor("keystead_http_requests", help, None, MetricType::Counter)?;
        for (route, counters) in routes.iter() {
            for (method, class, count) in counters.answers() {
                let labels = [("route", &**route), ("method", method), ("status", class)];
                requests.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
            }
        }
        let help = "Seconds from a request's head to its answer, by route";
        let name = "keystead_http_request_seconds";
        let mut seconds = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (route, counters) in routes.iter() {
            let (buckets, sum) = counters.seconds();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let labels = [("route", &**route)];
            seconds.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn mail(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mail = &self.live.mail;
        counter(encoder, "keystead_mail_sent", "Letters that the mail server took", mail.sent)?;
        let failed = "Letters that the mail server did not take; each try counts";
        counter(encoder, "keystead_mail_failed", failed, mail.failed)?;
        gauge(encoder, "keystead_mail_waiting", "Notices that are to be sent", signed(mail.waiting))?;
        let oldest = "Age of the oldest notice that is to be sent, in seconds";
        gauge(encoder, "keystead_mail_oldest_seconds", oldest, signed(mail.oldest_seconds))
    }

    fn verdicts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let name = "keystead_verdicts";
        let mut verdicts = encoder.encode_descriptor(name, "Verdicts by code", None, MetricType::Counter)?;
        for (code, count) in Code::ALL.iter().zip(self.live.verdicts) {
            let labels = [("code", code.as_str())];
            verdicts.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
        }
        Ok(())
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, None, MetricType::Counter)?
        .encode_counter::<NoLabelSet, u64, u64>(&value, None)
}
