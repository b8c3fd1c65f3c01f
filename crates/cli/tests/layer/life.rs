//! What changes while requests come: keys that are revoked, with and without a cache, and what is counted.

use crate::app::{READ, Stage, document, guard, needs, status, tell, whole};
use crate::fake::{self, Fake};
use crate::house::House;
use crate::wire::send;
use axum::Router;
use axum::extract::Request;
use axum::middleware::map_request;
use keystead_sdk::layer::Need;
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// A clock that stands until it is told to go on: steady, and on the wall.
#[derive(Clone, Default)]
struct Still(Arc<Mutex<(Duration, i64)>>);

impl Still {
    fn set(&self, steady_ms: u64, wall_ms: i64) {
        *self.0.lock().unwrap() = (Duration::from_millis(steady_ms), wall_ms);
    }

    fn now(&self) -> (Duration, SystemTime) {
        let (steady, wall_ms) = *self.0.lock().unwrap();
        let wall = Duration::from_millis(u64::try_from(1_000_000 + wall_ms).unwrap());
        (steady, SystemTime::UNIX_EPOCH + wall)
    }
}

fn reading(house: &House, port: u16, name: &str) -> u16 {
    status(port, "GET", "/v1/routes", &[("Authorization", &house.bearer(name))])
}

#[test]
fn a_revoked_key_is_refused_on_the_next_request() {
    let (house, stage) = (House::start(), Stage::new());
    let port = stage.serve(whole(&guard(&house.url, &house.guard)));
    assert_eq!(reading(&house, port, "good"), 200);
    house.revoke("good");
    assert_eq!(reading(&house, port, "good"), 401);
}

#[test]
fn with_a_cache_a_revoked_key_passes_for_as_long_as_was_said_and_no_longer() {
    let (mut house, stage) = (House::start(), Stage::new());
    for (at, later) in [(3_000, 2_900), (2_900, 3_000), (2_900, -1)].into_iter().enumerate() {
        let (clock, name) = (Still::default(), format!("fresh-{at}"));
        house.issue(&name, "production", json!({"permissions": [READ]}));
        let built = guard(&house.url, &house.guard).cache(Duration::from_secs(3), 10);
        let told = clock.clone();
        let port = stage.serve(whole(&built.clock(move || told.now())));
        assert_eq!(reading(&house, port, &name), 200);
        house.revoke(&name);
        clock.set(2_900, 2_900);
        assert_eq!(reading(&house, port, &name), 200, "{at}");
        clock.set(later.0, later.1);
        assert_eq!(reading(&house, port, &name), 401, "{at}");
    }
}

#[test]
fn a_cached_verdict_holds_for_what_was_asked_alone() {
    let (house, stage, clock) = (House::start(), Stage::new(), Still::default());
    let built = guard(&house.url, &house.guard).trusted_proxies(["127.0.0.1"]);
    let built = built.cache(Duration::from_secs(10), 100).clock(move || clock.now());
    let port = stage.serve(whole(&built));
    let from = |ip| Some(("X-Forwarded-For", ip));
    let of = |origin| Some(("Origin", origin));
    for (method, path, name, header, wanted) in [
        ("GET", "/v1/routes", "good", None, 200),
        ("PUT", "/v1/routes", "good", None, 403),
        ("GET", "/v1/all", "good", None, 403),
        ("GET", "/v1/routes", "nothing", None, 403),
        ("GET", "/v1/networks/NET-7/routes", "narrow", None, 200),
        ("GET", "/v1/networks/NET-8/routes", "narrow", None, 403),
        ("GET", "/v1/files/public/a", "endpoint", None, 200),
        ("GET", "/v1/files/secret", "endpoint", None, 403),
        ("GET", "/v1/routes", "inside", from("203.0.113.7"), 200),
        ("GET", "/v1/routes", "inside", from("198.51.100.7"), 403),
        ("GET", "/v1/routes", "web", of("https://app.example.com"), 200),
        ("GET", "/v1/routes", "web", of("https://evil.example.com"), 403),
    ] {
        let key = house.bearer(name);
        let headers: Vec<(&str, &str)> =
            [("Authorization", key.as_str())].into_iter().chain(header).collect();
        assert_eq!(status(port, method, path, &headers), wanted, "{method} {path} {name} {header:?}");
    }
}

