//! What a Keystead that is broken, hostile, slow, newer or away makes of a request.

use crate::app::{Stage, document, guard, status, whole};
use crate::fake::{self, Fake};
use crate::house::cases;
use crate::wire::{Message, send};
use keystead_sdk::{Client, layer};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

const ASKED: &str = "acme_live_canarycanarycanary";
const OWN: &str = "keystead_live_owncanaryowncanary";

fn bytes(case: &Value, elsewhere: &str) -> Vec<u8> {
    let text = case["body"].as_str().unwrap().replace("{key}", ASKED).replace("{own}", OWN);
    let headers = case["headers"].as_object().unwrap();
    let body = if headers.get("x-test").is_some_and(|test| test == "latin1") {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    } else {
        text.into_bytes()
    };
    let headers: Vec<(&str, String)> = (headers.iter())
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap().replace("{elsewhere}", elsewhere)))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fake::answer(case["status"].as_u64().unwrap(), &headers, &body)
}

/// A log that is kept.
fn kept() -> (Arc<Mutex<Vec<String>>>, impl Fn(&str) + Send + Sync + Clone + 'static) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&lines);
    (lines, move |line: &str| all.lock().unwrap().push(line.to_owned()))
}

fn ask(port: u16) -> Message {
    send(port, "GET", "/v1/routes", &[("X-API-Key", ASKED)], b"")
}

/// What the log has to say of an answer.
fn is_told(case: &Value, lines: &[String]) -> bool {
    let Some(line) = lines.first() else {
        return matches!(case["becomes"].as_str(), Some("allowed" | "refused"));
    };
    let is_plain = lines.len() == 1 && !line.contains("canary") && !line.chars().any(char::is_control);
    let is_foreign = line.contains("not Keystead's");
    let code = case["code"].as_str();
    is_plain
        && match case["becomes"].as_str() {
            Some("problem") => !is_foreign && line.contains(code.unwrap()),
            Some("protocol") => is_foreign,
            Some("server") => code.is_none_or(|code| line.contains(code)),
            _ => false,
        }
}

