//! Keys that are revoked, a guard that observes, a Keystead that goes away and comes back.

use crate::Table;
use crate::WHO;
use crate::house::House;
use crate::proxies::{AT_SOCKET, OWN};
use crate::wire::Wire;
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

pub(crate) fn go_on(table: &mut Table<'_>, house: &mut House) {
    let (key, id) = house.issue(&["--permission", "orders.*"]);
    let headers = [("X-API-Key", key.as_str())];
    let mut kept = Wire::to(table.proxy.port);
    let before = kept.send("GET", "/v1/orders", &headers, b"").status();
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let after = kept.send("GET", "/v1/orders", &headers, b"");
    table.check((before, after.status()) == (200, 401), "revoked on a connection that is kept", &after);
    table.check(after.code() == "revoked", "revoked: code", &after);
    table.upstream.take();

    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let headers = [("X-API-Key", key.as_str())];
    let mode = |mode| drop(house.run(&["guard", "mode", mode, "-p", "shop"]));
    mode("observe");
    let home_made = [("X-API-Key", "home-made"), ("X-Tenant", "7")];
    let reached = table.passes("observing: a home-made key", "GET", "/v1/orders", &home_made, b"");
    table.check(reached.header("x-api-key") == Some("home-made"), "observing: it goes on", &reached);
    table.check(reached.header(WHO).is_none(), "observing: nobody is known", &reached);
    let reached = table.passes("observing: a key of ours", "GET", "/v1/orders", &headers, b"");
    table.check(
        reached.header(WHO).is_some() && reached.header("x-api-key").is_none(),
        "observing: known",
        &reached,
    );
    mode("enforce");
    table.refused("enforcing again", ("GET", "/v1/orders", &home_made), 401, "not_found");

    house.server.take().unwrap().end();
    if table.proxy.name != OWN {
        // Where Keystead is down, so is its own proxy.
        without_keystead(table, house, &headers);
    }
    house.serve();
    table.proxy.answers();
    table.upstream.take();
    table.passes("Keystead is there again", "GET", "/v1/orders", &headers, b"");
    // Ending in order has written what was observed.
    let report = house.json(&["guard", "report", "-p", "shop"]);
    let observed = report["items"].as_array().unwrap().iter().find(|row| row["code"] == "malformed");
    let is_told = observed.is_some_and(|row| row["route"] == "GET /v1/orders" && row["ip"] == "127.0.0.1");
    table.check(is_told, "the report", &report);
}

fn without_keystead(table: &mut Table<'_>, house: &House, headers: &[(&str, &str)]) {
    // The kernel takes the connections that nobody here accepts.
    if table.proxy.name.ends_with(AT_SOCKET) {
        fs::remove_file(house.socket()).unwrap();
        let silent = UnixListener::bind(house.socket()).unwrap();
        table.kept_out("Keystead does not answer", "GET", "/v1/orders", headers);
        drop(silent);
    } else {
        let silent = TcpListener::bind(("127.0.0.1", house.port)).unwrap();
        table.kept_out("Keystead does not answer", "GET", "/v1/orders", headers);
        drop(silent);
    }
    table.kept_out("Keystead is down", "GET", "/v1/orders", headers);
    table.kept_out("Keystead is down, a public route", "GET", "/v1/open/x", &[]);
}