#[test]
fn what_is_counted_is_never_cached() {
    let (mut house, stage, clock) = (House::start(), Stage::new(), Still::default());
    let built = guard(&house.url, &house.guard).cache(Duration::from_secs(10), 100);
    let port = stage.serve(whole(&built.clock(move || clock.now())));
    for (at, mut body) in [
        json!({"limits": [{"name": "main", "limit": 3, "window": "1d"}]}),
        json!({"quota": {"limit": 3, "per": "month", "time_zone": "UTC"}}),
        json!({"credits": {"remaining": 3, "refill": "none", "amount": 0}}),
        json!({"kind": "temporary", "uses": 3}),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("counted-{at}");
        body["permissions"] = json!([READ]);
        house.issue(&name, "production", body);
        let got: Vec<u16> = (0..4).map(|_| reading(&house, port, &name)).collect();
        assert_eq!(got, [200, 200, 200, 429], "{at}");
    }
}

#[test]
fn the_cache_is_bounded_and_its_age_counts_from_the_question() {
    let (stage, clock) = (Stage::new(), Still::default());
    let slow = clock.clone();
    let keystead = Fake::start(move |stream| {
        // Each answer takes two seconds.
        let steady = slow.0.lock().unwrap().0.as_millis();
        slow.set(u64::try_from(steady).unwrap() + 2_000, 0);
        let _ = stream.write_all(&fake::valid());
    });
    let told = clock.clone();
    let built = guard(&keystead.url, "own").cache(Duration::from_secs(3), 2).clock(move || told.now());
    let port = stage.serve(whole(&built));
    let ask = |key: &str, asks: usize, why: &str| {
        assert_eq!(status(port, "GET", "/v1/routes", &[("X-API-Key", key)]), 200);
        assert_eq!(keystead.take().len(), asks, "{why}");
    };
    ask("a", 1, "nothing is kept yet");
    ask("a", 0, "it is kept");
    clock.set(3_000, 0);
    ask("a", 1, "three seconds after it was asked, one after the answer");
    for key in ["b", "c", "d", "b"] {
        clock.set(3_600_000, 0);
        ask(key, 1, "there is room for two");
    }
    clock.set(3_600_000, 0);
    ask("d", 0, "the last two are kept");
}

#[test]
fn a_request_that_is_asked_about_twice_is_counted_once() {
    let (mut house, stage) = (House::start(), Stage::new());
    let limits = json!([{"name": "main", "limit": 4, "window": "1d"}]);
    house.issue("twice", "production", json!({"permissions": [READ], "limits": limits}));
    let made = guard(&house.url, &house.guard).build().unwrap();
    let key = house.bearer("twice");
    let asked = |router: Router| {
        let port = stage.serve(router);
        status(port, "GET", "/", &[("Authorization", &key)])
    };
    let twice = Router::new().fallback(tell).layer(made.require(READ)).layer(made.authenticate());
    assert_eq!([asked(twice.clone()), asked(twice)], [200, 200]);
    let dear = Router::new().fallback(tell).layer(made.require(Need::permission(READ).cost(2)));
    assert_eq!([asked(dear.clone()), asked(dear)], [200, 429], "each takes two of the two that are left");
}

