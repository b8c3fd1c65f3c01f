//! Notices on their way through a real mail server.

use super::{PATH, key_of_customer, notices};
use crate::house::{
    Authority, House, LETTERS_HOUR_MAX, LOG, MailServer, login, merged, on_both_engines, read,
};
use keystead_mail::{Security, Smtp};
use serde_json::{Value, json};

on_both_engines! {
    a_notice_goes_out_once_and_is_marked,
    starttls_and_tls_trust_a_private_authority_and_nobody_else,
    a_server_that_offers_no_tls_gets_nothing,
    a_refused_password_sends_nothing_and_gives_nothing_up,
    what_is_refused_for_now_is_tried_again,
    what_is_refused_for_good_is_given_up_until_somebody_asks,
    each_recipient_gets_a_letter_of_their_own_once,
    a_contact_that_was_corrected_gets_it_instead,
    a_contact_that_was_taken_away_gets_nothing,
    more_than_an_hours_share_waits_for_the_next,
}

pub(super) const CONTACT: &str = "noc@customer.example";
/// Longer than any back-off, and than any letter may take.
pub(super) const HOURS: i64 = 6 * 3_600;

/// A rotation that does not end, and so is not told of again, while a test moves the clock.
pub(super) fn long() -> Value {
    json!({"grace_seconds": 7_776_000})
}

/// A house with one notice that waits, and this mail server.
pub(super) async fn with_notice(house: &mut House, smtp: Smtp) -> Value {
    house.mail_through(Some(smtp)).await;
    let old = key_of_customer(house).await;
    house.admin.rotate(&old, long()).await;
    let told = notices(house).await;
    assert_eq!((told.len(), &told[0]["state"]), (1, &json!("waiting")));
    told[0].clone()
}

pub(super) async fn only(house: &House) -> Value {
    let mut told = notices(house).await;
    assert_eq!(told.len(), 1);
    told.remove(0)
}

pub(super) async fn deliver(house: &House) -> bool {
    house.keystead.deliver().await.unwrap()
}

pub(super) async fn metric(house: &House, name: &str) -> u64 {
    let text = house.stranger.get("/metrics").await.text;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
}

pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found: Vec<_> = headers.iter().filter(|(has, _)| has.eq_ignore_ascii_case(name)).collect();
    assert_eq!(found.len(), 1, "{name}: {headers:?}");
    &found[0].1
}

async fn a_notice_goes_out_once_and_is_marked(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let notice = with_notice(&mut house, server.smtp()).await;
    house.wait(10);
    assert!(deliver(&house).await && deliver(&house).await);
    let letter = server.next().await.unwrap();
    assert_eq!((&letter["sender"], &letter["to"]), (&json!("keys@keystead.example"), &json!([CONTACT])));
    assert_eq!(letter["hello"], "keystead.example");
    let (headers, text) = read(&letter);
    let id = notice["id"].as_str().unwrap();
    assert_eq!(header(&headers, "Message-ID"), format!("<{id}@keystead.example>"));
    assert_eq!(header(&headers, "Subject"), notice["subject"].as_str().unwrap());
    assert_eq!(header(&headers, "To"), CONTACT);
    assert_eq!(header(&headers, "Reply-To"), "ops@keystead.example");
    assert_eq!(header(&headers, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&headers, "Date"), "Thu, 01 Jan 2026 00:00:10 +0000");
    assert!(header(&headers, "From").ends_with("<keys@keystead.example>"), "{headers:?}");
    assert!(text.contains("What to do:"), "{text}");
    let sent = only(&house).await;
    assert_eq!((&sent["state"], &sent["attempts"]), (&json!("sent"), &json!(1)));
    assert_eq!((&sent["sent_at"], &sent["delivered"]), (&json!("2026-01-01T00:00:10Z"), &json!([CONTACT])));
    assert!(sent["last_error"].is_null() && sent["fix"].is_null() && sent["next_attempt_at"].is_null());
    house.keystead.count_mail().await.unwrap();
    assert_eq!(
        (metric(&house, "keystead_mail_sent_total ").await, metric(&house, "keystead_mail_waiting ").await),
        (1, 0)
    );
    let retry = format!("{PATH}/{id}/retry");
    house.admin.poke(&retry).await.refused(409, "conflict");
    house.wait(HOURS);
    deliver(&house).await;
    assert_eq!(server.end().await, Vec::<Value>::new());
}

