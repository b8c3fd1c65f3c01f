use super::*;
use keystead_api::{Guard, GuardRoute};

fn guard(change: impl FnOnce(&mut Guard)) -> Compiled {
    let mut guard = Guard::new(GuardMode::Enforce);
    let route = |methods: &[&str], path: &str| GuardRoute {
        methods: methods.iter().map(ToString::to_string).collect(),
        path: path.into(),
        ..GuardRoute::default()
    };
    guard.routes = vec![
        route(&["GET"], "/orders/*"),
        GuardRoute { public: true, ..route(&[], "/health") },
        GuardRoute { resource: Some("networks/{2}".into()), ..route(&["PUT"], "/orgs/*/networks/*") },
        GuardRoute { credentials: Some(vec!["query:key".into()]), ..route(&["GET"], "/embed/**") },
        GuardRoute { public: true, ..route(&[], "/open/**") },
        GuardRoute { mode: Some(GuardMode::Observe), ..route(&["POST"], "/new") },
    ];
    change(&mut guard);
    Compiled::new(&guard).unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    pairs.iter().map(|(sent, value)| (name(sent), value.parse().unwrap())).collect()
}

/// What a request comes to, in a word: `pass`, a fault, or the key and where it goes.
fn read(guard: &Compiled, method: &str, target: &str, sent: &[(&str, &str)]) -> String {
    let headers = headers(sent);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let request = Request { method, path, query, headers: &headers, strips_query: true };
    match guard.read(&request) {
        Reading::Pass(pass) => format!("{pass:?}"),
        Reading::Count { route, mode } => format!("{} {mode:?}", route.label),
        Reading::Refuse { fault, mode, .. } => format!("{fault:?} {mode:?}"),
        Reading::Ask(asking) => {
            let route = asking.route.map_or("unlisted", |route| &route.label);
            format!("{} {route} {}", asking.key, asking.resource.unwrap_or_default()).trim_end().to_owned()
        }
    }
}

#[test]
fn the_route_and_the_key_are_found() {
    let guard = guard(|_| {});
    let bearer = [("authorization", "Bearer k1")];
    assert_eq!(read(&guard, "GET", "/orders/7?x=1", &bearer), "k1 GET /orders/*");
    assert_eq!(read(&guard, "HEAD", "/orders/7", &[("X-API-Key", " k1 ")]), "k1 GET /orders/*");
    assert_eq!(
        read(&guard, "PUT", "/orgs/a/networks/NET-7", &bearer),
        "k1 PUT /orgs/*/networks/* networks/NET-7"
    );
    assert_eq!(read(&guard, "GET", "/embed/a/b?x=1&key=k2", &[]), "k2 GET /embed/**");
    assert_eq!(read(&guard, "GET", "/health", &bearer), "Public");
}

#[test]
fn a_public_route_with_limits_is_counted() {
    let limit = serde_json::json!({"name": "a", "limit": 1, "window": "1m", "per": "all"});
    let guard = guard(|guard| guard.routes[4].limits = vec![serde_json::from_value(limit.clone()).unwrap()]);
    assert_eq!(read(&guard, "GET", "/open/a", &[("authorization", "Bearer k1")]), "* /open/** Enforce");
    assert_eq!(read(&guard, "GET", "/health", &[]), "Public");
    // How its methods are ordered makes no other route of it.
    let id = |methods: [&str; 2]| {
        let mut guard = Guard::new(GuardMode::Enforce);
        let methods = methods.iter().map(ToString::to_string).collect();
        let limits = vec![serde_json::from_value(limit.clone()).unwrap()];
        guard.routes = vec![GuardRoute { methods, limits, path: "/a".into(), ..GuardRoute::default() }];
        Compiled::new(&guard).unwrap().limits().next().unwrap().id()
    };
    assert_eq!(id(["GET", "POST"]), id(["POST", "GET"]));
    assert_ne!(id(["GET", "POST"]), id(["GET", "PUT"]));
}

