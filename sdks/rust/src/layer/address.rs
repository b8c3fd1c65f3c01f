//! Whose address a request has. What headers say of it counts only as far as proxies are trusted.

use crate::Error;
use http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOPS_MAX: usize = 64;

/// Reads addresses and networks.
pub(super) fn networks(texts: &[String]) -> Result<Vec<IpNet>, Error> {
    let wrong = || {
        Error::invalid("A trusted proxy is no address or network.", "Write 10.0.0.7, 10.0.0.0/8 or fd00::/8.")
    };
    texts.iter().map(|text| network(text).ok_or_else(wrong)).collect()
}

fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    let network = text.parse::<IpNet>().ok()?;
    // The IPv6 form of an IPv4 network, as addresses may come in either.
    if let IpNet::V6(mapped) = network
        && let Some(address) = mapped.addr().to_ipv4_mapped()
        && let Some(length) = mapped.prefix_len().checked_sub(96)
    {
        return Ipv4Net::new(address, length).ok().map(|network| network.trunc().into());
    }
    Some(network.trunc())
}

/// The peer's, or the first from the right of `X-Forwarded-For` that is no trusted proxy's. The leftmost is whatever
/// the client wrote. Where a trusted proxy names what is no address, there is none: a restriction to networks then
/// denies.
pub(super) fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut address = peer?.to_canonical();
    for _ in 0..HOPS_MAX {
        if !trusted.iter().any(|network| network.contains(&address)) {
            return Some(address);
        }
        let Some(hop) = hops.next() else { return Some(address) };
        address = hop_address(hop)?;
    }
    None
}

/// Also reads an address with a port.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim_matches([' ', '\t']);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    // A zone makes it an address of somebody's own link.
    if !text.contains('%')
        && let Ok(pair) = text.parse::<SocketAddr>()
    {
        return Some(pair.ip().to_canonical());
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn an_endless_chain_of_proxies_names_nobody() {
        let trusted = networks(&["10.0.0.0/8".to_owned()]).unwrap();
        let mut headers = HeaderMap::new();
        let chain = format!("{}10.0.0.2", "10.0.0.2, ".repeat(100_000));
        headers.insert(FORWARDED_FOR, HeaderValue::from_str(&chain).unwrap());
        assert_eq!(client("10.0.0.1".parse().ok(), &headers, &trusted), None);
    }
}
