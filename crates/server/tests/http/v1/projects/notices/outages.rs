//! Notices while mail servers, nodes and processes fail.

use super::delivery::{HOURS, deliver, header, long, metric, only, with_notice};
use super::{PATH, key_of_customer, notices};
use crate::house::{House, MailServer, on_both_engines, read, smtp_at};
use keystead_mail::Smtp;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

on_both_engines! {
    a_dead_server_loses_nothing,
    a_server_that_does_not_answer_is_given_up_in_time,
    a_server_that_hangs_holds_up_neither_requests_nor_the_stop,
    of_two_nodes_one_sends_it,
    a_restart_in_between_sends_it_once,
    a_crash_before_the_record_repeats_it_recognisably,
    after_five_days_it_is_given_up,
    without_a_mail_server_it_waits_and_says_so,
}

/// Where nothing listens.
const NOBODY: u16 = 1;

async fn a_dead_server_loses_nothing(mut house: House) {
    with_notice(&mut house, smtp_at(NOBODY)).await;
    for attempts in 1..=5 {
        assert!(!deliver(&house).await);
        assert_eq!(only(&house).await["attempts"], attempts);
        house.wait(HOURS);
    }
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    assert!(deliver(&house).await);
    assert!(server.next().await.is_some());
    assert_eq!(only(&house).await["state"], "sent");
}

async fn a_server_that_does_not_answer_is_given_up_in_time(mut house: House) {
    // The system takes the connection, and nobody ever says anything on it.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = smtp_at(silent.local_addr().unwrap().port());
    with_notice(&mut house, Smtp { timeout: Duration::from_millis(200), ..smtp }).await;
    assert!(!deliver(&house).await);
    assert_eq!(only(&house).await["state"], "retrying");
}

async fn a_server_that_hangs_holds_up_neither_requests_nor_the_stop(mut house: House) {
    let answers = json!({"rcpt": ["450 busy"], "data": ["hang"]});
    let Some(mut server) = MailServer::start(answers).await else { return };
    let id = with_notice(&mut house, server.smtp()).await["id"].as_str().unwrap().to_owned();
    deliver(&house).await;
    house.admin.poke(&format!("{PATH}/{id}/retry")).await.ok();
    assert_eq!(server.next().await, Some(json!({"hanging": "data"})));
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["attempts"]), (&json!("sending"), &json!(2)));
    house.admin.poke(&format!("{PATH}/{id}/retry")).await.refused(409, "conflict");
    let key = house.admin.issue(json!({})).await;
    assert_eq!(house.asker.ask(&key.key, json!({})).await["valid"], true);
    // Far less than the ten minutes that the mail server has for its answer.
    tokio::time::timeout(Duration::from_secs(60), house.restart()).await.unwrap();
    let notice = only(&house).await;
    assert_eq!(notice["state"], "retrying");
    let error = notice["last_error"].as_str().unwrap();
    assert!(error.contains("450"), "a stop is no fault of the mail server's: {error}");
    assert!(deliver(&house).await, "a start begins with what the stop cut short");
    assert!(server.next().await.unwrap()["text"].is_string());
    assert_eq!(only(&house).await["state"], "sent");
    assert_eq!(server.end().await.len(), 0);
}

async fn of_two_nodes_one_sends_it(mut house: House) {
    let Some(server) = MailServer::start(json!({})).await else { return };
    with_notice(&mut house, server.smtp()).await;
    for _ in 0..9 {
        house.admin.rotate(&key_of_customer(&house).await, long()).await;
    }
    let second = house.second_node().await;
    let other = second.as_ref().unwrap_or(&house.keystead);
    let (one, two) = tokio::join!(house.keystead.deliver(), other.deliver());
    assert!(one.unwrap() && two.unwrap());
    // One may have left alone what the other was about to send.
    deliver(&house).await;
    assert!(notices(&house).await.iter().all(|notice| notice["state"] == "sent" && notice["attempts"] == 1));
    if let Some(second) = second {
        second.close().await;
    }
    let letters = server.end().await;
    let mut ids: Vec<_> =
        letters.iter().map(|letter| header(&read(letter).0, "Message-ID").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((letters.len(), ids.len()), (10, 10));
}

async fn a_restart_in_between_sends_it_once(mut house: House) {
    let Some(mut server) = MailServer::start(json!({"rcpt": ["450 busy"]})).await else { return };
    with_notice(&mut house, server.smtp()).await;
    deliver(&house).await;
    house.restart().await;
    assert_eq!(only(&house).await["state"], "retrying");
    house.wait(HOURS);
    deliver(&house).await;
    house.restart().await;
    house.wait(HOURS);
    deliver(&house).await;
    assert_eq!(only(&house).await["state"], "sent");
    assert!(server.next().await.is_some());
    assert_eq!(server.end().await.len(), 0);
}

/// The mail server has taken it, and whoever was to record that is gone.
async fn a_crash_before_the_record_repeats_it_recognisably(mut house: House) {
    let Some(mut server) = MailServer::start(json!({"after": ["hang"]})).await else { return };
    with_notice(&mut house, server.smtp()).await;
    let keystead = Arc::clone(&house.keystead);
    let dying = tokio::spawn(async move { keystead.deliver().await });
    let first = server.next().await.unwrap();
    assert_eq!(server.next().await, Some(json!({"hanging": "after"})));
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    // Whoever has taken it has a while; until then nobody else sends it.
    deliver(&house).await;
    assert_eq!(only(&house).await["state"], "sending");
    house.wait(HOURS);
    deliver(&house).await;
    let second = server.next().await.unwrap();
    assert_eq!(header(&read(&first).0, "Message-ID"), header(&read(&second).0, "Message-ID"));
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["attempts"]), (&json!("sent"), &json!(2)));
    assert_eq!(server.end().await.len(), 0);
}

async fn after_five_days_it_is_given_up(mut house: House) {
    let id = with_notice(&mut house, smtp_at(NOBODY)).await["id"].as_str().unwrap().to_owned();
    assert!(!deliver(&house).await);
    house.wait(5 * 86_400 + 1);
    // The server is back, but by now nobody expects it.
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    assert!(deliver(&house).await);
    let notice = only(&house).await;
    assert_eq!(notice["state"], "given_up");
    house.admin.poke(&format!("{PATH}/{id}/retry")).await.ok();
    assert!(server.next().await.is_some());
    assert_eq!(server.end().await.len(), 0);
}

async fn without_a_mail_server_it_waits_and_says_so(mut house: House) {
    house.admin.rotate(&key_of_customer(&house).await, long()).await;
    house.wait(3 * 86_400);
    assert!(deliver(&house).await);
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["attempts"]), (&json!("waiting_for_smtp"), &json!(0)));
    assert!(notice["fix"].as_str().unwrap().contains("hand subject and text"), "{notice}");
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    assert_eq!(only(&house).await["state"], "waiting");
    house.keystead.count_mail().await.unwrap();
    assert_eq!(metric(&house, "keystead_mail_waiting ").await, 1);
    assert_eq!(metric(&house, "keystead_mail_oldest_seconds ").await, 3 * 86_400);
    deliver(&house).await;
    assert!(server.next().await.is_some());
    assert_eq!(only(&house).await["state"], "sent");
}
