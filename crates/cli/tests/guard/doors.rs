//! Sockets at which proxies ask without a key: who can open one, and what becomes of its file.

use crate::house::{House, free_port};
use crate::proxies::Proxy;
use crate::reload::until;
use crate::upstream::Upstream;
use crate::wire::{Message, send};
use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};

/// Asks as nginx does, and proves nothing.
fn asks(key: &str) -> String {
    format!(
        "X-Original-Method: GET\r\nX-Original-URI: /v1/orders\r\nX-Original-Client: 127.0.0.1\r\nX-API-Key: {key}\r\n"
    )
}

fn get(mut stream: impl std::io::Read + Write, path: &str, headers: &str) -> Message {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n").unwrap();
    Message::read(&mut BufReader::new(stream), true).unwrap()
}

fn at_socket(house: &House, path: &str, headers: &str) -> Message {
    get(UnixStream::connect(house.socket()).unwrap(), path, headers)
}

/// What another server says that is started with this configuration, and ends.
fn another(house: &House, tables: &str) -> Output {
    let (file, data) = (house.path("another.toml"), house.path("another"));
    fs::write(&file, tables).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_keystead"));
    server.args(["serve", "--listen", &format!("127.0.0.1:{}", free_port()), "--config"]).arg(file);
    server.arg("--data").arg(data).env_clear().output().unwrap()
}

#[test]
fn who_opens_the_socket_may_ask_and_do_nothing_else() {
    let house = House::start_with(&Upstream::start(), true);
    let mode = fs::metadata(house.socket()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660, "{mode:o}");
    let (key, id) = house.issue(&["--permission", "orders.*"]);
    let passes = at_socket(&house, "/v1/guard/nginx", &asks(&key));
    assert_eq!((passes.status(), passes.header("x-keystead-key-id")), (200, Some(id.as_str())), "{passes:?}");
    assert_eq!(at_socket(&house, "/v1/guard/nginx", &asks("nobody")).status(), 401);
    // What a client forges opens no other door, and shuts none.
    let forged = format!("X-Keystead-Guard: {key}\r\n{}", asks(&key));
    assert_eq!(at_socket(&house, "/v1/guard/nginx", &forged).status(), 200);
    let administrators = format!("Authorization: Bearer {}\r\n", house.environment()[2].1);
    for path in
        ["/v1/projects", "/v1/whoami", "/v1/verify", "/metrics", "/livez", "/openapi.json", "/passkeys"]
    {
        let answer = at_socket(&house, path, &administrators);
        assert_eq!(answer.status(), 404, "{path}: {answer:?}");
    }
    // The port is no socket: there, the proxy proves itself by its key.
    let port = TcpStream::connect(("127.0.0.1", house.port)).unwrap();
    let refused = get(port, "/v1/guard/nginx", &asks(&key));
    assert_eq!((refused.status(), refused.header("x-keystead-status")), (403, Some("503")), "{refused:?}");
}

#[test]
fn a_socket_that_a_killed_server_left_is_taken_and_nothing_else_is() {
    let mut house = House::start_with(&Upstream::start(), true);
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let passes = |house: &House| at_socket(house, "/v1/guard/nginx", &asks(&key)).status() == 200;
    let refused = another(&house, &house.door("live"));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("another process listens there"), "{said}");
    assert!(passes(&house));
    // Dropped, it is killed.
    drop(house.server.take());
    house.serve();
    assert!(passes(&house));
    house.server.take().unwrap().end();
    fs::remove_file(house.socket()).unwrap();
    fs::write(house.socket(), "somebody's").unwrap();
    let refused = another(&house, &house.door("live"));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("there is something else"), "{said}");
    assert_eq!(fs::read_to_string(house.socket()).unwrap(), "somebody's");
    let nowhere = house.door("live").replace("shop.sock", "none/shop.sock");
    let said = String::from_utf8_lossy(&another(&house, &nowhere).stderr).into_owned();
    assert!(said.contains("Make its folder"), "{said}");
}

#[test]
fn an_environment_that_is_not_there_keeps_everything_out_until_it_is() {
    let mut house = House::start_with(&Upstream::start(), true);
    house.server.take().unwrap().end();
    let file = house.path("keystead.toml");
    let tables = fs::read_to_string(&file).unwrap();
    let elsewhere = tables.replace(&house.door("live"), &house.door("staging"));
    fs::write(&file, elsewhere).unwrap();
    house.serve();
    let refused = at_socket(&house, "/v1/guard/nginx", &asks("nobody"));
    assert_eq!((refused.status(), refused.header("x-keystead-status")), (403, Some("503")), "{refused:?}");
    until(|| house.log().contains("a guard or door lets nothing through"));
    house.run(&["environments", "create", "-p", "shop", "--name", "Staging", "--slug", "staging"]);
    assert_eq!(at_socket(&house, "/v1/guard/nginx", &asks("nobody")).status(), 401);
    // Doors are not read again.
    let said = house.reload(&tables, crate::reload::IN_FORCE);
    assert!(said.contains("\"settings\":\"door\""), "{said}");
}

/// Envoy may be told to let pass what Keystead cannot judge: that the door leads nowhere is judged.
#[test]
fn a_door_to_nowhere_opens_nothing_also_where_envoy_stays_open() {
    let upstream = Upstream::start();
    let house = House::start_with(&upstream, true);
    let Some(proxy) = Proxy::start("envoy-grpc-socket", &house, &upstream, true) else { return };
    house.run(&["environments", "delete", "-p", "shop", "live"]);
    for path in ["/v1/open/x", "/v1/orders"] {
        let answer = send(proxy.port, "GET", path, &[], b"");
        assert_eq!((answer.status(), answer.code().as_str()), (503, "unavailable"), "{answer:?}");
    }
    assert!(upstream.take().is_empty());
}

#[test]
fn doctor_looks_at_doors() {
    let house = House::start_with(&Upstream::start(), true);
    let told = |tables: &str| {
        let file = house.path("doctor.toml");
        fs::write(&file, tables).unwrap();
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_keystead"));
        doctor.args(["doctor", "--json", "--config"]).arg(file);
        let output = doctor.arg("--data").arg(house.path("data")).env_clear().output().unwrap();
        let all: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        let door = all.into_iter().find(|finding| finding["check"] == "door").unwrap();
        (door["health"].as_str().unwrap().to_owned(), door["what"].to_string())
    };
    let door = house.door("live");
    let (health, what) = told(&door);
    assert!(health == "ok" && what.contains("listens"), "{what}");
    assert_eq!(told(&door.replace("shop.sock", "later.sock")).0, "ok");
    assert_eq!(told(&door.replace("shop.sock", "none/shop.sock")).0, "failed");
    assert_eq!(told(&door.replace("shop.sock", "keystead.toml")).0, "failed");
    let open = house.path("open");
    fs::create_dir(&open).unwrap();
    for mode in [0o777, 0o1777] {
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        let (health, what) = told(&door.replace("shop.sock", "open/shop.sock"));
        assert!(health == "warning" && what.contains("everybody"), "{what}");
    }
}
