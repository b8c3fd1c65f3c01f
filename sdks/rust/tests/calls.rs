//! What goes over the wire, and what is made of every kind of answer; against a canned server.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use keystead_sdk::api::{KeyQuery, PageQuery, UpdateRole, Verify, VerifyBatch};
use keystead_sdk::{Client, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers one request with `answer` and gives the request's text.
async fn canned(answer: impl Into<String>) -> (Client, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        // A client that has read enough may hang up before all is written.
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(request).unwrap()
    });
    (Client::builder().url(url).key("test_key").response_bytes_max(10_000).build().unwrap(), server)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let length =
        text.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_call_carries_key_query_and_encoded_path() {
    let (client, server) =
        canned(answer("200 OK", "application/json", r#"{"items":[],"next_cursor":null}"#)).await;
    let query = KeyQuery { text: Some("a&b".to_owned()), never_used: Some(true), ..KeyQuery::default() };
    client.list_keys("../a/b?c%", &query).await.unwrap();
    let request = server.await.unwrap();
    assert!(
        request
            .starts_with("GET /v1/projects/..%2Fa%2Fb%3Fc%25/keys?text=a%26b&never_used=true HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nauthorization: Bearer test_key\r\n"), "{request}");
}

#[tokio::test]
async fn dots_and_nothing_are_no_path_segments_and_nothing_is_sent() {
    let client = Client::new("http://127.0.0.1:1", "k").unwrap();
    for project in ["", ".", ".."] {
        assert!(matches!(client.project(project).await, Err(Error::Invalid { .. })), "{project:?}");
    }
}

#[tokio::test]
async fn an_edit_sends_the_version_that_it_was_made_from() {
    let (client, server) = canned(answer("412 Precondition Failed", "text/plain", "")).await;
    let result = client.update_role("acme", "editor", &UpdateRole::default(), Some(7)).await;
    assert!(matches!(result, Err(Error::Protocol { status: 412, .. })));
    let request = server.await.unwrap();
    assert!(request.contains("\r\nif-match: \"7\"\r\n") && request.ends_with("{}"), "{request}");
}

#[tokio::test]
async fn a_problem_document_becomes_an_error_with_code_and_fix() {
    let body = r#"{"type":"urn:keystead:problem:unknown_role","title":"Unknown role","status":404,"code":"unknown_role",
        "detail":"No role is named x.","fix":"List them.","request_id":"req_1"}"#;
    let (client, _server) =
        canned(answer("404 Not Found", "application/problem+json; charset=utf-8", body)).await;
    let error = client.role("acme", "x").await.unwrap_err();
    assert_eq!(error.to_string(), "No role is named x. List them. (unknown_role, request req_1)");
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn a_problem_that_repeats_the_key_is_told_without_it() {
    let body = r#"{"type":"t","title":"t","status":401,"code":"test_key","detail":"Not test_key.","fix":"test_key?",
        "request_id":"test_key"}"#;
    let (client, _server) = canned(answer("401 Unauthorized", "application/problem+json", body)).await;
    let error = client.role("acme", "x").await.unwrap_err();
    assert_eq!(error.to_string(), "Not …. …? (…, request …)");
    assert!(!format!("{error:?}").contains("test_key"), "{error:?}");
}

#[tokio::test]
async fn a_compressed_answer_is_refused_by_name() {
    let kind = "application/json\r\ncontent-encoding: gzip";
    let (client, _server) = canned(answer("200 OK", kind, r#"{"items":[]}"#)).await;
    let error = client.verify_batch(&VerifyBatch::default()).await.unwrap_err();
    assert!(error.to_string().contains("compressed"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = there.local_addr().unwrap();
    let redirect =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n");
    let (client, _server) = canned(redirect).await;
    let error = client.verify(&Verify::default()).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { status: 307, .. }), "{error}");
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let (client, _server) = canned(answer("200 OK", "application/json", &"9".repeat(10_001))).await;
    let error = client.list_projects(&PageQuery::default()).await.unwrap_err();
    assert!(error.to_string().contains("larger than 10000 bytes"), "{error}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_repeated() {
    let (client, _server) = canned(answer("200 OK", "application/json", r#"{"key":"canary"}"#)).await;
    let error = client.whoami(&keystead_sdk::api::WhoAmI::default()).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_batch_with_a_missing_verdict_is_refused() {
    let (client, _server) = canned(answer("200 OK", "application/json", r#"{"items":[]}"#)).await;
    let batch = VerifyBatch { items: vec![Verify::default()] };
    assert!(matches!(client.verify_batch(&batch).await, Err(Error::Protocol { .. })));
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let error = Client::new("http://127.0.0.1:1", "k").unwrap().is_live().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_so() {
    let (client, _server) = canned(answer("503 Service Unavailable", "text/plain", "loading")).await;
    assert!(!client.is_ready().await.unwrap());
}

/// Answers each request with the next of `answers`, and gives the requests' texts.
async fn canned_in_turn(answers: Vec<Option<String>>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            // Without an answer the connection breaks off.
            if let Some(answer) = answer {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    (Client::builder().url(url).key("test_key").build().unwrap(), server)
}

fn idempotency_key(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap()
}

fn busy(retry_after: &str) -> Option<String> {
    let body = r#"{"type":"x","title":"x","status":503,"code":"overloaded","detail":"x","fix":"x","request_id":"x"}"#;
    let head = answer("503 Service Unavailable", "application/problem+json", body);
    Some(head.replacen("\r\n", &format!("\r\nretry-after: {retry_after}\r\n"), 1))
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_sent_again_under_the_same_name() {
    let made = answer("200 OK", "application/json", r#"{"nothing":"of interest"}"#);
    let (client, server) = canned_in_turn(vec![None, busy("0"), Some(made)]).await;
    let error = client.disable_key("key_1").await.unwrap_err();
    assert!(matches!(error, Error::Protocol { status: 200, .. }), "the last answer counts: {error}");
    let requests = server.await.unwrap();
    let keys: Vec<_> = requests.iter().map(|request| idempotency_key(request)).collect();
    assert!(keys[0].len() == 32 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(requests.iter().all(|request| request.starts_with("POST /v1/keys/key_1/disable HTTP")));
}

#[tokio::test]
async fn a_call_of_the_callers_own_name_carries_it_and_a_refusal_is_not_repeated() {
    let (client, server) = canned_in_turn(vec![Some(answer("422 Unprocessable", "text/plain", ""))]).await;
    client.with_idempotency_key("order-7").disable_key("key_1").await.unwrap_err();
    assert_eq!(idempotency_key(&server.await.unwrap()[0]), "order-7");
}

#[tokio::test]
async fn a_question_is_asked_once_and_has_no_name() {
    let (client, server) = canned_in_turn(vec![None]).await;
    assert!(matches!(client.verify(&Verify::default()).await, Err(Error::Unreachable { .. })));
    assert!(!server.await.unwrap()[0].contains("idempotency-key"));
}
