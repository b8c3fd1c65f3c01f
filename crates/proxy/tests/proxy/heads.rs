//! What reaches the upstream of a request's head, and the client of an answer's.

use crate::house::{Upstream, allow, decide, full, open, say, settings, start};
use http::{HeaderName, HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use keystead_guard::{Allowed, Answer};

#[tokio::test]
async fn what_is_for_one_connection_only_stays_there() {
    let upstream = Upstream::start(async |_: Request<Incoming>| {
        let answer = Response::builder().header("connection", "x-theirs").header("x-theirs", "1");
        answer.header("keep-alive", "timeout=9").header("x-kept", "1").body(full("ok")).unwrap()
    })
    .await;
    let proxy = open(&[upstream.address]).await;
    let request = "GET /a%20b?q=%2F HTTP/1.1\r\nHost: api.example:81\r\nConnection: close, X-Mine, Host\r\nX-Mine: 1\r\n\
                   Keep-Alive: 5\r\nTE: trailers, gzip\r\nProxy-Authorization: x\r\nAccept: */*\r\n\r\n";
    let answer = say(proxy.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok"), "{answer}");
    assert!(
        answer.contains("x-kept: 1") && !answer.contains("x-theirs") && !answer.contains("timeout=9"),
        "{answer}"
    );
    let seen = upstream.only();
    for gone in ["x-mine", "keep-alive", "proxy-authorization"] {
        assert!(!seen.contains_key(gone), "{gone}");
    }
    assert_eq!((&seen["te"], &seen["connection"]), (&"trailers".parse().unwrap(), &"te".parse().unwrap()));
    assert_eq!(
        (&seen["host"], &seen["accept"]),
        (&"api.example:81".parse().unwrap(), &"*/*".parse().unwrap())
    );
    assert_eq!(seen["via"], "1.1 keystead");
    let head = upstream.seen.lock()[0].clone();
    assert_eq!((head.uri.to_string().as_str(), head.version), ("/a%20b?q=%2F", Version::HTTP_11));
}

/// LESSONS 15, 16, 17, 18, 22.
#[tokio::test]
async fn lesson_15_what_a_client_says_of_itself_is_replaced() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6\r\nforwarded: for=6.6.6.6\r\n\
                   x-forwarded-proto: https\r\nx-forwarded-host: b\r\nx-forwarded-prefix: /admin\r\nx-real-ip: 6.6.6.6\r\n\
                   x_forwarded_for: 6.6.6.6\r\nx-original-url: /admin\r\nx-http-method-override: DELETE\r\n\
                   x-keystead-guard: ks\r\nx-keystead-owner: con_x\r\nx_keystead_owner: con_x\r\n\r\n";
    say(proxy.address, request).await;
    let seen = upstream.only();
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen["forwarded"], "for=127.0.0.1;host=\"a\";proto=http");
    assert_eq!(
        (&seen["x-forwarded-proto"], &seen["x-forwarded-host"]),
        (&"http".parse().unwrap(), &"a".parse().unwrap())
    );
    let mut names: Vec<&str> = seen.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["forwarded", "host", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]
    );
}

#[tokio::test]
async fn what_was_decided_changes_the_request_and_the_answer() {
    let upstream = Upstream::start(async |_: Request<Incoming>| {
        Response::builder().header("x-theirs", "1").body(full("ok")).unwrap()
    })
    .await;
    let decide = decide(|parts, peer| {
        assert!(peer.is_loopback() && parts.headers.contains_key("x-api-key"));
        let header = HeaderName::from_static;
        Answer::Allow(Allowed {
            set: vec![(header("x-keystead-key-id"), HeaderValue::from_static("key_1"))],
            remove: vec![header("x-api-key"), header("x-keystead-owner")],
            remove_parameter: Some("api_key".into()),
            to_client: vec![(header("ratelimit"), HeaderValue::from_static("\"day\";r=1"))],
        })
    });
    let proxy = start(settings(&[upstream.address]), decide, None).await;
    // It cannot be kept by calling it a matter of the connection.
    let request = "GET /a?api_key=ks_x&b=1 HTTP/1.1\r\nhost: a\r\nconnection: close, x-keystead-key-id\r\n\
                   x-api-key: ks_x\r\nX-Keystead-Key-Id: key_2\r\nx-keystead-owner: con_2\r\n\r\n";
    let answer = say(proxy.address, request).await;
    assert!(answer.contains("ratelimit: \"day\";r=1\r\n") && answer.contains("x-theirs: 1\r\n"), "{answer}");
    let seen = upstream.only();
    assert_eq!(seen.get_all("x-keystead-key-id").iter().collect::<Vec<_>>(), ["key_1"]);
    assert!(!seen.contains_key("x-api-key") && !seen.contains_key("x-keystead-owner"));
    assert_eq!(upstream.seen.lock()[0].uri, "/a?b=1");
}

#[tokio::test]
async fn head_has_the_head_of_get_and_no_body() {
    let upstream = Upstream::start(async |_: Request<Incoming>| Response::new(full("twelve bytes"))).await;
    let proxy = open(&[upstream.address]).await;
    let answer = say(
        proxy.address,
        "HEAD / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(answer.matches("content-length: 12\r\n").count(), 2, "{answer}");
    assert_eq!(answer.matches("twelve bytes").count(), 1, "{answer}");
}

#[tokio::test]
async fn hosts_that_cannot_be_told_apart_and_connect_are_refused() {
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), None).await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET / HTTP/1.1\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: u@a\r\n", "400"),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n", "405"),
    ] {
        let answer = say(proxy.address, format!("{head}connection: close\r\n\r\n")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("\"fix\":"),
            "{answer}"
        );
    }
    assert_eq!(upstream.count(), 0);
}