/// A request that passed unjudged was not counted.
#[test]
fn a_request_that_nobody_judged_is_counted_when_somebody_does() {
    let stage = Stage::new();
    let ask = |answers: Vec<Vec<u8>>| {
        let answers = Mutex::new(answers.into_iter());
        let keystead = Fake::start(move |stream| {
            let answer = answers.lock().unwrap().next().unwrap();
            let _ = stream.write_all(&answer);
        });
        let made = guard(&keystead.url, "own").open_when_unreachable().build().unwrap();
        let twice = Router::new().fallback(tell).layer(made.require(READ)).layer(made.authenticate());
        assert_eq!(status(stage.serve(twice), "GET", "/", &[("X-API-Key", "key")]), 200);
        let asked: Vec<_> = keystead.take().iter().map(|asked| document(asked)["cost"].clone()).collect();
        asked
    };
    assert_eq!(ask(vec![fake::valid(), fake::valid()]), [json!(null), json!(0)]);
    assert_eq!(ask(vec![fake::answer(500, &[], b""), fake::valid()]), [json!(null), json!(null)]);
}

/// What does not look at the method would do its work for whoever sends what looks like a preflight.
#[test]
fn preflights_do_not_pass_unless_they_are_to_and_never_one_endpoints_guard() {
    let (keystead, stage) = (Fake::saying(fake::valid()), Stage::new());
    let closed = guard(&keystead.url, "own").build().unwrap();
    let opened = guard(&keystead.url, "own").pass_preflight().build().unwrap();
    let preflight = [("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "GET")];
    for (layer, wanted) in [
        (closed.authenticate(), 401),
        (closed.guard(needs), 401),
        (opened.authenticate(), 204),
        (opened.guard(needs), 204),
        (opened.require(READ), 401),
        (opened.require_for(needs), 401),
    ] {
        let port = stage.serve(Router::new().fallback(tell).layer(layer));
        assert_eq!(status(port, "OPTIONS", "/", &preflight), wanted);
    }
    assert!(keystead.take().is_empty());
}

#[test]
fn metadata_comes_where_it_was_asked_for() {
    let (mut house, stage) = (House::start(), Stage::new());
    house.issue("golden", "production", json!({"metadata": {"plan": "gold"}}));
    let plan = |built| {
        let port = stage.serve(whole(&built));
        let answer = send(port, "GET", "/", &[("Authorization", &house.bearer("golden"))], b"");
        document(&answer)["metadata"]["plan"].clone()
    };
    assert_eq!(plan(guard(&house.url, &house.guard)), json!(null));
    assert_eq!(plan(guard(&house.url, &house.guard).metadata()), "gold");
}

/// The path on the wire, where somebody has kept it.
#[derive(Clone)]
struct Whole(String);

/// A router cuts off what it has matched: `/v1/files/secret` is `/secret` within, which is not what keys are limited to.
#[test]
fn within_a_nested_router_the_whole_path_is_judged_where_it_was_kept() {
    let (house, stage) = (House::start(), Stage::new());
    let kept = guard(&house.url, &house.guard)
        .path(|request| request.extensions.get::<Whole>().map(|whole| whole.0.clone()));
    let layer = kept.build().unwrap().authenticate();
    let keep = map_request(|mut request: Request| async {
        let path = request.uri().path().to_owned();
        request.extensions_mut().insert(Whole(path));
        request
    });
    let inner = |layer| Router::new().nest("/v1/files", Router::new().fallback(tell).layer(layer));
    let port = stage.serve(Router::new().fallback_service(inner(layer.clone())).layer(keep));
    let key = house.bearer("endpoint");
    let asked = |port, path| status(port, "GET", path, &[("Authorization", &key)]);
    assert_eq!(asked(port, "/v1/files/public/a"), 200);
    assert_eq!(asked(port, "/v1/files/secret"), 403);
    // Where nobody kept it there is none.
    assert_eq!(asked(stage.serve(inner(layer)), "/v1/files/public/a"), 403);
}

#[test]
fn without_a_peer_a_key_that_is_limited_to_networks_is_refused() {
    let (house, stage) = (House::start(), Stage::new());
    let port = stage.serve(whole(&guard(&house.url, &house.guard).peer(|_| None)));
    assert_eq!([reading(&house, port, "local"), reading(&house, port, "good")], [403, 200]);
}
