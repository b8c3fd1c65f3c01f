//! How long somebody who was wrong must wait. Counted for an address from one network, for the network and for
//! the address: so whoever guesses slows themselves down, and nobody else is locked out.

use crate::networks::normalise;
use crate::time::{Micros, SECOND};
use ipnet::IpNet;
use std::net::IpAddr;

/// Wrong tries of one address from one network that cost nothing.
const FREE: i64 = 5;
/// The same, while the address or the network is under attack: the first try from anywhere always passes.
const FREE_UNDER_ATTACK: i64 = 1;
/// Wrong tries of one address from everywhere that are an attack on it.
const ATTACK_ON_ADDRESS: i64 = 100;
/// Wrong tries of all addresses from one network that are an attack by it.
const ATTACK_BY_NETWORK: i64 = 50;
/// The longest wait.
const WAIT_SECONDS_MAX: i64 = 900;
/// The longest wait in a network from which the person signed in before.
const KNOWN_WAIT_SECONDS_MAX: i64 = 30;
/// Without a further wrong try they are forgotten.
pub const FORGOTTEN_MICROS: i64 = 3_600 * SECOND;

/// Wrong tries of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many there were.
    pub count: i64,
    /// When the last one was.
    pub last_at: Micros,
}

impl Tries {
    /// How many of them count now.
    #[must_use]
    pub const fn now(&self, now: Micros) -> i64 {
        let ago = now.since(self.last_at);
        // One that was tried in the future was written by a clock that has since stepped back.
        if ago > FORGOTTEN_MICROS || ago < -FORGOTTEN_MICROS { 0 } else { self.count }
    }

    /// With one more.
    #[must_use]
    pub const fn and_one(&self, now: Micros) -> Self {
        Self { count: self.now(now).saturating_add(1), last_at: now }
    }

    /// Seconds to wait for each try beyond `free`: 1, 2, 4, … to `max`; from now.
    fn wait(&self, free: i64, max: i64, now: Micros) -> i64 {
        let beyond = self.now(now).saturating_sub(free);
        if beyond < 0 {
            return 0;
        }
        let wait = 1_i64.checked_shl(u32::try_from(beyond).unwrap_or(63)).filter(|wait| *wait > 0);
        let wait = wait.unwrap_or(max).min(max);
        let over = now.since(self.last_at) / SECOND;
        (wait - over).clamp(0, wait)
    }
}

/// What is known of who tries to sign in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tried {
    /// With this address from this network.
    pub pair: Tries,
    /// With any address from this network.
    pub network: Tries,
    /// With this address from everywhere.
    pub address: Tries,
    /// Whether the person signed in from this network before.
    pub known: bool,
}

impl Tried {
    /// Seconds to wait before the next try is looked at; none when it is at once.
    #[must_use]
    pub fn wait_seconds(&self, now: Micros) -> Option<u64> {
        let of_pair = if self.known {
            self.pair.wait(FREE, KNOWN_WAIT_SECONDS_MAX, now)
        } else {
            let attacked =
                self.address.now(now) >= ATTACK_ON_ADDRESS || self.network.now(now) >= ATTACK_BY_NETWORK;
            let free = if attacked { FREE_UNDER_ATTACK } else { FREE };
            let of_network = self.network.wait(ATTACK_BY_NETWORK, WAIT_SECONDS_MAX, now);
            self.pair.wait(free, WAIT_SECONDS_MAX, now).max(of_network)
        };
        u64::try_from(of_pair).ok().filter(|seconds| *seconds > 0)
    }
}

/// The network that is counted for an address: its /24 of IPv4, its /56 of IPv6, which one household has.
#[must_use]
pub fn network_of(ip: IpAddr) -> IpNet {
    let ip = normalise(ip);
    let length = if ip.is_ipv4() { 24 } else { 56 };
    IpNet::new(ip, length).map_or_else(|_| IpNet::from(ip), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Micros = Micros(1_800_000_000 * SECOND);

    fn tries(count: i64) -> Tries {
        Tries { count, last_at: NOW }
    }

    #[test]
    fn waits_double_to_a_bound_and_are_over_in_time() {
        let wait = |count| Tried { pair: tries(count), ..Tried::default() }.wait_seconds(NOW);
        assert_eq!(
            [4, 5, 6, 7, 20, i64::MAX].map(wait),
            [None, Some(1), Some(2), Some(4), Some(900), Some(900)]
        );
        let seven = Tried { pair: tries(7), ..Tried::default() };
        assert_eq!(seven.wait_seconds(NOW.plus(3 * SECOND)), Some(1));
        assert_eq!(seven.wait_seconds(NOW.plus(4 * SECOND)), None);
        assert_eq!(
            seven.wait_seconds(NOW.plus(-60 * SECOND)),
            Some(4),
            "a clock that steps back adds nothing"
        );
        assert_eq!(tries(99).and_one(NOW.plus(FORGOTTEN_MICROS + 1)).count, 1);
    }

    /// An attacker elsewhere, however many machines there are, locks nobody out.
    #[test]
    fn the_first_try_from_another_network_always_passes() {
        let attacked = Tried { address: tries(1_000_000), ..Tried::default() };
        assert_eq!(attacked.wait_seconds(NOW), None);
        let second = Tried { pair: tries(1), ..attacked };
        assert_eq!(second.wait_seconds(NOW), Some(1), "and then they slow down at once");
    }

    #[test]
    fn a_network_that_attacks_waits_and_who_signed_in_there_before_does_not() {
        let attacking = Tried { network: tries(60), ..Tried::default() };
        assert_eq!(attacking.wait_seconds(NOW), Some(900));
        assert_eq!(Tried { known: true, ..attacking }.wait_seconds(NOW), None);
        let known = Tried { known: true, pair: tries(50), address: tries(500), network: tries(500) };
        assert_eq!(known.wait_seconds(NOW), Some(30));
    }

    #[test]
    fn neighbours_share_a_network() {
        let network = |ip: &str| network_of(ip.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2ff::1"), "2001:db8:1:200::/56");
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_bound(a: i64, b: i64, c: i64, at: i64, now: i64, known: bool) {
            let of = |count| Tries { count, last_at: Micros(at) };
            let tried = Tried { pair: of(a), network: of(b), address: of(c), known };
            prop_assert!(tried.wait_seconds(Micros(now)).is_none_or(|seconds| seconds <= 900));
        }
    }
}
