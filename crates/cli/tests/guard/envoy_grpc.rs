//! What Envoy can do over gRPC and not over HTTP.

use crate::WHO;
use crate::house::House;
use crate::proxies::Proxy;
use crate::upstream::Upstream;
use crate::wire::{Message, send};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;

/// Envoy in front of the API, where it is installed.
struct Scene {
    upstream: Upstream,
    house: House,
    proxy: Proxy,
}

impl Scene {
    fn start() -> Option<Self> {
        let upstream = Upstream::start();
        let house = House::start(&upstream);
        let proxy = Proxy::start("envoy-grpc", &house, &upstream, false)?;
        Some(Self { upstream, house, proxy })
    }

    fn get(&self, target: &str, headers: &[(&str, &str)]) -> (Message, Vec<Message>) {
        (send(self.proxy.port, "GET", target, headers, b""), self.upstream.take())
    }

    fn log(&self) -> PathBuf {
        self.house.path("envoy-grpc").join("log")
    }

    /// The access log's line of a request, once it is there.
    fn logged(&self, path: &str) -> Value {
        loop {
            let text = fs::read_to_string(self.log()).unwrap();
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.find(|line| line["path"] == path) {
                return line;
            }
            thread::yield_now();
        }
    }

    /// Changes some fields of the guard.
    fn set(&self, fields: Value) {
        self.house.set_guard(&fields);
    }
}

#[test]
fn envoy_guards_over_grpc_as_its_recipe_says() {
    crate::guards("envoy-grpc");
}

#[test]
fn envoy_guards_over_grpc_from_a_socket() {
    crate::guards("envoy-grpc-socket");
}

#[test]
fn a_key_in_the_query_does_not_reach_the_api() {
    let Some(scene) = Scene::start() else { return };
    let (key, id) = scene.house.issue(&["--permission", "orders.*"]);
    for (sent, left) in [
        (format!("/v1/maps?key={key}"), "/v1/maps"),
        (format!("/v1/maps?zoom=3&key={key}&at=1%2C2"), "/v1/maps?at=1%2C2&zoom=3"),
        // Escaped, it is the same parameter to the API.
        (format!("/v1/maps?%6bey={key}&zoom=3"), "/v1/maps?zoom=3"),
    ] {
        let (answer, reached) = scene.get(&sent, &[]);
        assert_eq!((answer.status(), reached.len()), (200, 1), "{sent}: {answer:?}");
        assert!(!format!("{reached:?}").contains(&key), "{reached:?}");
        let target = reached[0].target();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<&str> = query.split('&').collect();
        pairs.sort_unstable();
        let pairs = pairs.join("&");
        assert_eq!(if pairs.is_empty() { path.to_owned() } else { format!("{path}?{pairs}") }, left);
        assert_eq!(reached[0].header(WHO), Some(id.as_str()));
    }
    // LESSONS 20: two keys, in whatever two places.
    for (target, headers) in [
        (format!("/v1/maps?key={key}&key={key}"), vec![]),
        (format!("/v1/maps?key={key}&%6Bey={key}"), vec![]),
        (format!("/v1/maps?key={key}"), vec![("X-API-Key", key.as_str())]),
    ] {
        let (answer, reached) = scene.get(&target, &headers);
        assert_eq!((answer.status(), reached.len()), (401, 0), "{target}: {answer:?}");
    }
    let (answer, _) = scene.get("/v1/maps?zoom=end", &[("X-API-Key", &key)]);
    assert_eq!(answer.status(), 200);
    scene.logged("/v1/maps");
    let log = fs::read_to_string(scene.log()).unwrap();
    assert!(!log.contains(&key), "{log}");
}

