//! The counters of one route: answers by method and class of status, and how long they took.

use http::{Method, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The methods that are told apart, and one name for all others.
pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "other"];

/// The classes of status; the first digit's place.
pub(super) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Upper bounds of the buckets in microseconds, both for people and for alerts; above is one more.
pub(super) const BOUNDS: [u64; 10] =
    [100, 250, 500, 1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

#[derive(Debug, Default)]
pub(super) struct Route {
    answers: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Route {
    pub(super) fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.answers.get(method).and_then(|classes| classes.get(class)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Method, class and count of all that are not zero.
    pub(super) fn answers(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        METHODS.iter().zip(&self.answers).flat_map(|(method, classes)| {
            CLASSES.iter().zip(classes).filter_map(|(class, counter)| {
                let count = counter.load(Ordering::Relaxed);
                (count > 0).then_some((*method, *class, count))
            })
        })
    }

    /// The buckets' upper bounds in seconds and their counts; and the sum of all, in seconds.
    pub(super) fn seconds(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = BOUNDS.iter().map(|micros| seconds(*micros)).chain([f64::INFINITY]);
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        (bounds.zip(counts).collect(), seconds(self.micros.load(Ordering::Relaxed)))
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}
