//! Endpoint patterns against paths.

use crate::mutation::{Mutation, config, mutated};
use keystead_api::Endpoint;
use keystead_domain::endpoints::{EndpointRules, is_ambiguous};
use proptest::prelude::*;

const PATTERNS: [&str; 6] = ["/", "/v1/zones/*", "/v1/**", "/**", "/v1/*/records/", "/v1/caf%C3%A9"];
const PATHS: [&str; 6] =
    ["/", "/v1/zones/example.com", "/v1/%61dmin", "/v1/a/records/", "/v1/caf%c3%a9/x", "/public/../admin"];
const PIECES: [&str; 28] = [
    "/",
    "//",
    ".",
    "..",
    "/../",
    "%2f",
    "%2F",
    "%2e",
    "%2E",
    "%5c",
    "%5C",
    "%00",
    "%25",
    "%252e",
    "2F",
    "%61",
    "%C3%A9",
    "%c0%af",
    "%e0%80%af",
    "%",
    "%4",
    "\\",
    ";",
    "?",
    "#",
    "*",
    "**",
    "é",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_path_that_could_be_read_in_two_ways_matches_nothing(pattern: Mutation, path: Mutation) {
        let pattern = String::from_utf8_lossy(&mutated(&PATTERNS, &PIECES, &pattern)).into_owned();
        let path = String::from_utf8_lossy(&mutated(&PATHS, &PIECES, &path)).into_owned();
        let everything = rules("/**").expect("a pattern");
        prop_assert_eq!(everything.admits("GET", &path), !is_ambiguous(&path));
        if !is_ambiguous(&path) {
            assert_reads_alike(&path);
        }
        if let Some(rules) = rules(&pattern) {
            prop_assert!(!rules.admits("GET", &path) || !is_ambiguous(&path));
            prop_assert!(!is_ambiguous(&pattern));
        }
    }
}

fn rules(path: &str) -> Option<EndpointRules> {
    EndpointRules::parse(&[Endpoint { methods: Vec::new(), path: path.to_owned() }]).ok()
}

/// A reader that unescapes once, twice or not at all finds the same segments.
fn assert_reads_alike(path: &str) {
    let segments = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
    let mut read = path.as_bytes().to_vec();
    for _ in 0..3 {
        assert_eq!(segments(&read), segments(path.as_bytes()), "{path}");
        for segment in read.split(|byte| *byte == b'/') {
            assert!(segment != b"." && segment != b"..", "{path}");
            assert!(
                !segment.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b'\\' | b';')),
                "{path}"
            );
        }
        read = unescaped(&read);
    }
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let byte = (*first == b'%')
            .then(|| after.get(..2).and_then(|digits| str::from_utf8(digits).ok()))
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}
