//! Under which name a limit of a route is counted, here and in the store.

use crate::ids::{ConsumerId, EnvironmentId, KeyId};
use crate::networks;
use std::net::IpAddr;

/// A limit of a route in an environment, for one of those whom it counts apart. Fixed in size: nothing is allocated
/// for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteMeterId([u8; RouteMeterId::BYTES]);

/// Whom a limit counts apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// Nobody: all together.
    All,
    /// A lineage.
    Lineage(KeyId),
    /// A consumer.
    Consumer(ConsumerId),
    /// A network of clients.
    Address(Option<IpAddr>),
    /// All for whom there is no room in one part of the cells.
    Rest(u8),
}

const ENVIRONMENT_AT: usize = 16;
const MARK_AT: usize = 32;
const ADDRESS: u8 = b'a';
const REST: u8 = b'r';

impl RouteMeterId {
    /// How long it is, which tells it from other meters' ids.
    pub const BYTES: usize = 49;

    pub(super) fn new(limit: [u8; 16], environment: EnvironmentId, whom: Whom) -> Self {
        let mut id = [0; 16];
        let mark = match whom {
            Whom::All => b'*',
            Whom::Lineage(key) => {
                fill(&mut id, key.as_bytes());
                b'k'
            }
            Whom::Consumer(consumer) => {
                id = consumer.0;
                b'c'
            }
            Whom::Address(ip) => {
                // Whoever has an address of IPv6 has its whole /64.
                match ip.map(networks::normalise) {
                    Some(IpAddr::V4(ip)) => id = (u128::from(u32::from(ip)) | 4 << 64).to_be_bytes(),
                    Some(IpAddr::V6(ip)) => id = (u128::from(ip) >> 64 | 6 << 64).to_be_bytes(),
                    None => {}
                }
                ADDRESS
            }
            Whom::Rest(part) => {
                fill(&mut id, &[part]);
                REST
            }
        };
        let mut bytes = [0; Self::BYTES];
        let parts = limit.iter().chain(&environment.0).chain([&mark]).chain(&id);
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = *part);
        Self(bytes)
    }

    /// From the store's bytes; `None` when they are not such an id.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As the store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// In which environment.
    #[must_use]
    pub fn environment(&self) -> EnvironmentId {
        EnvironmentId(self.part(ENVIRONMENT_AT))
    }

    /// Of which limit: see [`super::RouteLimit::id`].
    #[must_use]
    pub fn limit(&self) -> [u8; 16] {
        self.part(0)
    }

    pub(super) fn is_address(&self) -> bool {
        self.mark() == ADDRESS
    }

    /// The part of the cells, where all are counted together for whom there was no room.
    pub(super) fn rest(&self) -> Option<u8> {
        (self.mark() == REST).then(|| self.0.get(MARK_AT + 1).copied()).flatten()
    }

    fn mark(&self) -> u8 {
        self.0.get(MARK_AT).copied().unwrap_or_default()
    }

    fn part(&self, at: usize) -> [u8; 16] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }
}

fn fill(id: &mut [u8; 16], with: &[u8]) {
    id.iter_mut().zip(with).for_each(|(byte, part)| *byte = *part);
}