#[test]
fn what_is_not_listed_is_refused_and_methods_do_not_fall_through() {
    let guard = guard(|_| {});
    let bearer = [("authorization", "Bearer k1")];
    assert_eq!(read(&guard, "GET", "/else", &bearer), "Unlisted Enforce");
    assert_eq!(read(&guard, "DELETE", "/orders/7", &bearer), "Unlisted Enforce");
    let loose = self::guard(|guard| {
        guard.unlisted = UnlistedEndpoints::AnyKey;
        guard.routes.push(GuardRoute { path: "/**".into(), public: true, ..GuardRoute::default() });
    });
    // A public `/**` does not open what a more specific path lists for other methods only.
    assert_eq!(read(&loose, "DELETE", "/orders/7", &[]), "NoKey Enforce");
    assert_eq!(read(&loose, "DELETE", "/orders/7", &bearer), "k1 unlisted");
    assert_eq!(read(&loose, "GET", "/else", &[]), "Public");
}

/// LESSONS 19: paths that proxies and upstreams read differently.
#[test]
fn lesson_19_an_ambiguous_path_is_refused_also_below_a_public_one() {
    let guard = guard(|_| {});
    for path in [
        "/open/../orders/7",
        "/open/%2e%2e/orders/7",
        "/open/a%2fb",
        "//orders/7",
        "/open/a;b",
        "/open/\\..",
        "",
    ] {
        assert_eq!(read(&guard, "GET", path, &[]), "AmbiguousPath Enforce", "{path}");
    }
    assert_eq!(read(&guard, "GET", "/%6fpen/x", &[]), "Public");
    assert_eq!(read(&guard, "GET", "/Open/x", &[]), "Unlisted Enforce");
}

/// LESSONS 20: two credentials in one request.
#[test]
fn lesson_20_two_keys_are_refused_and_a_users_own_token_passes() {
    let both = [("authorization", "Bearer users-own"), ("x-api-key", "k1")];
    assert_eq!(read(&guard(|_| {}), "GET", "/orders/7", &both), "SeveralKeys Enforce");
    let twice = [("x-api-key", "k1"), ("X-Api-Key", "k1")];
    assert_eq!(read(&guard(|_| {}), "GET", "/orders/7", &twice), "SeveralKeys Enforce");
    let beside = guard(|guard| guard.credentials = vec!["header:x-api-key".into()]);
    assert_eq!(read(&beside, "GET", "/orders/7", &both), "k1 GET /orders/*");
    let basic = [("authorization", "Basic dXNlcjpw"), ("x-api-key", "k1")];
    assert_eq!(read(&guard(|_| {}), "GET", "/orders/7", &basic), "k1 GET /orders/*");
    assert_eq!(read(&guard(|_| {}), "GET", "/embed/a?key=1&k%65y=2", &[]), "SeveralKeys Enforce");
}

/// LESSONS 16, 17: identity headers of the client's own.
#[test]
fn lesson_16_forged_identity_headers_are_refused_in_every_mode_and_spelling() {
    let observing = guard(|guard| guard.mode = GuardMode::Observe);
    for name in ["X-Keystead-Key-Id", "x_keystead_owner", "X.Keystead.Consumer"] {
        assert_eq!(read(&observing, "GET", "/health", &[(name, "key_1")]), "Forged Enforce");
    }
    assert_eq!(read(&observing, "GET", "/health", &[("x-keystead-guard", "k")]), "Public");
}

#[test]
fn preflights_pass_only_where_they_are_told_to_and_ask_something() {
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    assert_eq!(read(&guard(|_| {}), "OPTIONS", "/orders/7", &preflight), "Preflight");
    assert_eq!(read(&guard(|_| {}), "OPTIONS", "/orders/7", &preflight[..1]), "Unlisted Enforce");
    assert_eq!(read(&guard(|_| {}), "GET", "/orders/7", &preflight), "NoKey Enforce");
    let strict = guard(|guard| guard.preflight = false);
    assert_eq!(read(&strict, "OPTIONS", "/orders/7", &preflight), "Unlisted Enforce");
}

