//! What endpoint rules accept, refuse and admit.

use super::*;
use proptest::prelude::*;

fn rules(endpoints: &[(&[&str], &str)]) -> Result<EndpointRules, Invalid> {
    let endpoints: Vec<Endpoint> = endpoints
        .iter()
        .map(|(methods, path)| Endpoint {
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            path: (*path).to_owned(),
        })
        .collect();
    EndpointRules::parse(&endpoints)
}

fn admits(pattern: &str, path: &str) -> bool {
    rules(&[(&[], pattern)]).unwrap().admits("GET", path)
}

#[test]
fn one_star_is_one_segment_and_two_are_the_rest_or_none() {
    for (pattern, path, expected) in [
        ("/v1/zones", "/v1/zones", true),
        ("/v1/zones", "/v1/zones/", false),
        ("/v1/zones/", "/v1/zones/", true),
        ("/v1/zones/", "/v1/zones", false),
        ("/v1/zones", "/v1/Zones", false),
        ("/v1/*", "/v1/zones", true),
        ("/v1/*", "/v1/", false),
        ("/v1/*", "/v1", false),
        ("/v1/*", "/v1/zones/", false),
        ("/v1/*", "/v1/zones/a", false),
        ("/v1/*/", "/v1/zones/", true),
        ("/v1/*/records", "/v1/a/records", true),
        ("/v1/**", "/v1", true),
        ("/v1/**", "/v1/", true),
        ("/v1/**", "/v1/x/y", true),
        ("/v1/**", "/v1/x/", true),
        ("/v1/**", "/v10", false),
        ("/v1/**", "/", false),
        ("/v1/*/**", "/v1", false),
        ("/v1/*/**", "/v1/", false),
        ("/v1/*/**", "/v1/x", true),
        ("/**", "/", true),
        ("/**", "/anything/at/all", true),
        ("/", "/", true),
        ("/", "/v1", false),
        ("/*", "/", false),
    ] {
        assert_eq!(admits(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn methods_are_compared_as_they_are() {
    let some = rules(&[(&["GET", "POST"], "/a"), (&["DELETE"], "/b")]).unwrap();
    assert!(some.admits("GET", "/a") && some.admits("POST", "/a") && some.admits("DELETE", "/b"));
    for (method, path) in
        [("DELETE", "/a"), ("GET", "/b"), ("get", "/a"), ("HEAD", "/a"), ("", "/a"), ("GET ", "/a")]
    {
        assert!(!some.admits(method, path), "{method:?} {path}");
    }
    for any in [rules(&[(&[], "/a")]).unwrap(), rules(&[(&["*"], "/a")]).unwrap()] {
        assert!(any.admits("GET", "/a") && any.admits("REPORT", "/a"));
        for method in ["", " ", "GET POST", "GET\r\n", "GÉT", &"A".repeat(33)] {
            assert!(!any.admits(method, "/a"), "{method:?}");
        }
    }
}

#[test]
fn escapes_of_unreserved_characters_are_read() {
    for (pattern, path, expected) in [
        ("/v1/admin", "/v1/%61dmin", true),
        ("/v1/admin", "/v1/%61%64%6D%69%6e", true),
        ("/v1/%61dmin", "/v1/admin", true),
        ("/v1/~x", "/v1/%7ex", true),
        ("/v1/caf%c3%a9", "/v1/caf%C3%A9", true),
        ("/v1/caf%C3%A9", "/v1/caf%c3%A9", true),
        ("/v1/a%20b", "/v1/a%20b", true),
        ("/v1/a%20b", "/v1/a+b", false),
        ("/v1/a:b", "/v1/a%3ab", false),
        ("/v1/a%3Ab", "/v1/a:b", false),
        ("/v1/100%25", "/v1/100%25", true),
        ("/v1/*", "/v1/%61dmin", true),
        ("/v1/%2A", "/v1/*", false),
        ("/v1/%2A", "/v1/%2a", true),
        ("/v1/%2A", "/v1/x", false),
        ("/v1/%2A%2A", "/v1/x", false),
        ("/v1/x", "/v1/*", false),
        ("/v1/x", "/v1/**", false),
    ] {
        assert_eq!(admits(pattern, path), expected, "{pattern} {path}");
    }
}

/// LESSONS 19: `/public/../admin`, `%2e%2e`, `%2f`, `//`, `;` reach verifier and upstream raw
/// through nginx, Caddy, Envoy and HAProxy.
#[test]
fn lesson_19_an_ambiguous_path_matches_nothing() {
    for path in [
        "/public/../admin",
        "/public/..",
        "/..",
        "/.",
        "/./a",
        "/a/./b",
        "/public/%2e%2e/admin",
        "/public/%2E./admin",
        "/public/.%2e/admin",
        "/public%2fadmin",
        "/public%2Fadmin",
        "/public%5cadmin",
        "/public\\admin",
        "//public",
        "/public//admin",
        "/public/a//",
        "/public;a=b/x",
        "/public;",
        "/public/..;/admin",
        "/public%3b/x",
        "/public/%00",
        "/public/a%0d%0ab",
        "/public/%7f",
        "/public/a\nb",
        "/public/a\0",
        "/public/a b",
        "/public/\u{7f}",
        "/public/é",
        "/public?x=1",
        "/public#x",
        "/public/%3",
        "/public/%",
        "/public/%zz",
        "/public/%u002f",
        "/public/%252e%252e/x",
        "/public/%25%32%65",
        "/public/%252fx",
        "/public/%c0%af",
        "/public/%25c0%25af",
        "/public/%e0%80%af",
        "/public/%f0%80%80%af",
        "/public/%ff",
        "public",
        "",
        "*",
        "http://a/public",
        " /public",
        "/public/%EF%BC%8F\u{ff0f}",
    ] {
        assert!(is_ambiguous(path), "{path:?}");
        assert!(!admits("/**", path) && !admits("/public/**", path) && !admits("/*", path), "{path:?}");
        assert!(rules(&[(&[], path)]).is_err(), "{path:?}");
    }
    assert!(is_ambiguous(&"/a".repeat(1025)) && !is_ambiguous(&"/a".repeat(1024)));
    for path in [
        "/",
        "/a/",
        "/...",
        "/.a",
        "/..a",
        "/a.b",
        "/a..b",
        "/a:b@c,d=e",
        "/a/%20",
        "/100%25",
        "/%E2%82%AC",
        "/%F0%9F%94%91",
    ] {
        assert!(!is_ambiguous(path), "{path}");
    }
}

#[test]
fn malformed_rules_are_refused_where_they_are() {
    for (methods, path, field) in [
        (&["get"][..], "/", "/0/methods/0"),
        (&["GET", "GTE"], "/", "/0/methods/1"),
        (&["*", "GET"], "/", "/0/methods/0"),
        (&["GET", ""], "/", "/0/methods/1"),
        (&["GET"; 17], "/", "/0/methods"),
        (&[], "", "/0/path"),
        (&[], "v1", "/0/path"),
        (&[], "/v1*", "/0/path"),
        (&[], "/**/v1", "/0/path"),
        (&[], "/***", "/0/path"),
        (&[], "/**/", "/0/path"),
        (&[], "/v1?x", "/0/path"),
        (&[], "https://a.com/v1", "/0/path"),
    ] {
        assert_eq!(rules(&[(methods, path)]).unwrap_err().field, field, "{methods:?} {path}");
    }
    assert!(rules(&[(&["get"], "/")]).unwrap_err().fix.contains("`GET`"));
    assert!(rules(&[(&[], &format!("/{}", "a".repeat(512)))]).is_err());
    assert!(rules(&[(&[][..], "/"); ENDPOINTS_MAX + 1]).is_err());
}

fn any_pattern() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab]{1,2}|\\*|%61|%C3%A9", 0..4), prop::sample::select(vec!["", "/", "/**"]))
        .prop_map(|(segments, end)| {
            let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
            if path.is_empty() && end.is_empty() { "/".to_owned() } else { path + end }
        })
}

fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        "(/([ab]{1,2}|%6[12]|%c3%A9|%2[aef5]|\\.{1,3}|;|)){0,4}/?",
        "(/([ab]{1,2}|%61|%c3%a9)){0,5}/?",
        "\\PC{0,20}",
    ]
}

/// Reads escapes of unreserved characters into a copy, as RFC 3986 §6.2.2 describes it.
fn naive_canonical(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let digits: String = rest.by_ref().take(2).collect();
        let byte = u8::from_str_radix(&digits, 16).unwrap();
        if byte.is_ascii_alphanumeric() || "-._~".contains(char::from(byte)) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn naive(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((segment, [])), _) if segment == "**" => true,
        (Some((segment, pattern)), Some((first, path))) => {
            (segment == "*" && !first.is_empty() || segment == first && first != "*") && naive(pattern, path)
        }
        _ => false,
    }
}

fn segments(text: &str) -> Vec<String> {
    text[1..].split('/').map(naive_canonical).collect()
}

proptest! {
    #[test]
    fn admitting_is_what_the_naive_matcher_says(pattern in any_pattern(), path in any_path()) {
        let expected = !is_ambiguous(&path) && naive(&segments(&pattern), &segments(&path));
        prop_assert_eq!(admits(&pattern, &path), expected);
    }

    #[test]
    fn an_ambiguous_path_never_matches(pattern in any_pattern(), before in "(/[a-z]{0,3}){0,3}", after in "(/[a-z]{0,3}){0,3}",
        trap in prop::sample::select(vec!["%2f", "%2F", "%5c", "%5C", "%2e", "%2E", "%00", "\\", "//", ";", "/../", "/./", "?", "#", "\t", "%", "%g0"])) {
        let path = format!("{before}{trap}{after}");
        prop_assert!(!admits(&pattern, &path) && !admits("/**", &path));
    }

    #[test]
    fn adding_an_endpoint_never_removes_one(
        few in prop::collection::vec(any_pattern(), 0..4),
        extra in any_pattern(),
        path in any_path(),
    ) {
        let compile = |paths: &[String]| {
            rules(&paths.iter().map(|path| (&["GET"][..], path.as_str())).collect::<Vec<_>>()).unwrap()
        };
        let mut more = few.clone();
        more.push(extra);
        prop_assert!(!compile(&few).admits("GET", &path) || compile(&more).admits("GET", &path));
    }

    #[test]
    fn any_text_never_panics(pattern in "\\PC{0,40}|[a/*.%26ef]{0,20}", path in "\\PC{0,40}|[a/*.%26ef]{0,20}") {
        if let Ok(rules) = rules(&[(&[], &format!("/{pattern}"))]) {
            prop_assert!(!rules.admits("GET", &path) || !is_ambiguous(&path));
        }
    }
}