#[test]
fn the_access_log_says_whose_request_it_was_and_why_it_was_refused() {
    let Some(scene) = Scene::start() else { return };
    let (key, id) = scene.house.issue(&["--permission", "orders.*"]);
    scene.get("/v1/orders/passes", &[("X-API-Key", &key)]);
    scene.get("/v1/orders/refused", &[("X-API-Key", "nobodys")]);
    scene.get("/v1/open/x", &[]);
    let line = scene.logged("/v1/orders/passes");
    let expected = json!([id, "shop", "live", null, "127.0.0.1"]);
    assert_eq!(
        json!([line["key_id"], line["project"], line["environment"], line["code"], line["client"]]),
        expected
    );
    let owner = scene.house.json(&["keys", "show", &id])["owner"]["id"].clone();
    assert_eq!(line["owner"], owner);
    assert!(line["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{line}");
    let line = scene.logged("/v1/orders/refused");
    assert_eq!(json!([line["key_id"], line["project"], line["code"]]), json!([null, "shop", "not_found"]));
    let line = scene.logged("/v1/open/x");
    assert_eq!(json!([line["key_id"], line["project"], line["code"]]), json!([null, "shop", null]));
}

#[test]
fn headers_go_to_keystead_as_they_came() {
    let Some(scene) = Scene::start() else { return };
    let (key, id) = scene.house.issue(&["--permission", "orders.*"]);
    // LESSONS 20: neither is lost, nor joined to the other.
    let (answer, reached) = scene.get("/v1/orders", &[("X-API-Key", &key), ("X-API-Key", &key)]);
    assert_eq!((answer.status(), answer.code().as_str(), reached.len()), (401, "malformed", 0));
    // What is no UTF-8 neither keeps the key from being read, nor the request from being judged.
    let raw = |target: &str, key: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", scene.proxy.port)).unwrap();
        let head =
            format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-API-Key: {key}\r\nX-Note: ");
        stream.write_all(&[head.as_bytes(), b"caf\xe9 \xff\xfe\r\n\r\n"].concat()).unwrap();
        let answer = Message::read(&mut BufReader::new(stream), true).unwrap();
        (answer, scene.upstream.take())
    };
    let (answer, reached) = raw("/v1/orders", &key);
    assert_eq!((answer.status(), reached[0].header(WHO)), (200, Some(id.as_str())), "{answer:?}");
    assert!(reached[0].header("x-note").is_some_and(|note| note.starts_with("caf")), "{reached:?}");
    let (answer, reached) = raw("/v1/orders", "nobodys");
    assert_eq!((answer.status(), answer.code().as_str(), reached.len()), (401, "not_found", 0));
    // A head that Envoy takes and that is more than a door reads.
    let many: Vec<String> = (0..70).map(|number| format!("X-Many-{number}")).collect();
    let mut headers: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    headers.push(("X-API-Key", &key));
    let (answer, reached) = scene.get("/v1/orders", &headers);
    assert_eq!((answer.status(), answer.code().as_str(), reached.len()), (431, "headers_too_large", 0));
}

#[test]
fn clients_are_told_what_other_doors_tell_them() {
    let Some(scene) = Scene::start() else { return };
    let limited = ["--permission", "orders.*", "--limit", "default=1/1h", "--expires", "3d"];
    let (key, _) = scene.house.issue(&limited);
    scene.set(json!({"rate_limit_headers": true}));
    let (answer, _) = scene.get("/v1/orders", &[("X-API-Key", &key)]);
    assert!(answer.header("ratelimit").is_some_and(|left| left.starts_with("\"default\";r=0")), "{answer:?}");
    assert!(answer.header("x-keystead-key-expires").is_some(), "{answer:?}");
    assert_eq!(answer.header("x-upstream"), Some("yes"));
    let (answer, _) = scene.get("/v1/orders", &[("X-API-Key", &key)]);
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        problem,
        json!({"type": "urn:keystead:problem:rate_limited", "title": "The limit is used up.", "status": 429,
            "code": "rate_limited", "detail": "The rate limit is used up."})
    );
    assert_eq!(answer.status(), 429);
    let types: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "content-type").collect();
    assert_eq!(types, [&("content-type".to_owned(), "application/problem+json".to_owned())]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("retry-after").is_some() && answer.header("ratelimit").is_some());
}

/// LESSONS 22, where a proxy that is trusted stands before Envoy.
#[test]
fn lesson_22_the_address_is_the_last_that_is_no_trusted_proxys() {
    let Some(scene) = Scene::start() else { return };
    scene.set(json!({"trusted_proxies": ["127.0.0.0/8", "192.0.2.0/24"]}));
    let allow = |network| ["--permission", "orders.*", "--network-allow", network];
    let (last, _) = scene.house.issue(&allow("203.0.113.0/24"));
    let (first, _) = scene.house.issue(&allow("198.51.100.0/24"));
    let forwarded = ("X-Forwarded-For", "198.51.100.9, 203.0.113.7, 192.0.2.1");
    let status = |key: &str| scene.get("/v1/orders", &[("X-API-Key", key), forwarded]).0.status();
    assert_eq!((status(&last), status(&first)), (200, 403));
}