/// A preflight carries no key: what makes a deletion of it must not pass.
#[test]
fn what_would_be_another_request_is_refused_also_as_a_preflight_and_on_a_public_route() {
    let preflight = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    let with = |name| [preflight[0], preflight[1], (name, "DELETE")];
    let enforcing = guard(|_| {});
    for name in ["x-http-method-override", "X_HTTP_Method", "x-original-url", "http2-settings"] {
        assert_eq!(read(&enforcing, "OPTIONS", "/orders/7", &with(name)), "Misleading Enforce", "{name}");
        assert_eq!(read(&enforcing, "GET", "/health", &with(name)), "Misleading Enforce", "{name}");
    }
    let observing = guard(|guard| guard.mode = GuardMode::Observe);
    assert_eq!(read(&observing, "GET", "/health", &with("x-method-override")), "Misleading Observe");
}

#[test]
fn a_route_may_observe_by_itself() {
    assert_eq!(read(&guard(|_| {}), "POST", "/new", &[]), "NoKey Observe");
}

#[test]
fn a_key_in_the_query_is_refused_where_it_cannot_be_taken_out() {
    let (guard, headers) = (guard(|_| {}), HeaderMap::new());
    let request = Request {
        method: "GET",
        path: "/embed/a",
        query: Some("key=k2"),
        headers: &headers,
        strips_query: false,
    };
    assert!(matches!(guard.read(&request), Reading::Refuse { fault: Fault::KeyInQuery, .. }));
}

/// LESSONS 22: the client's address is never the leftmost of `X-Forwarded-For`.
#[test]
fn lesson_22_the_address_is_the_last_that_is_no_trusted_proxys() {
    let behind = guard(|guard| guard.trusted_proxies = vec!["10.0.0.0/8".into()]);
    let client = |peer: &str, forwarded: &[(&str, &str)]| {
        behind.client(peer.parse().unwrap(), &headers(forwarded)).to_string()
    };
    let chain = [("x-forwarded-for", "6.6.6.6, 7.7.7.7"), ("x-forwarded-for", "10.0.0.2,10.0.0.3")];
    assert_eq!(client("10.0.0.1", &chain), "7.7.7.7");
    assert_eq!(client("9.9.9.9", &chain), "9.9.9.9");
    assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, junk")]), "10.0.0.1");
    assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    let direct = guard(|_| {}).client("10.0.0.1".parse().unwrap(), &headers(&chain));
    assert_eq!(direct.to_string(), "10.0.0.1");
}

#[test]
fn a_guard_that_is_none_is_refused_and_its_field_named() {
    let wrong = |change: fn(&mut Guard)| {
        let mut guard = Guard::new(GuardMode::Enforce);
        guard.routes = vec![GuardRoute { path: "/a/*".into(), ..GuardRoute::default() }];
        change(&mut guard);
        Compiled::new(&guard).unwrap_err().field
    };
    let again = |guard: &mut Guard| guard.routes.push(guard.routes[0].clone());
    assert_eq!(wrong(again), "/routes/1/path");
    assert_eq!(wrong(|guard| guard.routes[0].path = "/a/../b".into()), "/routes/0/path");
    assert_eq!(wrong(|guard| guard.routes[0].methods = vec!["get".into()]), "/routes/0/methods/0");
    assert_eq!(wrong(|guard| guard.routes[0].resource = Some("x/{2}".into())), "/routes/0/resource");
    assert_eq!(wrong(|guard| guard.routes[0].credentials = Some(Vec::new())), "/routes/0/credentials");
    assert_eq!(wrong(|guard| guard.credentials = vec!["basic".into()]), "/credentials/0");
    assert_eq!(wrong(|guard| guard.trusted_proxies = vec!["a".into()]), "/trusted_proxies/0");
    let both = |guard: &mut Guard| (guard.routes[0].public, guard.routes[0].cost) = (true, Some(2));
    assert_eq!(wrong(both), "/routes/0/public");
}
