//! The real proxies in front of a real API, each installed as its recipe says, and one table of cases for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test's helpers fail by panicking"
)]

mod doctor;
mod doors;
mod envoy_grpc;
mod house;
mod lives;
mod opened;
mod parts;
mod proxies;
mod reload;
mod streams;
mod told;
mod tunnels;
mod upstream;
mod wire;

use house::House;
use proxies::{AT_SOCKET, OWN, Proxy};
use upstream::Upstream;
use wire::{Message, send};

/// Identity headers of the guard's, as an upstream may read them.
const OURS: &str = "x-keystead-";

/// What goes wrong is gathered, so that one run tells all of it.
struct Table<'a> {
    proxy: &'a mut Proxy,
    upstream: &'a Upstream,
    wrong: Vec<String>,
}

impl Table<'_> {
    /// Sends a request; the answer, and what reached the API.
    fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (Message, Vec<Message>) {
        let answer = send(self.proxy.port, method, target, headers, body);
        (answer, self.upstream.take())
    }

    fn check(&mut self, holds: bool, what: &str, told: &dyn std::fmt::Debug) {
        if !holds {
            self.wrong.push(format!("{what}: {told:?}"));
        }
    }

    /// It passes, once; what reached the API.
    fn passes(
        &mut self,
        what: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Message {
        let (answer, reached) = self.ask(method, target, headers, body);
        self.check(answer.status() == 200, what, &answer);
        self.check(reached.len() == 1, &format!("{what}: reached"), &reached);
        let reached = reached.into_iter().next().unwrap_or_default();
        self.check(reached.target() == target, &format!("{what}: target"), &reached);
        self.check(
            reached.header("x-keystead-guard").is_none(),
            &format!("{what}: the proxy's key"),
            &reached,
        );
        reached
    }

    /// It is refused so, and nothing reaches the API.
    fn refused(
        &mut self,
        what: &str,
        request: (&str, &str, &[(&str, &str)]),
        status: u16,
        code: &str,
    ) -> Message {
        let (method, target, headers) = request;
        let (answer, reached) = self.ask(method, target, headers, b"");
        self.check(answer.status() == status, what, &answer);
        self.check(answer.code() == code, &format!("{what}: code"), &answer);
        self.check(reached.is_empty(), &format!("{what}: reached"), &reached);
        answer
    }

    /// Nothing reaches the API, however it is refused.
    fn kept_out(&mut self, what: &str, method: &str, target: &str, headers: &[(&str, &str)]) {
        let (answer, reached) = self.ask(method, target, headers, b"");
        self.check(answer.status() == 0 || answer.status() >= 300, what, &answer);
        self.check(reached.is_empty(), &format!("{what}: reached"), &reached);
    }
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// The header that says who it was.
const WHO: &str = "x-keystead-key-id";

fn allowed(table: &mut Table<'_>, house: &House) {
    let (key, id) = house.issue(&["--permission", "orders.*"]);
    let authorization = bearer(&key);
    let by_bearer = [("Authorization", authorization.as_str())];
    for (method, headers) in [("GET", by_bearer), ("HEAD", by_bearer), ("GET", [("X-API-Key", &key)])] {
        let what = format!("{method} with {}", headers[0].0);
        let reached = table.passes(&what, method, "/v1/orders?page=2&x=%2f", &headers, b"");
        table.check(reached.header(WHO) == Some(&id), &format!("{what}: identity"), &reached);
        let stripped = reached.header("authorization").is_none() && reached.header("x-api-key").is_none();
        table.check(stripped, &format!("{what}: the key"), &reached);
        table.check(!format!("{reached:?}").contains(&key), &format!("{what}: the key anywhere"), &reached);
    }
    let users_own = [("Authorization", "Bearer users-own"), ("X-API-Key", &key)];
    let reached = table.passes("a user's own token beside the key", "GET", "/v1/partner", &users_own, b"");
    table.check(
        reached.header("authorization") == Some("Bearer users-own"),
        "the user's own token",
        &reached,
    );
    table.check(reached.header("x-api-key").is_none(), "the key beside it", &reached);

    let body = vec![b'x'; 3 << 20];
    let reached = table.passes("a large body", "POST", "/v1/orders", &by_bearer, &body);
    table.check(reached.body == body, "a large body: whole", &reached.body.len());
    let expecting = [by_bearer[0], ("Expect", "100-continue")];
    let reached = table.passes("100-continue", "POST", "/v1/orders", &expecting, b"a body");
    table.check(reached.body == b"a body", "100-continue: body", &reached);

    let reached = table.passes("a public route", "GET", "/v1/open/x", &[], b"");
    let nobody = reached.headers.iter().all(|(name, _)| !name.starts_with(OURS));
    table.check(nobody, "a public route: identity", &reached);
    let preflight = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")];
    table.passes("a preflight", "OPTIONS", "/v1/orders", &preflight, b"");
    let guard = [by_bearer[0], ("X-Keystead-Guard", "forged")];
    table.passes("a forged guard's key", "GET", "/v1/orders", &guard, b"");
}

fn refusals(table: &mut Table<'_>, house: &House) {
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let authorization = bearer(&key);
    let good = [("Authorization", authorization.as_str())];
    let none = table.refused("no key", ("GET", "/v1/orders", &[]), 401, "malformed");
    let challenge = none.header("www-authenticate").map(str::to_owned);
    table.check(challenge.as_deref() == Some("Bearer realm=\"keystead\""), "no key: challenge", &none);
    let unknown = [("X-API-Key", "shop_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN")];
    let answer = table.refused("a key of nobody's", ("GET", "/v1/orders", &unknown), 401, "not_found");
    let named = answer.header("www-authenticate").is_some_and(|it| it.contains("error=\"invalid_token\""));
    table.check(named, "a key of nobody's: challenge", &answer);
    let one = answer.headers.iter().filter(|(name, _)| name == "www-authenticate").count();
    table.check(one == 1, "a key of nobody's: one challenge", &answer);
    let lacking = ("DELETE", "/v1/orders/7", good.as_slice());
    table.refused("a permission that is missing", lacking, 403, "insufficient_permissions");
    table.refused("an endpoint that nobody lists", ("GET", "/v2/orders", &good), 403, "endpoint_denied");
    table.refused("a method that nobody lists", ("PUT", "/v1/orders", &good), 403, "endpoint_denied");

    let (limited, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let limited = [("X-API-Key", limited.as_str())];
    table.passes("within the limit", "GET", "/v1/orders", &limited, b"");
    let answer = table.refused("over the limit", ("GET", "/v1/orders", &limited), 429, "rate_limited");
    let waits = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    table.check(waits.is_some_and(|seconds| seconds > 0), "over the limit: when again", &answer);

    // LESSONS 20: two credentials in one request.
    let two = [("Authorization", authorization.as_str()), ("X-API-Key", key.as_str())];
    table.kept_out("lesson 20: two keys in two places", "GET", "/v1/orders", &two);
    let twice = [("X-API-Key", key.as_str()), ("X-API-Key", "another")];
    table.kept_out("lesson 20: two keys in one place", "GET", "/v1/orders", &twice);
    let twice = [good[0], ("Authorization", "Bearer another")];
    table.kept_out("lesson 20: two bearers", "GET", "/v1/orders", &twice);
}

fn forgeries(table: &mut Table<'_>, house: &House) {
    let (key, id) = house.issue(&["--permission", "orders.*"]);
    // LESSONS 16 and 17: identity headers of the client's own, in every spelling.
    for name in [
        "X-Keystead-Key-Id",
        "x-keystead-owner",
        "X_Keystead_Key_Id",
        "X.Keystead.Owner",
        "X-KEYSTEAD_CONSUMER",
    ] {
        for target in ["/v1/open/x", "/v1/orders"] {
            let headers = [("X-API-Key", key.as_str()), (name, "key_forged")];
            let (answer, reached) = table.ask("GET", target, &headers, b"");
            let what = format!("lesson 16: {name} on {target}");
            table.check(!format!("{reached:?}").contains("key_forged"), &what, &(answer, reached));
        }
    }
    // LESSONS 15: one dialect's headers at another's door.
    for name in
        ["X-Forwarded-Uri", "X-Original-URI", "X-Original-Url", "X-Rewrite-Url", "X-Envoy-Original-Path"]
    {
        table.kept_out(&format!("lesson 15: {name}"), "GET", "/v1/orders", &[(name, "/v1/open/x")]);
    }
    // LESSONS 18: a prefix that a proxy is said to have taken off.
    table.kept_out("lesson 18", "GET", "/orders", &[("X-Forwarded-Prefix", "/v1/open"), ("X-API-Key", &key)]);
    for name in ["X-Forwarded-Method", "X-Original-Method", "X-HTTP-Method-Override"] {
        let headers = [("X-API-Key", key.as_str()), (name, "GET")];
        table.kept_out(&format!("lesson 15: {name}"), "DELETE", "/v1/orders/7", &headers);
    }
    let huge = "x".repeat(200_000);
    table.kept_out("a huge header", "GET", "/v1/orders", &[("X-API-Key", &key), ("X-Huge", &huge)]);
    let reached = table.passes("after all that", "GET", "/v1/orders", &[("X-API-Key", &key)], b"");
    table.check(reached.header(WHO) == Some(&id), "after all that: identity", &reached);
}

fn addresses_and_paths(table: &mut Table<'_>, house: &House) {
    // What the API may take for another request than was judged, also as a preflight, which needs no key.
    let preflight = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")];
    for (name, value) in [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Rewrite-URL", "/v1/orders"),
        ("HTTP2-Settings", "AAMAAABk"),
    ] {
        let headers = [preflight[0], preflight[1], (name, value)];
        table.kept_out(&format!("{name} of a preflight"), "OPTIONS", "/v1/open/x", &headers);
        table.kept_out(&format!("{name} on a public route"), "GET", "/v1/open/x", &headers[2..]);
    }
    // LESSONS 22: the address is the connection's.
    let (elsewhere, _) = house.issue(&["--permission", "orders.*", "--network-allow", "203.0.113.0/24"]);
    for name in ["X-Forwarded-For", "X-Real-IP", "X-Original-Client", "X-Envoy-External-Address", "Forwarded"]
    {
        let value = if name == "Forwarded" { "for=203.0.113.7" } else { "203.0.113.7" };
        let headers = [("X-API-Key", elsewhere.as_str()), (name, value)];
        let (answer, reached) = table.ask("GET", "/v1/orders", &headers, b"");
        table.check(
            answer.status() == 403 && reached.is_empty(),
            &format!("lesson 22: {name}"),
            &(answer, reached),
        );
    }
    let (here, _) = house.issue(&["--permission", "orders.*", "--network-allow", "127.0.0.0/8"]);
    table.passes("lesson 22: the connection's address", "GET", "/v1/orders", &[("X-API-Key", &here)], b"");
    // LESSONS 19: what reaches the API is what was judged.
    for target in [
        "/v1/open/../orders",
        "/v1/open/%2e%2e/orders",
        "/v1/open%2f..%2forders",
        "/v1/open/..%2forders",
        "//v1/orders",
        "/v1//orders",
        "/v1/open/x;/../../orders",
        "/v1/open/\\..\\orders",
        "/V1/orders",
        "/v1/orders/",
    ] {
        let (answer, reached) = table.ask("GET", target, &[], b"");
        let private = reached
            .iter()
            .any(|reached| !reached.target().starts_with("/v1/open/") || reached.target() != target);
        table.check(!private, &format!("lesson 19: {target}"), &(answer, reached));
    }
}

fn guards(name: &'static str) {
    let upstream = Upstream::start();
    let mut house = House::start_with(&upstream, name.ends_with(AT_SOCKET));
    let Some(mut proxy) = Proxy::start(name, &house, &upstream, false) else { return };
    let mut table = Table { proxy: &mut proxy, upstream: &upstream, wrong: Vec::new() };
    allowed(&mut table, &house);
    refusals(&mut table, &house);
    forgeries(&mut table, &house);
    addresses_and_paths(&mut table, &house);
    streams::both_ways(&mut table, &house);
    told::of_keys(&mut table, &house);
    lives::go_on(&mut table, &mut house);
    assert!(table.wrong.is_empty(), "{}: {} wrong:\n{}", name, table.wrong.len(), table.wrong.join("\n"));
}

#[test]
fn our_own_proxy_guards_as_it_is_configured() {
    guards(OWN);
}

#[test]
fn nginx_guards_as_its_recipe_says() {
    guards("nginx");
}

#[test]
fn caddy_guards_as_its_recipe_says() {
    guards("caddy");
}

#[test]
fn traefik_guards_as_its_recipe_says() {
    guards("traefik");
}

#[test]
fn envoy_guards_as_its_recipe_says() {
    guards("envoy");
}

#[test]
fn haproxy_guards_as_its_recipe_says() {
    guards("haproxy");
}

#[test]
fn nginx_guards_from_a_socket() {
    guards("nginx-socket");
}

#[test]
fn caddy_guards_from_a_socket() {
    guards("caddy-socket");
}

#[test]
fn envoy_guards_from_a_socket() {
    guards("envoy-socket");
}

#[test]
fn haproxy_guards_from_a_socket() {
    guards("haproxy-socket");
}
