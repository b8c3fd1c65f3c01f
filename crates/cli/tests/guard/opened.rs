//! Proxies that let requests pass while Keystead cannot be asked, where their recipes have a setting for it.

use crate::house::House;
use crate::proxies::Proxy;
use crate::upstream::Upstream;
use crate::wire::Message;
use crate::{OURS, Table, WHO};
use std::net::TcpListener;

/// Headers of the client's own that only a guard may set, in spellings that APIs may take for each other.
const FORGED: [(&str, &str); 4] = [
    ("X-Keystead-Key-Id", "key_forged"),
    ("x-keystead-owner", "key_forged"),
    ("X.Keystead.Consumer", "key_forged"),
    ("X-Keystead-Guard", "key_forged"),
];

fn opens(name: &'static str) {
    let upstream = Upstream::start();
    let mut house = House::start(&upstream);
    let Some(mut proxy) = Proxy::start(name, &house, &upstream, true) else { return };
    let (key, id) = house.issue(&["--permission", "orders.*"]);
    let mut table = Table { proxy: &mut proxy, upstream: &upstream, wrong: Vec::new() };
    guards_still(&mut table, &key, &id);
    house.server.take().unwrap().end();
    lets_pass(&mut table, &key);
    // The kernel takes the connections that nobody here accepts.
    let silent = TcpListener::bind(("127.0.0.1", house.port)).unwrap();
    table.passes("open: Keystead does not answer", "GET", "/v1/orders", &FORGED[..1], b"");
    drop(silent);
    house.serve();
    let mut back = Message::default();
    while back.status() != 401 {
        back = table.ask("GET", "/v1/orders", &[], b"").0;
    }
    guards_still(&mut table, &key, &id);
    assert!(table.wrong.is_empty(), "{}: {} wrong:\n{}", name, table.wrong.len(), table.wrong.join("\n"));
}

/// While Keystead answers, nothing is open: not even to what it cannot read.
fn guards_still(table: &mut Table<'_>, key: &str, id: &str) {
    table.refused("open: no key", ("GET", "/v1/orders", &[]), 401, "malformed");
    table.refused("open: an endpoint that nobody lists", ("GET", "/v2", &[]), 403, "endpoint_denied");
    for size in [5_000, 11_000, 14_000, 15_500, 20_000, 31_000, 59_000, 200_000] {
        let half = "x".repeat(size / 2);
        let headers = [("X-Half", half.as_str()), ("X-Other-Half", half.as_str())];
        table.kept_out(&format!("open: a head of {size} bytes"), "GET", "/v1/orders", &headers);
        let target = format!("/v1/orders?{half}");
        table.kept_out(&format!("open: a target of {size} bytes"), "GET", &target, &headers[..1]);
    }
    let names: Vec<String> = (0..150).map(|number| format!("X-Number-{number}")).collect();
    for count in [60, 70, 95, 101, 150] {
        let headers: Vec<(&str, &str)> = names.iter().take(count).map(|name| (name.as_str(), "1")).collect();
        table.kept_out(&format!("open: {count} fields"), "GET", "/v1/orders", &headers);
    }
    for (name, value) in
        [("X-Odd", "\u{1}"), ("X-Odd", "\u{7f}"), ("X-Odd", "\u{e9}"), ("X Odd", "1"), ("Upgrade", "h2c")]
    {
        table.kept_out(&format!("open: {name}: {value:?}"), "GET", "/v1/orders", &[(name, value)]);
    }
    for target in ["/v1/orders%00", "/v1/orders\u{e9}", "/v1/orders%2f..", "http://b/v1/orders", "*"] {
        table.kept_out(&format!("open: {target}"), "GET", target, &[]);
    }
    for method in ["BREW", "CONNECT", "TRACE"] {
        table.kept_out(&format!("open: {method}"), method, "/v1/orders", &[]);
    }
    let reached = table.passes("open: a key", "GET", "/v1/orders", &[("X-API-Key", key)], b"");
    table.check(reached.header(WHO) == Some(id), "open: a key: identity", &reached);
    for forged in FORGED {
        let headers = [("X-API-Key", key), forged];
        let (answer, reached) = table.ask("GET", "/v1/orders", &headers, b"");
        let told = format!("{reached:?}");
        table.check(!told.contains("key_forged"), &format!("open: {}", forged.0), &(answer, reached));
    }
}

/// Keystead is down: requests pass as nobody's.
fn lets_pass(table: &mut Table<'_>, key: &str) {
    let body = vec![b'x'; 300_000];
    let with_key = [FORGED[0], FORGED[1], FORGED[2], FORGED[3], ("X-API-Key", key)];
    for (method, body) in [("GET", &[][..]), ("POST", &body)] {
        let what = format!("open: {method} while Keystead is down");
        let reached = table.passes(&what, method, "/v1/orders?a=%2f", &with_key, body);
        table.check(reached.first.starts_with(method) && reached.body == body, &what, &reached.first);
        let nobody = reached.headers.iter().all(|(name, _)| !name.starts_with(OURS));
        table.check(nobody, &format!("{what}: identity"), &reached.headers);
        table.check(
            !format!("{:?}", reached.headers).contains("key_forged"),
            &format!("{what}: forged"),
            &reached.headers,
        );
        let stripped = reached.header("x-api-key").is_none();
        let expected = !table.proxy.name.starts_with("envoy");
        table.check(stripped == expected, &format!("{what}: the key"), &reached.headers);
    }
}

#[test]
fn nginx_opens_where_its_recipe_is_told_to() {
    opens("nginx");
}

#[test]
fn envoy_opens_where_its_recipe_is_told_to() {
    opens("envoy");
}

#[test]
fn envoy_opens_over_grpc_where_its_recipe_is_told_to() {
    opens("envoy-grpc");
}

#[test]
fn haproxy_opens_where_its_recipe_is_told_to() {
    opens("haproxy");
}
