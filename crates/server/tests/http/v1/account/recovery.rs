//! Recovering an account whose password was lost.

use crate::house::{House, LOST_PASSWORD, MailServer, on_both_engines, read, token_in_letter};
use serde_json::json;

on_both_engines! {
    without_a_mail_server_it_says_so_whoever_asks,
    a_link_sets_another_password_once_and_ends_every_session,
    a_mailbox_alone_does_not_get_around_the_second_factor,
}

async fn without_a_mail_server_it_says_so_whoever_asks(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    for email in [ada.email.as_str(), "nobody@example.com"] {
        house.stranger.post("/v1/account/recovery", json!({"email": email})).await.refused(409, "conflict");
    }
}

/// Asks for a link, and has what came of it delivered.
async fn ask(house: &House, email: &str) {
    let answer = house.stranger.post("/v1/account/recovery", json!({"email": email})).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
    house.keystead.recoveries_done_for_a_test().await;
    assert!(house.keystead.deliver().await.unwrap());
}

async fn token_of(server: &mut MailServer) -> String {
    let (_, text) = read(&server.next().await.unwrap());
    token_in_letter(&text)
}

async fn a_link_sets_another_password_once_and_ends_every_session(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let mut ada = house.person("ada@example.com", &[]).await;
    house.mail_through(Some(server.smtp())).await;
    let session = house.sign_in(&ada).await;
    ask(&house, "nobody@example.com").await;
    ask(&house, "ADA@example.com").await;
    // Nobody fills another's mailbox.
    ask(&house, "ada@example.com").await;
    let token = token_of(&mut server).await;
    session.get("/v1/sessions/current").await.ok();
    let confirm = |token: &str, password: &str| {
        house.stranger.post("/v1/account/recovery/confirm", json!({"token": token, "password": password}))
    };
    for password in ["short", LOST_PASSWORD] {
        confirm(&token, password).await.refused(422, "invalid_field");
    }
    let (one, two) =
        tokio::join!(confirm(&token, "another horse battery"), confirm(&token, "another horse battery"));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert!(codes[0] == 204 && [404, 409].contains(&codes[1]), "{codes:?}");
    confirm(&token, "a third horse battery").await.refused(404, "link_invalid");
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    house.try_sign_in(ada.proof()).await.refused(401, "sign_in_failed");
    ada.password = "another horse battery".into();
    house.sign_in(&ada).await;
    assert_eq!(house.admin.audit("action=account.recover").await.len(), 1);
    assert!(server.end().await.is_empty(), "one letter in all");
}

async fn a_mailbox_alone_does_not_get_around_the_second_factor(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let ada = house.person("ada@example.com", &[]).await;
    house.mail_through(Some(server.smtp())).await;
    let (secret, _) = house.second_factor(&house.sign_in(&ada).await).await;
    ask(&house, "ada@example.com").await;
    let token = token_of(&mut server).await;
    let mut body = json!({"token": token, "password": "another horse battery"});
    let path = "/v1/account/recovery/confirm";
    house.stranger.post(path, body.clone()).await.refused(403, "second_factor_required");
    body["code"] = "abcd-efgh-ijkm".into();
    house.stranger.post(path, body.clone()).await.refused(401, "sign_in_failed");
    body["code"] = house.code(&secret).into();
    house.stranger.post(path, body).await.gone();
    // An invitation's link recovers nothing, and the other way round.
    house.accept(&token, "another horse battery").await.refused(404, "link_invalid");
}