#[test]
fn answers_open_only_for_what_no_client_can_bring_about() {
    let stage = Stage::new();
    let table = cases("answers");
    assert!(table.as_array().unwrap().len() > 30);
    let mut wrong = Vec::new();
    for (opened, case) in [false, true]
        .into_iter()
        .flat_map(|opened| table.as_array().unwrap().iter().map(move |case| (opened, case)))
    {
        let (lines, log) = kept();
        let elsewhere = Fake::saying(fake::valid());
        let keystead = Fake::saying(bytes(case, &elsewhere.url));
        let mut built = guard(&keystead.url, OWN).error_log(log);
        if opened {
            built = built.open_when_unreachable();
        }
        let answer = ask(stage.serve(whole(&built)));
        let judged = case["becomes"] == "allowed";
        let passes = judged || opened && case["becomes"] == "server";
        let wanted = if passes {
            200
        } else if case["code"] == "unknown" {
            403
        } else {
            503
        };
        let said = document(&answer);
        let is_so = answer.status() == wanted
            && (!passes || (said["valid"] == judged && (judged || said["key_id"].is_null())))
            && (wanted != 403 || said["code"] == "unknown")
            && (wanted != 503 || (answer.header("retry-after").is_some() && said["code"] == "unavailable"));
        let is_quiet = !format!("{answer:?}{}", String::from_utf8_lossy(&answer.body)).contains("canary");
        let is_asked_once = keystead.take().len() == 1 && elsewhere.take().is_empty();
        let lines = lines.lock().unwrap();
        if !(is_so && is_quiet && is_asked_once && is_told(case, &lines)) {
            wrong.push(format!("{} (open: {opened}): {answer:?} {lines:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_request_id_that_repeats_a_key_is_not_told() {
    let body = format!(
        r#"{{"valid": false, "code": "revoked", "permissions": [], "limits": [], "request_id": "{OWN} {ASKED}\n"}}"#
    );
    let keystead = Fake::saying(fake::answer(200, &[("Content-Type", "application/json")], body.as_bytes()));
    let answer = ask(Stage::new().serve(whole(&guard(&keystead.url, OWN))));
    assert_eq!((answer.status(), document(&answer)["request_id"].as_str()), (401, Some("… … ")));
}

#[test]
fn down_is_closed_unless_it_was_to_be_open() {
    let stage = Stage::new();
    let down = || guard("http://127.0.0.1:1", OWN);
    let answer = ask(stage.serve(whole(&down())));
    assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("1")));
    let open = stage.serve(whole(&down().open_when_unreachable()));
    let said = document(&ask(open));
    assert_eq!((&said["valid"], &said["key_id"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(said["code"], "unavailable");
    let key = ("X-API-Key", ASKED);
    for headers in [&[][..], &[("X-API-Key", "a,b")], &[key, key]] {
        assert_eq!(status(open, "GET", "/v1/routes", headers), 401, "{headers:?}");
    }
}

/// Somebody who hangs up must not have an open guard do what nobody judged.
#[test]
fn who_goes_away_does_not_open() {
    let (asked, is_asked) = mpsc::channel();
    let (ended, is_ended) = mpsc::channel();
    let keystead = Fake::start(move |stream| {
        asked.send(()).unwrap();
        // Until the guard gives up.
        let _ = stream.read_to_end(&mut Vec::new());
        ended.send(()).unwrap();
    });
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let open = guard(&keystead.url, OWN).timeout(Duration::from_secs(60)).open_when_unreachable();
    let handler = move || async move { counted.fetch_add(1, Ordering::SeqCst).to_string() };
    let layer = open.build().unwrap().authenticate();
    let stage = Stage::new();
    let port = stage.serve(axum::Router::new().fallback(handler).layer(layer));
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(client, "GET / HTTP/1.1\r\nHost: api.shop.example\r\nX-API-Key: {ASKED}\r\n\r\n").unwrap();
    is_asked.recv().unwrap();
    drop(client);
    is_ended.recv_timeout(Duration::from_secs(30)).expect("the guard asks on for nobody");
    drop(stage);
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[test]
fn too_slow_is_no_verdict() {
    let drip = |stream: &mut TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() {
            std::thread::yield_now();
            sent = stream.write_all(b" ");
        }
    };
    let silent = |stream: &mut TcpStream| drop(stream.read_to_end(&mut Vec::new()));
    let stage = Stage::new();
    for keystead in [Fake::start(drip), Fake::start(silent)] {
        let (lines, log) = kept();
        let built = guard(&keystead.url, OWN).timeout(Duration::from_millis(200)).error_log(log);
        assert_eq!(ask(stage.serve(whole(&built))).status(), 503);
        let told = lines.lock().unwrap().concat();
        assert!(told.contains("no answer in time"), "{told}");
    }
    let built = guard(&Fake::start(silent).url, OWN).timeout(Duration::from_millis(200));
    assert_eq!(ask(stage.serve(whole(&built.open_when_unreachable()))).status(), 200);
}

#[test]
fn a_hundred_megabytes_are_not_read() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let keystead = Fake::start(move |stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n";
        let mut going = stream.write_all(head);
        while going.is_ok() && counted.fetch_add(65_536, Ordering::SeqCst) < 100 << 20 {
            going = stream.write_all(&[b' '; 65_536]);
        }
    });
    assert_eq!(ask(Stage::new().serve(whole(&guard(&keystead.url, OWN)))).status(), 503);
    assert!(sent.load(Ordering::SeqCst) < 50 << 20);
}

#[test]
fn a_connection_that_breaks_is_no_verdict() {
    let stage = Stage::new();
    for said in ["", "canary garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"] {
        let (lines, log) = kept();
        let keystead = Fake::saying(said);
        assert_eq!(ask(stage.serve(whole(&guard(&keystead.url, OWN).error_log(log)))).status(), 503);
        let told = lines.lock().unwrap().concat();
        assert!(told.contains("could not reach") && !told.contains("canary"), "{told}");
    }
}

#[test]
fn nothing_shows_a_key() {
    let built = guard("http://127.0.0.1:1", OWN);
    let made = built.clone().build().unwrap();
    let layer = made.require("routes.read");
    let guarded = tower::Layer::layer(&layer, ());
    let shown = format!("{built:?} {made:#?} {layer:?} {guarded:?}");
    assert!(shown.contains("127.0.0.1:1") && !shown.contains("canary"), "{shown}");
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let fresh = || layer::Guard::builder(Client::new("https://example.com", OWN).unwrap());
    let wrong = [
        fresh().realm(r#"a"b"#),
        fresh().realm("a\r\nb"),
        fresh().realm(""),
        fresh().credentials(Vec::<String>::new()),
        fresh().credentials(["X-API-Key", "x-api-key"]),
        fresh().credentials(["X API Key"]),
        fresh().credentials(["X_API_Key"]),
        fresh().trusted_proxies(["example.com"]),
        fresh().timeout(Duration::ZERO),
        fresh().timeout(Duration::from_secs(61)),
        fresh().cache(Duration::from_secs(11), 10),
        fresh().cache(Duration::ZERO, 10),
        fresh().cache(Duration::from_secs(1), 0),
        fresh().cache(Duration::from_secs(1), 1_000_001),
    ];
    for (at, builder) in wrong.into_iter().enumerate() {
        let error = builder.build().err().unwrap_or_else(|| panic!("{at} was taken"));
        assert!(
            matches!(error, keystead_sdk::Error::Invalid { .. }) && !error.to_string().contains("canary")
        );
    }
    let clock = || (Duration::ZERO, SystemTime::UNIX_EPOCH);
    assert!(fresh().cache(Duration::from_secs(10), 1_000_000).clock(clock).build().is_ok());
}
