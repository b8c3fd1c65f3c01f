//! `POST /v1/mail/test`

use crate::house::{House, LOG, MailServer, login, on_both_engines, read, smtp_at};
use keystead_mail::Smtp;
use serde_json::json;

on_both_engines! {
    only_the_operator_sends_a_test_message,
    a_test_message_arrives_and_is_on_record,
    what_is_wrong_is_told_without_the_password,
    ten_test_messages_an_hour,
}

const PATH: &str = "/v1/mail/test";

async fn only_the_operator_sends_a_test_message(house: House) {
    let body = json!({"to": "ops@example.com"});
    for caller in [&*house.admin, &*house.other, &*house.asker] {
        caller.post(PATH, body.clone()).await.refused(403, "forbidden");
    }
    let refused = house.operator.post(PATH, body).await.refused(409, "conflict");
    assert!(refused["fix"].as_str().unwrap().contains("smtp.host"), "{refused}");
    for to in ["", "ops", "ops@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com"] {
        let refused = house.operator.post(PATH, json!({"to": to})).await.refused(422, "invalid_field");
        assert_eq!(refused["field"], "/to");
    }
}

async fn a_test_message_arrives_and_is_on_record(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    let told = house.operator.post(PATH, json!({"to": "ops@example.com"})).await.ok();
    assert_eq!((&told["accepted"], &told["to"]), (&json!(true), &json!("ops@example.com")));
    assert!(told["error"].is_null() && told["fix"].is_null());
    let letter = server.next().await.unwrap();
    assert_eq!(letter["to"], json!(["ops@example.com"]));
    let (headers, _) = read(&letter);
    assert!(
        headers.contains(&("Message-ID".into(), told["message_id"].as_str().unwrap().into())),
        "{headers:?}"
    );
    let acts = house.operator.get("/v1/audit?action=mail.test").await.ok();
    assert_eq!(acts["items"][0]["target"]["id"], "ops@example.com");
}

async fn what_is_wrong_is_told_without_the_password(mut house: House) {
    let Some(server) = MailServer::start(json!({"user": "keys", "password": "right"})).await else { return };
    let smtp = Smtp { login: login("keys", "canary-of-a-test"), ..server.smtp() };
    house.mail_through(Some(smtp)).await;
    let answer = house.operator.post(PATH, json!({"to": "ops@example.com"})).await;
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    let told = answer.ok();
    assert_eq!(told["accepted"], false);
    assert!(told["error"].as_str().unwrap().contains("535"), "{told}");
    assert!(told["fix"].as_str().unwrap().contains("smtp.username"), "{told}");
    assert!(!String::from_utf8_lossy(&LOG.lock()).contains("canary-of-a-test"));
    assert_eq!(server.end().await.len(), 0);
}

async fn ten_test_messages_an_hour(mut house: House) {
    // Nobody listens there: whether they are taken does not matter.
    house.mail_through(Some(smtp_at(1))).await;
    let send = async || house.operator.post(PATH, json!({"to": "ops@example.com"})).await;
    for _ in 0..10 {
        assert_eq!(send().await.ok()["accepted"], false);
    }
    house.wait(600);
    let refused = send().await;
    assert_eq!(refused.headers["retry-after"], "3000");
    refused.refused(429, "rate_limited");
    house.wait(3_000);
    assert_eq!(send().await.ok()["accepted"], false);
}
