//! What resource patterns match and cover.

use super::*;
use proptest::prelude::*;

fn pattern(text: &str) -> ResourcePattern {
    ResourcePattern::parse(text).unwrap()
}

#[test]
fn one_star_is_one_segment_and_two_are_the_rest_or_none() {
    for (text, resource, expected) in [
        ("networks/NET-7", "networks/NET-7", true),
        ("networks/NET-7", "networks/net-7", false),
        ("networks/NET-7", "networks/NET-77", false),
        ("networks/*", "networks/NET-7", true),
        ("networks/*", "networks", false),
        ("networks/*", "networks/NET-7/hosts", false),
        ("zones/**", "zones", true),
        ("zones/**", "zones/example.com/records", true),
        ("zones/**", "zonesx", false),
        ("zones/*/**", "zones", false),
        ("*/records", "zones/records", true),
        ("**", "zones", true),
    ] {
        assert_eq!(pattern(text).matches(resource), expected, "{text} {resource}");
    }
}

/// LESSONS 25 (GHSA-59w7): `*`, `/` and `+` in metadata widened templated policies.
#[test]
fn lesson_25_signs_in_a_concrete_resource_never_widen() {
    for resource in [
        "networks/*",
        "*",
        "**",
        "networks/**",
        "networks/NET-7/..",
        "networks/../zones",
        "networks/./NET-7",
        "networks//NET-7",
        "/networks/NET-7",
        "networks/NET-7/",
        "networks%2fNET-7",
        "networks\\NET-7",
        "",
        "networks/NET-7?",
        "networks/NET-7#",
        "networks/NET 7",
        "networks/NET\u{a0}7",
        "networks/NÉT",
        "networks/a\0",
        "networks/a*",
    ] {
        assert!(check(resource).is_err(), "{resource}");
        for text in ["**", "*", "networks/*", "networks/**", "*/*", "networks/NET-7"] {
            assert!(!pattern(text).matches(resource), "{text} {resource}");
        }
    }
    // `+` stands for itself only, on both sides.
    assert!(check("networks/+").is_ok());
    assert!(pattern("networks/+").matches("networks/+"));
    assert!(!pattern("networks/+").matches("networks/NET-7"));
    assert!(!pattern("networks/NET-7").matches("networks/+"));
}

#[test]
fn malformed_patterns_are_refused() {
    for text in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "a*",
        "a/b*",
        "**/a",
        "a/**/b",
        "***",
        ".",
        "..",
        "a/..",
        "a b",
        "a%2fb",
        &vec!["a"; 17].join("/"),
        &"a".repeat(257),
    ] {
        assert!(ResourcePattern::parse(text).is_err(), "{text}");
    }
    assert!(ResourcePattern::parse(&vec!["a"; 16].join("/")).is_ok());
    assert!(check(&"a".repeat(256)).is_ok());
}

#[test]
fn covering_is_exact() {
    for (wide, narrow, expected) in [
        ("**", "**", true),
        ("**", "zones", true),
        ("*/**", "**", true),
        ("zones/**", "zones", true),
        ("zones/**", "zones/*", true),
        ("zones/*/**", "zones/**", false),
        ("zones/*", "zones/**", false),
        ("zones", "zones/**", false),
        ("*", "zones", true),
        ("zones", "*", false),
        ("*/*", "zones/a", true),
    ] {
        assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} {narrow}");
    }
}

fn any_pattern() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab*]", 0..=4), any::<bool>()).prop_map(|(mut segments, rest)| {
        if rest || segments.is_empty() {
            segments.push("**".to_owned());
        }
        segments.join("/")
    })
}

fn concrete() -> impl Strategy<Value = String> {
    // No `.` and no `..`: those have no letter.
    let segment = "[!-~&&[^*?#%/\\\\]]{0,6}[a-z][!-~&&[^*?#%/\\\\]]{0,6}";
    prop::collection::vec(segment, 1..=4).prop_map(|segments| segments.join("/"))
}

/// Every resource of up to six segments over two names, one of which no pattern has.
fn resources() -> impl Iterator<Item = String> {
    (1..=6_u32).flat_map(|length| {
        (0..2_u32.pow(length)).map(move |bits| {
            (0..length).map(|at| if bits >> at & 1 == 0 { "a" } else { "z" }).collect::<Vec<_>>().join("/")
        })
    })
}

proptest! {
    #[test]
    fn a_cover_is_containment(wide in any_pattern(), narrow in any_pattern()) {
        let (wide, narrow) = (pattern(&wide.replace('b', "a")), pattern(&narrow.replace('b', "a")));
        let contained = resources().all(|resource| !narrow.matches(&resource) || wide.matches(&resource));
        prop_assert_eq!(wide.covers(&narrow), contained);
    }

    #[test]
    fn covering_passes_on(a in any_pattern(), b in any_pattern(), c in any_pattern()) {
        let (a, b, c) = (pattern(&a), pattern(&b), pattern(&c));
        prop_assert!(a.covers(&a));
        prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
    }

    #[test]
    fn a_concrete_resource_is_a_pattern_of_itself_only(text in concrete(), other in "[a-c]{1,2}(/[a-c]){0,3}") {
        prop_assert!(check(&text).is_ok());
        let exact = pattern(&text);
        prop_assert!(exact.matches(&text));
        prop_assert_eq!(exact.matches(&other), text == other);
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,40}|[a/*.]{0,20}", resource in "\\PC{0,40}|[a/*.]{0,20}") {
        if let Ok(pattern) = ResourcePattern::parse(&text) {
            prop_assert!(!pattern.matches(&resource) || check(&resource).is_ok());
        }
    }
}