async fn starttls_and_tls_trust_a_private_authority_and_nobody_else(mut house: House) {
    let authority = Authority::new();
    for (security, implicit) in [(Security::StartTls, false), (Security::Tls, true)] {
        let signed_in = json!({"implicit": implicit, "user": "keys", "password": "correct horse"});
        let answers = merged(authority.answers.clone(), signed_in);
        let Some(mut server) = MailServer::start(answers).await else { return };
        let smtp = Smtp { security, login: login("keys", "correct horse"), ..server.smtp() };
        if notices(&house).await.is_empty() {
            with_notice(&mut house, smtp.clone()).await;
        } else {
            house.admin.rotate(&key_of_customer(&house).await, long()).await;
        }
        // An authority that nobody named, and another's certificate.
        let elsewhere =
            Smtp { host: "localhost".into(), trusted: Some(authority.trusted.clone()), ..smtp.clone() };
        for refused in [smtp.clone(), elsewhere] {
            house.mail_through(Some(refused)).await;
            assert!(!deliver(&house).await);
            assert_eq!(notices(&house).await[0]["state"], "retrying");
            house.wait(HOURS);
        }
        house.mail_through(Some(Smtp { trusted: Some(authority.trusted.clone()), ..smtp })).await;
        assert!(deliver(&house).await);
        let letter = server.next().await.unwrap();
        assert_eq!((&letter["secured"], &letter["user"]), (&json!(true), &json!("keys")));
        assert_eq!(notices(&house).await[0]["state"], "sent");
        assert_eq!(server.end().await.len(), 0);
    }
}

/// Who stands in between can take STARTTLS out of what a server offers (RFC 3207 §6).
async fn a_server_that_offers_no_tls_gets_nothing(mut house: House) {
    let Some(server) = MailServer::start(json!({})).await else { return };
    with_notice(&mut house, Smtp { security: Security::StartTls, ..server.smtp() }).await;
    assert!(!deliver(&house).await);
    assert_eq!(only(&house).await["state"], "retrying");
    assert_eq!(server.end().await.len(), 0);
}

async fn a_refused_password_sends_nothing_and_gives_nothing_up(mut house: House) {
    let Some(mut server) = MailServer::start(json!({"user": "keys", "password": "right"})).await else {
        return;
    };
    let smtp = Smtp { login: login("keys", "canary-wrong-password"), ..server.smtp() };
    with_notice(&mut house, smtp).await;
    for _ in 0..3 {
        assert!(!deliver(&house).await);
        house.wait(HOURS);
    }
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["attempts"]), (&json!("retrying"), &json!(3)));
    // Whose mail server it is, and what it says, is the operator's business.
    assert_eq!(notice["last_error"], "The mail server of this installation could not be used.");
    let log = String::from_utf8(LOG.lock().clone()).unwrap();
    assert!(log.contains("535") && !log.contains("canary-wrong-password"));
    house.mail_through(Some(Smtp { login: login("keys", "right"), ..server.smtp() })).await;
    assert!(deliver(&house).await);
    assert_eq!(server.next().await.unwrap()["user"], "keys");
    assert_eq!(only(&house).await["state"], "sent");
}

async fn what_is_refused_for_now_is_tried_again(mut house: House) {
    let answers = json!({"rcpt": ["451 4.7.1 Greylisted, \u{1b}[2Jcome again"], "data": ["452 no space"]});
    let Some(mut server) = MailServer::start(answers).await else { return };
    with_notice(&mut house, server.smtp()).await;
    for (attempts, said) in [(1, "Greylisted"), (2, "no space")] {
        assert!(deliver(&house).await, "the server is well");
        let notice = only(&house).await;
        assert_eq!((&notice["state"], &notice["attempts"]), (&json!("retrying"), &json!(attempts)));
        let error = notice["last_error"].as_str().unwrap();
        assert!(error.contains(said) && !error.contains(char::is_control), "{error:?}");
        // Nothing goes before its time: at the earliest after a minute.
        house.wait(59);
        deliver(&house).await;
        assert_eq!(only(&house).await["attempts"], attempts);
        house.wait(HOURS);
    }
    assert_eq!(metric(&house, "keystead_mail_failed_total ").await, 2);
    house.keystead.count_mail().await.unwrap();
    assert_eq!(metric(&house, "keystead_mail_waiting ").await, 1);
    assert!(metric(&house, "keystead_mail_oldest_seconds ").await >= 59);
    deliver(&house).await;
    assert!(server.next().await.unwrap()["text"].is_string());
    assert_eq!(only(&house).await["state"], "sent");
    assert_eq!(server.end().await.len(), 0);
}

