//! The JSON of restrictions.

use crate::mutation::{Mutation, config, mutated};
use keystead_domain::restrictions::Restrictions;
use keystead_domain::time::Micros;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SEEDS: [&str; 5] = [
    r#"{"networks":{"allow":["10.0.0.0/8","2001:db8::/32"],"deny":["10.1.0.0/16","::ffff:192.0.2.0/120"]}}"#,
    r#"{"origins":["https://app.example.com","https://*.example.com:8443","http://[::1]:3000"]}"#,
    r#"{"endpoints":[{"methods":["GET","POST"],"path":"/v1/zones/*"},{"path":"/v1/**"}]}"#,
    r#"{"hours":{"time_zone":"Europe/Berlin","weekly":[{"days":["mon","sun"],"from":"22:00","to":"06:00"}]}}"#,
    r#"{"networks":{},"origins":[],"endpoints":[{"methods":["*"],"path":"/"}]}"#,
];
const PIECES: [&str; 32] = [
    "\"",
    ",",
    "[",
    "]",
    "{",
    "}",
    ":",
    "/",
    "*",
    ".",
    "%",
    "@",
    "0",
    "1",
    "9",
    "99999999999",
    "::",
    "::ffff:",
    "/0",
    "/128",
    "24:00",
    "00:00",
    "UTC",
    "null",
    "http://",
    "https://",
    "%2f",
    "//",
    "**",
    "é",
    "\\u0000",
    "[[[[[[[[[[[[[[[[[[[[",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn restrictions_compile_or_say_where_they_are_wrong(mutation: Mutation, now: i64, bits: u128) {
        let body = mutated(&SEEDS, &PIECES, &mutation);
        if let Ok(written) = serde_json::from_slice(&body) {
            match Restrictions::compile(&written) {
                Ok(rules) => ask(&rules, &body, Micros(now), bits),
                Err(error) => {
                    let sent: serde_json::Value = serde_json::from_slice(&body).expect("read before");
                    prop_assert!(sent.pointer(&error.field).is_some(), "{}", error);
                    prop_assert!(!error.detail.is_empty() && !error.fix.is_empty(), "{}", error);
                }
            }
        }
    }
}

/// No answer panics, and an IPv4 address has one answer in both of its spellings.
fn ask(rules: &Restrictions, body: &[u8], now: Micros, bits: u128) {
    let v4 = Ipv4Addr::from_bits(u32::try_from(bits >> 96).expect("32 bits"));
    let text = String::from_utf8_lossy(body);
    if let Some(networks) = &rules.networks {
        assert_eq!(networks.admits(IpAddr::V4(v4)), networks.admits(IpAddr::V6(v4.to_ipv6_mapped())));
        let _ = networks.admits(IpAddr::V6(Ipv6Addr::from_bits(bits)));
    }
    if let Some(origins) = &rules.origins {
        for text in text.split('"') {
            let _ = origins.admits(text);
        }
        assert!(!origins.admits("null") && !origins.admits(""));
    }
    if let Some(endpoints) = &rules.endpoints {
        for text in text.split('"') {
            let _ = endpoints.admits("GET", text);
        }
        assert!(!endpoints.admits("", "/") && !endpoints.admits("GET", "/a/../b"));
    }
    if let Some(hours) = &rules.hours {
        let _ = hours.admits(now);
    }
}
