//! What network rules accept, refuse and admit.

use super::*;
use proptest::prelude::*;
use std::net::Ipv4Addr;

fn rules(allow: &[&str], deny: &[&str]) -> Result<NetworkRules, Invalid> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    NetworkRules::parse(&keystead_api::Networks { allow: owned(allow), deny: owned(deny) })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_denied_network_wins_and_an_empty_allow_list_admits_the_others() {
    let both = rules(&["10.0.0.0/8"], &["10.1.0.0/16"]).unwrap();
    assert!(both.admits(ip("10.0.0.1")) && !both.admits(ip("10.1.0.1")) && !both.admits(ip("11.0.0.1")));
    let deny = rules(&[], &["10.1.0.0/16"]).unwrap();
    assert!(deny.admits(ip("11.0.0.1")) && deny.admits(ip("::1")) && !deny.admits(ip("10.1.0.1")));
    assert!(rules(&[], &[]).unwrap().is_empty());
}

#[test]
fn a_mapped_address_is_its_ipv4_address_on_both_sides() {
    for text in ["192.0.2.0/24", "::ffff:192.0.2.0/120", "::ffff:c000:200/120"] {
        let allow = rules(&[text], &[]).unwrap();
        let deny = rules(&[], &[text]).unwrap();
        for address in ["192.0.2.9", "::ffff:192.0.2.9", "::ffff:c000:209"] {
            assert!(allow.admits(ip(address)) && !deny.admits(ip(address)), "{text} {address}");
        }
        for address in ["192.0.3.9", "::192.0.2.9", "64:ff9b::192.0.2.9", "2001:db8::1"] {
            assert!(!allow.admits(ip(address)) && deny.admits(ip(address)), "{text} {address}");
        }
    }
    assert!(rules(&["::ffff:0:0/96"], &[]).unwrap().admits(ip("203.0.113.1")));
    assert!(!rules(&["::/0"], &[]).unwrap().admits(ip("::ffff:203.0.113.1")));
    assert!(rules(&["::/0"], &[]).unwrap().admits(ip("2001:db8::1")));
    assert!(!rules(&["0.0.0.0/0"], &[]).unwrap().admits(ip("2001:db8::1")));
}

#[test]
fn host_bits_are_refused_with_the_network_that_was_meant() {
    let refused = rules(&["192.0.2.1", "10.0.0.1/8"], &[]).unwrap_err();
    assert_eq!(refused.field, "/allow/1");
    assert!(refused.fix.contains("`10.0.0.0/8`") && refused.fix.contains("`10.0.0.1`"), "{refused}");
    assert!(rules(&[], &["2001:db8::1/32"]).unwrap_err().fix.contains("`2001:db8::/32`"));
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        "",
        "/",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.0/-1",
        "10.0/8",
        "010.0.0.0/8",
        "10.0.0.0 ",
        " 10.0.0.0",
        "::1/129",
        "fe80::1%eth0",
        "fe80::%1/64",
        "localhost",
        "10.0.0.0/255.0.0.0",
        "1",
        "0x7f.0.0.1",
        "10.0.0.0-10.0.0.9",
        "*",
        "[::1]",
        "::ffff:10.0.0.0/129",
        "10.0.0.0/256",
        "10.0.0.0/99999999999",
    ] {
        assert!(rules(&[], &[text]).is_err(), "{text}");
    }
    let many = vec!["10.0.0.1"; NETWORKS_MAX];
    assert!(rules(&many, &[]).is_ok());
    assert_eq!(rules(&many, &["10.0.0.1"]).unwrap_err().field, "");
}

#[test]
fn usage_remembers_networks_not_people() {
    assert_eq!(network_of(ip("192.0.2.77")).to_string(), "192.0.2.0/24");
    assert_eq!(network_of(ip("::ffff:192.0.2.77")).to_string(), "192.0.2.0/24");
    assert_eq!(network_of(ip("2001:db8:1:2::3")).to_string(), "2001:db8:1::/48");
}

fn any_ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped())),
    ]
}

/// An address as a family and its bits, aligned to the left: what CIDR compares (RFC 4632 §3.1).
fn bits(ip: IpAddr) -> (bool, u128) {
    match ip {
        IpAddr::V4(v4) => (true, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => match v6.to_bits() {
            mapped if mapped >> 32 == 0xffff => (true, mapped << 96),
            other => (false, other),
        },
    }
}

fn naive(network: IpAddr, length: u8, ip: IpAddr) -> bool {
    let ((family, wanted), (other, got)) = (bits(network), bits(ip));
    family == other
        && (0..u32::from(length)).all(|bit| (wanted >> (127 - bit) & 1) == (got >> (127 - bit) & 1))
}

proptest! {
    #[test]
    fn admitting_is_comparing_bits(address in any_ip(), length in 0_u8..=128, ip in any_ip(), near: u128, same in 0_u32..=128) {
        let address = normalise(address);
        let length = if address.is_ipv4() { length % 33 } else { length };
        let network = IpNet::new(address, length).unwrap().trunc();
        let rules = rules(&[&network.to_string()], &[]).unwrap();
        prop_assert_eq!(rules.admits(ip), naive(address, length, ip));
        // One that shares its first bits: random addresses hardly ever fall into a network.
        let mask = u128::MAX.checked_shl(128 - same).unwrap_or(0);
        let near = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(
                u32::try_from((bits(IpAddr::V4(v4)).1 & mask | near & !mask) >> 96).unwrap(),
            )),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask | near & !mask)),
        };
        prop_assert_eq!(rules.admits(near), naive(address, length, near));
    }

    #[test]
    fn a_wider_allow_list_never_removes_and_a_wider_deny_list_never_adds(
        allow in prop::collection::vec((any_ip(), 0_u8..=128), 1..4),
        extra in (any_ip(), 0_u8..=128),
        ip in any_ip(),
    ) {
        let text = |(address, length): &(IpAddr, u8)| {
            let address = normalise(*address);
            let length = if address.is_ipv4() { length % 33 } else { *length };
            IpNet::new(address, length).unwrap().trunc().to_string()
        };
        let few: Vec<String> = allow.iter().map(text).collect();
        let mut more = few.clone();
        more.push(text(&extra));
        let parse = |allow: &[String], deny: &[String]| {
            NetworkRules::parse(&keystead_api::Networks { allow: allow.to_vec(), deny: deny.to_vec() }).unwrap()
        };
        prop_assert!(!parse(&few, &[]).admits(ip) || parse(&more, &[]).admits(ip));
        prop_assert!(!parse(&[], &more).admits(ip) || parse(&[], &few).admits(ip));
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,40}|[0-9a-f:./%]{0,40}") {
        let _ = rules(&[&text], &[&text]);
    }
}