async fn what_is_refused_for_good_is_given_up_until_somebody_asks(mut house: House) {
    let Some(mut server) = MailServer::start(json!({"rcpt": ["550 5.1.1 No such user"]})).await else {
        return;
    };
    let id = with_notice(&mut house, server.smtp()).await["id"].as_str().unwrap().to_owned();
    deliver(&house).await;
    house.wait(HOURS);
    deliver(&house).await;
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["attempts"]), (&json!("given_up"), &json!(1)));
    assert!(notice["last_error"].as_str().unwrap().contains("No such user"), "{notice}");
    assert!(notice["fix"].as_str().unwrap().contains("retry"), "{notice}");
    // The address was wrong, and is corrected.
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"contact": "desk@customer.example"})).await.ok();
    let again = house.admin.poke(&format!("{PATH}/{id}/retry")).await.ok();
    assert_eq!(
        (&again["state"], &again["recipients"]),
        (&json!("retrying"), &json!(["desk@customer.example"]))
    );
    // The retry has the outbox looked at by itself.
    let letter = server.next().await.unwrap();
    assert_eq!(letter["to"], json!(["desk@customer.example"]));
    assert_eq!(header(&read(&letter).0, "Message-ID"), format!("<{id}@keystead.example>"));
    let acts = house.admin.audit("action=notice.retry").await;
    assert_eq!((acts.len(), &acts[0]["target"]["id"]), (1, &json!(id)));
    assert_eq!(server.end().await.len(), 0);
}

async fn each_recipient_gets_a_letter_of_their_own_once(mut house: House) {
    let answers = json!({"rcpt": ["250 OK", "451 later", "250 OK"]});
    let Some(mut server) = MailServer::start(answers).await else { return };
    house.mail_through(Some(server.smtp())).await;
    let owner = json!({"name": "Owner", "external_id": "owner-1", "contact": "owner@second.example"});
    let owner = house.admin.post("/v1/projects/registry/consumers", owner).await.created();
    key_of_customer(&house).await;
    let key = json!({"consumer": "customer-1", "owner": owner["id"]});
    let key = house.admin.issue(key).await;
    house.admin.rotate(&key, long()).await;
    deliver(&house).await;
    assert_eq!(server.next().await.unwrap()["to"], json!([CONTACT]));
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["delivered"]), (&json!("retrying"), &json!([CONTACT])));
    house.wait(HOURS);
    deliver(&house).await;
    let letter = server.next().await.unwrap();
    assert_eq!(letter["to"], json!(["owner@second.example"]));
    assert!(!letter["text"].as_str().unwrap().contains(CONTACT));
    assert_eq!(only(&house).await["state"], "sent");
    assert_eq!(server.end().await.len(), 0);
}

async fn contact(house: &House, contact: Value) {
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"contact": contact})).await.ok();
}

/// The old address may be somebody else's by now.
async fn a_contact_that_was_corrected_gets_it_instead(mut house: House) {
    let Some(mut server) = MailServer::start(json!({"rcpt": ["450 later"]})).await else { return };
    with_notice(&mut house, server.smtp()).await;
    deliver(&house).await;
    contact(&house, json!("desk@customer.example")).await;
    house.wait(HOURS);
    deliver(&house).await;
    assert_eq!(server.next().await.unwrap()["to"], json!(["desk@customer.example"]));
    let notice = only(&house).await;
    assert_eq!(
        (&notice["state"], &notice["recipients"]),
        (&json!("sent"), &json!(["desk@customer.example"]))
    );
    assert_eq!(server.end().await.len(), 0);
}

async fn a_contact_that_was_taken_away_gets_nothing(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let id = with_notice(&mut house, server.smtp()).await["id"].as_str().unwrap().to_owned();
    contact(&house, Value::Null).await;
    deliver(&house).await;
    let notice = only(&house).await;
    assert_eq!((&notice["state"], &notice["recipients"]), (&json!("nobody"), &json!([])));
    contact(&house, json!(CONTACT)).await;
    house.admin.poke(&format!("{PATH}/{id}/retry")).await.ok();
    assert_eq!(server.next().await.unwrap()["to"], json!([CONTACT]));
    assert_eq!(server.end().await.len(), 0);
}

/// Rotating and cancelling again and again writes to whatever address the consumer is given.
async fn more_than_an_hours_share_waits_for_the_next(mut house: House) {
    let Some(server) = MailServer::start(json!({})).await else { return };
    with_notice(&mut house, server.smtp()).await;
    for _ in 0..LETTERS_HOUR_MAX {
        house.admin.rotate(&key_of_customer(&house).await, long()).await;
    }
    let waiting = async || {
        let told = notices(&house).await;
        told.iter().filter(|notice| notice["state"] == "waiting" && notice["attempts"] == 0).count()
    };
    for _ in 0..2 {
        assert!(deliver(&house).await);
        assert_eq!(waiting().await, 1);
        house.wait(1_799);
    }
    house.wait(2);
    deliver(&house).await;
    assert_eq!(waiting().await, 0);
    assert_eq!(server.end().await.len(), LETTERS_HOUR_MAX as usize + 1);
}
