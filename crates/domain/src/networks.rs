//! Which addresses may use a key: CIDR networks, allowed and denied.

use crate::invalid::Invalid;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// Most networks in one rule, allowed and denied together.
pub const NETWORKS_MAX: usize = 256;

/// An address in its one form: an IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`, RFC 4291
/// §2.5.5.2) is that IPv4 address. Else a client could choose which of its two spellings is compared.
#[must_use]
pub const fn normalise(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The network that stands for an address where usage is remembered: its /24 of IPv4, its /48 of IPv6.
#[must_use]
pub fn network_of(ip: IpAddr) -> IpNet {
    let ip = normalise(ip);
    let length = if ip.is_ipv4() { 24 } else { 48 };
    IpNet::new(ip, length).map_or_else(|_| IpNet::from(ip), |network| network.trunc())
}

/// Allowed and denied networks, compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkRules {
    allow: Box<[IpNet]>,
    deny: Box<[IpNet]>,
}

impl NetworkRules {
    /// Compiles CIDR networks and bare addresses. IPv4-mapped IPv6 becomes IPv4; other IPv6
    /// networks, `::/0` too, stand for no IPv4 address.
    ///
    /// # Errors
    /// Names the first that is wrong: `/allow/3`.
    pub fn parse(networks: &keystead_api::Networks) -> Result<Self, Invalid> {
        let count = networks.allow.len().saturating_add(networks.deny.len());
        if count > NETWORKS_MAX {
            return Err(Invalid::new(
                "",
                format!("These are {count} networks."),
                format!("Send at most {NETWORKS_MAX}; a shorter prefix stands for many addresses."),
            ));
        }
        Ok(Self { allow: list("/allow", &networks.allow)?, deny: list("/deny", &networks.deny)? })
    }

    /// Whether it says nothing, so that every address is admitted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Reads where the first network stands: see [`crate::entry::Entry::fetch_ahead`].
    #[inline]
    pub(crate) fn fetch_ahead(&self) -> Option<u8> {
        self.allow.first().or(self.deny.first()).map(IpNet::prefix_len)
    }

    /// Whether it allows some networks that are together less than all of IPv4 and less than all of
    /// IPv6. `0.0.0.0/1` with `128.0.0.0/1` is all of IPv4, only longer to write.
    #[must_use]
    pub fn narrows(&self) -> bool {
        let together = IpNet::aggregate(&self.allow.to_vec());
        !together.is_empty() && together.iter().all(|network| network.prefix_len() > 0)
    }

    /// Whether this address may use the key: no denied network has it, and an allowed one does or
    /// none is listed. Allocates nothing.
    #[must_use]
    pub fn admits(&self, ip: IpAddr) -> bool {
        let ip = normalise(ip);
        !self.deny.iter().any(|network| network.contains(&ip))
            && (self.allow.is_empty() || self.allow.iter().any(|network| network.contains(&ip)))
    }
}

fn list(field: &str, texts: &[String]) -> Result<Box<[IpNet]>, Invalid> {
    texts
        .iter()
        .enumerate()
        .map(|(at, text)| network(text).map_err(|error| error.below(&format!("{field}/{at}"))))
        .collect()
}

fn network(text: &str) -> Result<IpNet, Invalid> {
    let malformed = || {
        Invalid::new(
            "",
            "This is not a network.",
            "Send CIDR notation such as `203.0.113.0/24` or `2001:db8::/32`, or one address.",
        )
    };
    if text.contains('%') {
        return Err(Invalid::new(
            "",
            "This address has a zone, which means something on one machine only.",
            "Send it without `%` and what follows it.",
        ));
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let length = match length {
        Some(length) => prefix_length(length).ok_or_else(malformed)?,
        None if address.is_ipv4() => 32,
        None => 128,
    };
    let (address, length) = unmapped(address, length);
    let network = IpNet::new(address, length).map_err(|_| {
        Invalid::new(
            "",
            "This network's prefix is longer than its address.",
            "Send at most /32 for IPv4 and /128 for IPv6.",
        )
    })?;
    if network.trunc() != network {
        return Err(Invalid::new(
            "",
            "This address has bits set beyond its prefix, so it is unclear whether one address or a network is meant.",
            format!("Send `{}` for the network, or `{address}` for the one address.", network.trunc()),
        ));
    }
    Ok(network)
}

/// One to three digits without leading zero; `+8` and `08` are other people's dialects.
fn prefix_length(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn unmapped(address: IpAddr, length: u8) -> (IpAddr, u8) {
    match (address, length.checked_sub(96)) {
        (IpAddr::V6(v6), Some(rest)) => match Ipv6Addr::to_ipv4_mapped(&v6) {
            Some(v4) if rest <= 32 => (IpAddr::V4(v4), rest),
            _ => (address, length),
        },
        _ => (address, length),
    }
}

#[cfg(test)]
mod tests;
