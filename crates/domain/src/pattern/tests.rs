//! What permission patterns match and cover.

use super::*;
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

#[test]
fn one_star_is_one_segment_and_two_are_the_rest() {
    for (text, name, expected) in [
        ("routes.read", "routes.read", true),
        ("routes.read", "routes.reader", false),
        ("routes.*", "routes.read", true),
        ("routes.*", "routes", false),
        ("routes.*", "routes.read.all", false),
        ("*.read", "routes.read", true),
        ("*.read", "read", false),
        ("routes.**", "routes", false),
        ("routes.**", "routes.read", true),
        ("routes.**", "routes.read.all", true),
        ("routes.*.**", "routes.read", false),
        ("**", "routes", true),
        ("**", "a.b.c.d.e.f.g.h", true),
        ("*", "routes", true),
        ("*", "routes.read", false),
    ] {
        assert_eq!(pattern(text).matches(name), expected, "{text} {name}");
    }
}

#[test]
fn what_is_no_name_is_never_matched() {
    for name in ["", ".", "a.", ".a", "a..b", "A", "a b", "a.*", "**", "a.b.c.d.e.f.g.h.i", &"a".repeat(129)]
    {
        for text in ["**", "*", "a.**", "a.*", "*.*", "a"] {
            assert!(!pattern(text).matches(name), "{text} {name}");
        }
    }
}

#[test]
fn malformed_patterns_are_refused() {
    for text in [
        "",
        ".",
        "a.",
        "a..*",
        "a*",
        "*a",
        "a.b*",
        "**.a",
        "a.**.b",
        "***",
        "a.***",
        "A.*",
        "a.* ",
        "*.*.*.*.*.*.*.*.*",
        &format!("{}.**", "a".repeat(126)),
    ] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
    let texts = ["a".to_owned(), "b.*".to_owned(), "c*".to_owned()];
    assert_eq!(PermissionSet::parse(&texts).unwrap_err().field, "/2");
    let many = vec!["a".to_owned(); PATTERNS_MAX + 1];
    assert!(PermissionSet::parse(&many).is_err());
}

#[test]
fn covering_is_exact() {
    for (wide, narrow, expected) in [
        ("**", "**", true),
        ("**", "a.*", true),
        ("*", "**", false),
        ("a.**", "a.*.**", true),
        ("a.*.**", "a.**", false),
        ("a.*", "a.b", true),
        ("a.*", "a.**", false),
        ("a.b", "a.*", false),
        ("*.b", "a.*", false),
        ("*.*", "a.*", true),
        // A name has at most eight segments and 128 bytes, so the last `**` here is one segment.
        ("*.*.*.*.*.*.*.*", "a.b.c.d.e.f.g.**", true),
        ("*.*.*.*.*.*.*", "a.b.c.d.e.f.**", false),
    ] {
        assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} {narrow}");
    }
    let (one, two) = ("a".repeat(125) + ".**", "a".repeat(124) + ".**");
    assert!(pattern("*.*").covers(&pattern(&one)));
    assert!(!pattern("*.*").covers(&pattern(&two)));
}

#[test]
fn a_set_allows_what_one_pattern_allows() {
    let set = PermissionSet::parse(&["routes.read".into(), "zones.*".into()]).unwrap();
    assert!(set.allows("zones.write") && set.allows("routes.read") && !set.allows("routes.write"));
    assert!(set.covers(&pattern("zones.read")) && !set.covers(&pattern("zones.**")));
    assert!(!PermissionSet::default().allows("routes.read"));
    assert_eq!(set.iter().map(ToString::to_string).collect::<Vec<_>>(), ["routes.read", "zones.*"]);
}

fn any_name() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab]", 1..=8).prop_map(|segments| segments.join("."))
}

fn any_pattern() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab*]", 0..=7), any::<bool>()).prop_map(|(mut segments, rest)| {
        if rest || segments.is_empty() {
            segments.push("**".to_owned());
        }
        segments.join(".")
    })
}

/// Every name of up to eight segments over two letters: enough to find a counter-example to a cover.
fn names_over_two_letters() -> impl Iterator<Item = String> {
    (1..=8_u32).flat_map(|length| {
        (0..2_u32.pow(length)).map(move |bits| {
            (0..length).map(|at| if bits >> at & 1 == 0 { "a" } else { "z" }).collect::<Vec<_>>().join(".")
        })
    })
}

proptest! {
    #[test]
    fn adding_a_pattern_never_removes_a_match(
        patterns in prop::collection::vec(any_pattern(), 0..6),
        extra in any_pattern(),
        name in any_name(),
    ) {
        let mut wider = patterns.clone();
        wider.push(extra);
        let (set, wider) = (PermissionSet::parse(&patterns).unwrap(), PermissionSet::parse(&wider).unwrap());
        prop_assert!(!set.allows(&name) || wider.allows(&name));
    }

    #[test]
    fn a_cover_matches_all_that_it_covers(wide in any_pattern(), narrow in any_pattern(), name in any_name()) {
        let (wide, narrow) = (pattern(&wide), pattern(&narrow));
        prop_assert!(!(wide.covers(&narrow) && narrow.matches(&name)) || wide.matches(&name));
        prop_assert!(wide.covers(&wide));
    }

    #[test]
    fn what_is_no_cover_misses_a_name(wide in any_pattern(), narrow in any_pattern()) {
        // `b` never occurs as a wildcard's only value: `z` stands for "another segment".
        let (wide, narrow) = (pattern(&wide.replace('b', "a")), pattern(&narrow.replace('b', "a")));
        let contained = names_over_two_letters().all(|name| !narrow.matches(&name) || wide.matches(&name));
        prop_assert_eq!(wide.covers(&narrow), contained);
    }

    #[test]
    fn patterns_overlap_where_a_name_is_both(one in any_pattern(), other in any_pattern()) {
        let (one, other) = (pattern(&one.replace('b', "a")), pattern(&other.replace('b', "a")));
        let shared = names_over_two_letters().any(|name| one.matches(&name) && other.matches(&name));
        prop_assert_eq!(one.overlaps(&other), shared);
        prop_assert_eq!(other.overlaps(&one), shared);
    }

    #[test]
    fn an_exact_pattern_matches_itself_only(name in any_name(), other in any_name()) {
        let exact = pattern(&name);
        prop_assert!(exact.is_exact() && exact.matches(&name));
        prop_assert_eq!(exact.matches(&other), name == other);
    }

    #[test]
    fn parsing_and_matching_any_text_never_panics(text in "\\PC{0,40}|[a.*]{0,20}", name in "\\PC{0,40}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            let _ = pattern.matches(&name);
            prop_assert_eq!(pattern.to_string(), text);
        }
    }
}
