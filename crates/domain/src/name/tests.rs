//! What the rules for names accept and refuse.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// LESSONS 23 (CVE-2025-5999, CVE-2025-6004): case and spaces made two names of one.
#[test]
fn lesson_23_capitals_and_spaces_are_refused_with_the_fix() {
    let refused = slug("/slug", "Acme").unwrap_err();
    assert_eq!(refused.field, "/slug");
    assert_eq!(refused.fix, "Write it in small letters: `acme`.");
    for check in [slug, handle, key_prefix, environment_tag, permission_name] {
        assert!(check("", "ACME").unwrap_err().fix.contains("`acme`"));
        for text in ["acme ", " acme", "ac me", "acme\u{a0}", "acme\0", "аcme", "", "ﬁ"] {
            assert!(check("", text).is_err(), "{text:?}");
        }
        assert!(check("", "acme").is_ok());
    }
    for check in [display_name, external_id, reason] {
        for text in ["acme ", " acme", "\u{a0}acme", "", " ", "a\nb", "a\0", "a\u{202e}b"] {
            assert!(check("", text).is_err(), "{text:?}");
        }
        assert!(check("", "Acme Ünlimited ©").is_ok());
    }
}

#[test]
fn a_slug_has_letters_or_digits_at_its_edges() {
    for text in ["a", "0", "acme-2", "a--b", &"a".repeat(64)] {
        assert!(slug("", text).is_ok(), "{text}");
    }
    for text in ["-", "-a", "a-", "a_b", "a.b", "ä", &"a".repeat(65)] {
        assert!(slug("", text).is_err(), "{text}");
    }
}

#[test]
fn a_key_prefix_begins_with_a_letter_and_may_have_underscores() {
    for text in ["a", "acme", "my_company", "a1", "a__b", &"a".repeat(32)] {
        assert!(key_prefix("", text).is_ok(), "{text}");
    }
    for text in ["1a", "_a", "a_", "a-b", &"a".repeat(33)] {
        assert!(key_prefix("", text).is_err(), "{text}");
    }
}

#[test]
fn lengths_are_counted_in_characters_for_people() {
    assert!(display_name("", &"é".repeat(128)).is_ok());
    assert!(display_name("", &"é".repeat(129)).is_err());
    assert!(description("", "").is_ok());
    assert!(description("", &"é\n".repeat(512)).is_ok());
    assert!(description("", &"é".repeat(1025)).is_err());
    assert!(description("", "a\u{1b}[31m").is_err());
    assert!(reason("", &"x".repeat(512)).is_ok());
    assert!(reason("", &"x".repeat(513)).is_err());
    assert!(environment_tag("", &"x".repeat(17)).is_err());
}

#[test]
fn a_permission_name_has_one_to_eight_segments() {
    for text in ["a", "routes.read", "a.b.c.d.e.f.g.h", "a-b.c_d"] {
        assert!(permission_name("", text).is_ok(), "{text}");
    }
    for text in [".", "a.", ".a", "a..b", "a.b.c.d.e.f.g.h.i", "routes.*", &"a".repeat(129)] {
        assert!(permission_name("", text).is_err(), "{text}");
    }
}

#[test]
fn a_contact_is_a_plain_address() {
    for text in ["ops@example.com", "a.b+c@sub.example.co.uk", "x@xn--bcher-kva.example"] {
        assert!(contact("", text).is_ok(), "{text}");
    }
    for text in [
        "",
        "@",
        "ops",
        "ops@",
        "@example.com",
        "ops@example",
        "a@b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a b@example.com",
        "a@-x.com",
        "a@x..com",
        "a@x.com.",
        "a@bücher.example",
        "a@x.com\r\nBcc: b@y.com",
        "\"a\"@x.com",
        "a@[127.0.0.1]",
        "<a@x.com>",
    ] {
        assert!(contact("", text).is_err(), "{text}");
    }
    assert!(contact("", &format!("{}@example.com", "a".repeat(65))).is_err());
}

#[test]
fn tags_are_few_small_and_different() {
    assert!(tags("/tags", &["team:core", "v1.2", "a-b_c"]).is_ok());
    assert_eq!(tags("/tags", &["a", "b", "a"]).unwrap_err().field, "/tags/2");
    assert_eq!(tags("/tags", &["a", "B"]).unwrap_err().field, "/tags/1");
    let many: Vec<String> = (0..33).map(|n| format!("t{n}")).collect();
    assert_eq!(tags("/tags", &many).unwrap_err().field, "/tags");
}

/// LESSONS 42 (CVE-2025-59043): JSON nesting exhausted a server.
#[test]
fn lesson_42_metadata_is_bounded_in_depth_and_size() {
    let nested = |levels: usize| {
        let value = (1..levels).fold(json!(1), |inner, _| json!([inner]));
        map(json!({ "a": value }))
    };
    assert!(metadata("", &nested(METADATA_DEPTH_MAX)).is_ok());
    assert!(metadata("", &nested(METADATA_DEPTH_MAX + 1)).is_err());
    assert!(metadata("", &nested(100)).is_err());
    let room = METADATA_BYTES_MAX - r#"{"a":""}"#.len();
    assert!(metadata("", &map(json!({ "a": "x".repeat(room) }))).is_ok());
    assert!(metadata("", &map(json!({ "a": "x".repeat(room + 1) }))).is_err());
}

proptest! {
    #[test]
    fn what_is_accepted_is_its_own_small_spelling(text in "\\PC{0,80}|[a-zA-Z0-9_.-]{0,80}") {
        for check in [slug, handle, key_prefix, environment_tag, permission_name] {
            if check("", &text).is_ok() {
                prop_assert_eq!(text.to_lowercase(), text.trim());
            }
        }
    }
}

/// LESSONS 23: names that differ in case or spaces evaded the lockout (CVE-2025-6004).
#[test]
fn lesson_23_spellings_of_one_address_are_one() {
    for text in ["ada@example.com", " Ada@Example.COM ", "ADA@example.com\t"] {
        assert_eq!(email("/email", text).unwrap(), "ada@example.com");
    }
    for text in ["", "ada", "ada @example.com", "ad\u{e4}@example.com", &"a".repeat(600)] {
        assert_eq!(email("/email", text).unwrap_err().field, "/email");
    }
}
