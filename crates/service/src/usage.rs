//! Usage: every verdict, batched off the hot path through a bounded queue. When it is full the event
//! is dropped, counted and reported, never silently; verification never waits for it.

use crate::guard::Waiting;
use crate::sightings::{Aggregate, UnknownAggregate};
use hashbrown::HashMap;
use keystead_api::Code;
use keystead_domain::decide::Ask;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, ProjectId};
use keystead_domain::networks;
use keystead_domain::time::Micros;
use keystead_store::DrainPhase;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The longest text kept of a user agent or an endpoint, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 256;

/// One verified or refused request.
#[derive(Debug)]
pub(crate) struct UsageEvent {
    pub(crate) at: Micros,
    pub(crate) code: Code,
    pub(crate) organization: OrganizationId,
    pub(crate) project: Option<ProjectId>,
    pub(crate) environment: Option<EnvironmentId>,
    /// `None` for a key that could not be tied to one: what brute force looks like.
    pub(crate) lineage: Option<KeyId>,
    /// Whether it was a minted key, whose use is recorded as its parent's.
    pub(crate) is_minted: bool,
    /// Which key, where that is one that is rotated away.
    pub(crate) drain: Option<(KeyId, DrainPhase)>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<Box<str>>,
    pub(crate) endpoint: Option<Box<str>>,
    pub(crate) permissions: Vec<Box<str>>,
}

/// Whom an event is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A key whose digest has matched.
    Key(&'a Entry),
    /// A token that proved nothing, where it was asked about.
    Nobody(UnknownPlace),
}

/// Where a token that proved nothing was asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnknownPlace {
    pub(crate) organization: OrganizationId,
    pub(crate) project: Option<ProjectId>,
    pub(crate) environment: Option<EnvironmentId>,
}

impl UsageEvent {
    /// What a verdict leaves behind: never the key, never a query.
    pub(crate) fn new(
        subject: Subject<'_>,
        ask: &Ask<'_>,
        user_agent: Option<&str>,
        code: Code,
        at: Micros,
    ) -> Self {
        let (place, lineage, drain, is_minted) = match subject {
            Subject::Nobody(place) => (place, None, None, false),
            Subject::Key(entry) => {
                let place = UnknownPlace {
                    organization: entry.place.project.organization,
                    project: Some(entry.place.project.id),
                    environment: Some(entry.place.environment),
                };
                (place, Some(entry.lineage.id), drain(entry, at), entry.parent().is_some())
            }
        };
        let mut permissions = Vec::new();
        if let Some(query) = ask.permissions.filter(|_| code == Code::Valid) {
            query.names(&mut |name| permissions.push(name.into()));
        }
        let endpoint = match (ask.method, ask.path) {
            (Some(method), Some(path)) => Some(shorten(&[method, " ", path])),
            _ => None,
        };
        Self {
            at,
            code,
            organization: place.organization,
            project: place.project,
            environment: place.environment,
            lineage,
            is_minted,
            drain,
            ip: ask.ip,
            user_agent: user_agent.map(|text| shorten(&[text])),
            endpoint,
            permissions,
        }
    }
}

/// Who still uses a key that is rotated away, and who does after its end.
fn drain(entry: &Entry, at: Micros) -> Option<(KeyId, DrainPhase)> {
    entry.rotation().filter(|rotation| rotation.is_old())?;
    let phase = if entry.is_rotated_away(at) { DrainPhase::Reused } else { DrainPhase::Draining };
    Some((entry.id, phase))
}

fn shorten(parts: &[&str]) -> Box<str> {
    let mut text =
        String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>().min(TEXT_BYTES_MAX));
    for part in parts {
        let room = TEXT_BYTES_MAX - text.len();
        text.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or_default());
    }
    text.into()
}

/// The near end of the queue.
#[derive(Debug)]
pub(crate) struct Usage {
    queue: Sender<UsageEvent>,
    dropped: AtomicU64,
    /// What observing guards found and is not written yet.
    pub(crate) observed: Waiting,
}

impl Usage {
    /// A queue of so many events, and its far end.
    #[must_use]
    pub(crate) fn new(queue_max: usize) -> (Self, Receiver<UsageEvent>) {
        let (queue, events) = channel(queue_max.max(1));
        (Self { queue, dropped: AtomicU64::new(0), observed: Waiting::default() }, events)
    }

    /// Queues an event, or counts it as dropped. Never waits.
    pub(crate) fn record(&self, event: UsageEvent) {
        if self.queue.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts what was gathered and could not be written.
    pub(crate) fn count_lost(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// How many events were dropped or lost since the start.
    #[must_use]
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// What has been gathered since the last flush: bounded, whatever comes.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) lineages: HashMap<(OrganizationId, KeyId), Aggregate>,
    pub(crate) drains: HashMap<(OrganizationId, KeyId, DrainPhase), Aggregate>,
    pub(crate) unknown: HashMap<UnknownKey, UnknownAggregate>,
}

/// What refusals that cannot be tied to a key are gathered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UnknownKey {
    pub(crate) organization: OrganizationId,
    pub(crate) project: Option<ProjectId>,
    pub(crate) environment: Option<EnvironmentId>,
    pub(crate) code: Code,
}

impl Gathered {
    /// Adds one event.
    pub(crate) fn add(&mut self, event: UsageEvent) {
        let network = event.ip.map(networks::network_of);
        if let Some((key, phase)) = event.drain {
            let drain = self.drains.entry((event.organization, key, phase)).or_default();
            drain.add(&event, network);
        }
        if let Some(lineage) = event.lineage {
            self.lineages.entry((event.organization, lineage)).or_default().add(&event, network);
        } else {
            let key = UnknownKey {
                organization: event.organization,
                project: event.project,
                environment: event.environment,
                code: event.code,
            };
            self.unknown.entry(key).or_default().add(event.at, network);
        }
    }

    /// Whether nothing was gathered.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.lineages.is_empty() && self.drains.is_empty() && self.unknown.is_empty()
    }

    /// How many rows a flush will write.
    #[must_use]
    pub(crate) fn rows(&self) -> usize {
        self.lineages.len() + self.drains.len() + self.unknown.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (usage, mut events) = Usage::new(2);
        for at in 0..5 {
            usage.record(UsageEvent {
                at: Micros(at),
                code: Code::NotFound,
                organization: OrganizationId([1; 16]),
                project: None,
                environment: None,
                lineage: None,
                is_minted: false,
                ip: None,
                user_agent: None,
                endpoint: None,
                drain: None,
                permissions: Vec::new(),
            });
        }
        assert_eq!(usage.dropped(), 3);
        assert_eq!(events.try_recv().unwrap().at, Micros(0));
        assert_eq!(events.try_recv().unwrap().at, Micros(1));
        assert!(events.try_recv().is_err());
        usage.count_lost(4);
        assert_eq!(usage.dropped(), 7);
    }
}
