//! What origin rules accept, refuse and admit.

use super::*;
use proptest::prelude::*;

fn rules(origins: &[&str]) -> Result<OriginRules, Invalid> {
    OriginRules::parse(&origins.iter().map(|&origin| origin.to_owned()).collect::<Vec<_>>())
}

fn admits(rule: &str, origin: &str) -> bool {
    rules(&[rule]).unwrap().admits(origin)
}

#[test]
fn scheme_host_and_port_must_be_the_same() {
    for (rule, origin, expected) in [
        ("https://app.example.com", "https://app.example.com", true),
        ("https://app.example.com", "HTTPS://App.Example.COM", true),
        ("https://app.example.com", "https://app.example.com:443", true),
        ("https://app.example.com:443", "https://app.example.com", true),
        ("http://app.example.com:80", "http://app.example.com", true),
        ("https://app.example.com", "http://app.example.com", false),
        ("https://app.example.com", "http://app.example.com:443", false),
        ("https://app.example.com", "https://app.example.com:8443", false),
        ("https://app.example.com:8443", "https://app.example.com:8443", true),
        ("https://app.example.com", "https://sub.app.example.com", false),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000", true),
        ("http://[::1]:3000", "http://[0:0:0:0:0:0:0:1]:3000", true),
        ("http://localhost:3000", "http://localhost:3000", true),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop", true),
        ("chrome-extension://abcdefghijklmnop", "https://abcdefghijklmnop", false),
    ] {
        assert_eq!(admits(rule, origin), expected, "{rule} {origin}");
    }
}

#[test]
fn a_wildcard_is_one_or_more_labels() {
    let rule = "https://*.example.com:8443";
    for origin in ["https://a.example.com:8443", "https://a.b.example.com:8443", "https://A.EXAMPLE.com:8443"]
    {
        assert!(admits(rule, origin), "{origin}");
    }
    for origin in [
        "https://example.com:8443",
        "https://.example.com:8443",
        "https://aexample.com:8443",
        "https://evilexample.com:8443",
        "https://a.example.com",
        "https://a..example.com:8443",
        "https://a.example.com.evil.com:8443",
        "https://*.example.com:8443",
        "https://a.example.org:8443",
    ] {
        assert!(!admits(rule, origin), "{origin}");
    }
}

#[test]
fn what_only_looks_alike_is_denied() {
    let all = rules(&["https://a.com", "https://*.a.com", "http://10.0.0.1"]).unwrap();
    for origin in [
        "null",
        "",
        "*",
        "https://",
        "https://a.com.evil.com",
        "https://evil.com/a.com",
        "https://a.com/",
        "https://a.com.",
        "https://x.a.com.",
        "https://a.com?",
        "https://a.com#",
        "https://a.com@evil.com",
        "https://evil.com@a.com",
        "https://x@x.a.com",
        "https://a.com:",
        "https://a.com:0443",
        "https://a.com:+443",
        "https://a.com:443:443",
        "https://a.com:99999",
        "https://a.com:0",
        " https://a.com",
        "https://a.com ",
        "https://a.com\\",
        "https://evil.com\\x.a.com",
        "https://evil.com/x.a.com",
        "https://evil.com?x.a.com",
        "https://evil.com#x.a.com",
        "https://a.com\0",
        "https://a.com\n",
        "https:/a.com",
        "https:a.com",
        "//a.com",
        "a.com",
        "https://a.com https://a.com",
        "https://x,y.a.com",
        "https://%61.com",
        "https://x%2ea.com",
        "https://á.a.com",
        "https://-.a.com",
        "https://x-.a.com",
        "http://10.1",
        "http://010.0.0.1",
        "http://0x0a.0.0.1",
        "http://167772161",
        "http://10.0.0.0x1",
        "http://[::ffff:10.0.0.1]",
        "http://[10.0.0.1]",
        "http://[::1",
        "http://[::1]x",
        "https://javascript://a.com",
    ] {
        assert!(!all.admits(origin), "{origin:?}");
    }
    assert!(!all.admits(&format!("https://{}a.com", "a.".repeat(200))));
}

/// LESSONS 23: names in another spelling are refused with the fix, never turned in silence.
#[test]
fn lesson_23_refusals_say_what_to_write() {
    for (origin, fix) in [
        ("https://App.example.com", "`https://app.example.com`"),
        ("https://bücher.example", "punycode"),
        ("null", "Name the origins"),
        ("*", "Name the origins"),
        ("https://a.com/", "no slash"),
    ] {
        let refused = rules(&["https://a.com", origin]).unwrap_err();
        assert_eq!(refused.field, "/1");
        assert!(refused.fix.contains(fix), "{refused}");
    }
}

#[test]
fn malformed_rules_are_refused() {
    for origin in [
        "",
        "https://",
        "https://*",
        "https://*.",
        "*://a.com",
        "https://a.*.com",
        "https://a*.com",
        "https://*a.com",
        "https://**.a.com",
        "https://*.*.a.com",
        "https://*.10.0.0.1",
        "https://*.[::1]",
        "https://a.com/path",
        "https://u@a.com",
        "https://a.com?q",
        "https://a.com:*",
        "https://a.com.",
        "file://",
        "data:text",
        "a.com",
        "https://a.com:70000",
        "http://10.0.0.0x1",
        "http://0x7f",
        "https://a b.com",
    ] {
        assert!(rules(&[origin]).is_err(), "{origin}");
    }
    assert!(rules(&["https://a.com"; ORIGINS_MAX + 1]).is_err());
}

proptest! {
    #[test]
    fn adding_an_origin_never_removes_one(
        few in prop::collection::vec("https?://(\\*\\.)?[ab]{1,2}\\.(a|b)(:80|:81)?", 0..4),
        extra in "https?://(\\*\\.)?[ab]{1,2}\\.(a|b)(:80|:81)?",
        origin in "https?://([ab]\\.){0,2}[ab]{1,2}\\.(a|b)(:80|:81)?",
    ) {
        let mut more = few.clone();
        more.push(extra);
        prop_assert!(!OriginRules::parse(&few).unwrap().admits(&origin) || OriginRules::parse(&more).unwrap().admits(&origin));
    }

    #[test]
    fn an_exact_rule_admits_itself_in_any_case(rule in "(https?|app)://([a-z0-9-]{1,8}\\.){0,3}[a-z]{1,8}(:[1-9][0-9]{0,3})?") {
        if let Ok(rules) = rules(&[&rule]) {
            prop_assert!(rules.admits(&rule) && rules.admits(&rule.to_ascii_uppercase()));
            let longer = format!("{rule}x");
            prop_assert!(!rules.admits(&longer));
        }
    }

    #[test]
    fn a_wildcard_admits_only_what_ends_below_its_domain(origin in "https://\\PC{0,20}a\\.com|https://[a.:/@]{0,12}\\.a\\.com") {
        let rules = rules(&["https://*.a.com"]).unwrap();
        if rules.admits(&origin) {
            let host = origin.trim_start_matches("https://");
            prop_assert!(host.ends_with(".a.com") && !host.contains(['/', '@', ':', '\\', '%', '?', '#']));
        }
    }

    #[test]
    fn any_text_never_panics(rule in "\\PC{0,40}|[a-z:/\\[\\].*]{0,30}", origin in "\\PC{0,40}|[a-z:/\\[\\].*]{0,30}") {
        if let Ok(rules) = rules(&[&rule]) {
            let _ = rules.admits(&origin);
        }
    }
}
