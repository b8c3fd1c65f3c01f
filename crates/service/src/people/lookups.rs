//! How often anybody may look contacts up, within a minute: what is open to everybody is bounded, for each network and
//! altogether, and so is what counts it.

use crate::refused::Refused;
use keystead_domain::sign_in::backoff::network_of;
use keystead_domain::time::{Micros, SECOND};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;

/// From one network.
const NETWORK_MAX: u32 = 30;
/// From all of them.
const ALL_MAX: u32 = 1_200;
const MINUTE: i64 = 60 * SECOND;

/// Look-ups within the minute that goes on.
#[derive(Debug, Default)]
pub(crate) struct Lookups(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    begun: Micros,
    all: u32,
    /// Without a network: those that came over a socket of this machine. At most as many as there were look-ups.
    by_network: HashMap<Option<IpAddr>, u32>,
}

impl Lookups {
    /// Counts one.
    ///
    /// # Errors
    /// [`Refused::TooOften`] when there were too many within the minute.
    pub(super) fn take(&self, ip: Option<IpAddr>, now: Micros) -> Result<(), Refused> {
        let mut minute = self.0.lock();
        // A clock that stepped back begins one as well.
        if !(0..MINUTE).contains(&now.since(minute.begun)) {
            *minute = Minute { begun: now, ..Minute::default() };
        }
        let network = ip.map(|ip| network_of(ip).addr());
        let of_network = minute.by_network.get(&network).copied().unwrap_or(0);
        if of_network >= NETWORK_MAX || minute.all >= ALL_MAX {
            let left = MINUTE - now.since(minute.begun);
            return Err(Refused::TooOften {
                detail: "Contacts were looked up too often from this network, or altogether.".into(),
                retry_after_seconds: u64::try_from(left.div_euclid(SECOND)).unwrap_or(0).max(1),
            });
        }
        minute.all += 1;
        minute.by_network.insert(network, of_network + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_800_000_000 * SECOND);

    fn ip(n: u32) -> Option<IpAddr> {
        Some(IpAddr::from((n << 8).to_be_bytes()))
    }

    #[test]
    fn a_network_has_its_own_and_all_have_theirs() {
        let lookups = Lookups::default();
        for _ in 0..NETWORK_MAX {
            lookups.take(ip(1), NOW).unwrap();
        }
        let last = NOW.plus(MINUTE - 1);
        assert!(matches!(lookups.take(ip(1), last), Err(Refused::TooOften { retry_after_seconds: 1, .. })));
        lookups.take(None, last).unwrap();
        for n in 2.. {
            if lookups.take(ip(n), last).is_err() {
                break;
            }
        }
        let minute = lookups.0.lock();
        assert_eq!(minute.all, ALL_MAX);
        assert!(minute.by_network.len() <= ALL_MAX as usize);
        drop(minute);
        lookups.take(ip(1), NOW.plus(MINUTE)).unwrap();
        lookups.take(ip(1), NOW.plus(-1)).unwrap();
    }
}
