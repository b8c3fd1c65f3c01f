//! Signing in with a passkey: alone, beside a password, and again within a session.

use crate::house::{House, MailServer, PASSWORD, flow, on_both_engines, origin, read, says, token_in_letter};
use keystead_api::SignInWithPasskey;
use keystead_service::Refused;
use keystead_webauthn::testing::{Authenticator, encode};
use serde_json::{Value, json};

on_both_engines! {
    a_passkey_alone_is_both_factors,
    a_browser_gets_a_cookie_and_no_token,
    a_passkey_is_the_second_factor_beside_a_password,
    it_is_proved_again_within_its_session_only,
    a_lost_password_is_recovered_with_a_passkey,
    who_is_disabled_or_in_several_organizations_is_asked_as_ever,
    another_node_finishes_what_this_one_began,
}

async fn a_passkey_alone_is_both_factors(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &["audit.read"]).await;
    house.wait(700);
    let begun = house.try_passkey(&house.passkey_proof(&device).await).await.created();
    assert_eq!(
        (&begun["member_id"], &begun["second_factor_at"]),
        (&json!(ada.id), &json!("2026-01-01T00:11:40Z"))
    );
    let session = house.stranger.with_key(begun["token"].as_str().unwrap());
    assert_eq!(session.get("/v1/audit/export").await.status, 200);
    let acts = house.admin.audit("action=session.create").await;
    assert_eq!(acts[0]["after"], json!({"passkey": "ada@example.com"}));
    for (other, credential) in
        [(Authenticator::eddsa as fn(&[u8], &[u8]) -> _, b"1"), (Authenticator::rs256, b"2")]
    {
        let begun = house.begin_passkey(&session).await;
        let of = other(credential, &device.user_handle);
        session
            .post("/v1/account/passkeys", of.create_json(flow(&begun), "other", &says(&begun)))
            .await
            .created();
        house.sign_in_with(&of).await;
    }
}

async fn a_browser_gets_a_cookie_and_no_token(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let body = json!({"passkey": house.passkey_proof(&device).await});
    let answer = house.stranger.post("/v1/sessions/passkey/finish", body).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("keystead-session=kss_") && cookie.ends_with("HttpOnly; SameSite=Strict"));
    let answer = answer.created();
    assert!(answer.get("token").is_none() && answer["csrf_token"].is_string());
}

async fn a_passkey_is_the_second_factor_beside_a_password(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &["audit.read"]).await;
    let (_, bobs) = house.with_passkey("bob@example.com", &[]).await;
    house.try_sign_in(ada.proof()).await.refused(403, "second_factor_required");
    let with = |passkey: Value| {
        let mut proof = ada.proof();
        proof["passkey"] = passkey;
        proof
    };
    house.try_sign_in(with(house.passkey_proof(&bobs).await)).await.refused(401, "sign_in_failed");
    let passkey = house.passkey_proof(&device).await;
    let mut wrong = with(passkey.clone());
    wrong["password"] = "a wrong password".into();
    house.try_sign_in(wrong).await.refused(401, "sign_in_failed");
    let mut both = with(passkey.clone());
    both["code"] = "123456".into();
    house.try_sign_in(both).await.wrong_field("invalid_field", "/passkey");
    let begun = house.try_sign_in(with(passkey.clone())).await.created();
    assert!(begun["second_factor_at"].is_string());
    house.try_sign_in(with(passkey)).await.refused(401, "sign_in_failed");
    // A passkey is none for who has no second factor: the password is what counts.
    let cleo = house.person("cleo@example.com", &[]).await;
    let mut proof = cleo.proof();
    proof["passkey"] = house.passkey_proof(&bobs).await;
    assert_eq!(house.try_sign_in(proof).await.created()["second_factor_at"], Value::Null);
}

async fn it_is_proved_again_within_its_session_only(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &["audit.read"]).await;
    let (_, bobs) = house.with_passkey("bob@example.com", &[]).await;
    let (session, other) = (house.sign_in_with(&device).await, house.sign_in_with(&device).await);
    house.wait(600);
    session.get("/v1/audit/export").await.refused(403, "second_factor_required");
    let begin = async || session.poke("/v1/sessions/current/second-factor/passkey").await.ok();
    let begun = begin().await;
    assert_eq!(begun["options"]["allowCredentials"][0]["id"], encode(&device.credential_id));
    let prove = |body: Value| session.post("/v1/sessions/current/second-factor", body);
    let proof = |device: &Authenticator, begun: &Value| json!({"passkey": device.get_json(flow(begun), &says(begun))});
    other
        .post("/v1/sessions/current/second-factor", proof(&device, &begun))
        .await
        .refused(401, "sign_in_failed");
    prove(proof(&bobs, &begun)).await.refused(401, "sign_in_failed");
    prove(proof(&device, &house.begin_passkey_sign_in().await)).await.refused(401, "sign_in_failed");
    prove(json!({})).await.refused(403, "second_factor_required");
    session.get("/v1/audit/export").await.refused(403, "second_factor_required");
    assert!(prove(proof(&device, &begun)).await.ok()["second_factor_at"].is_string());
    assert_eq!(session.get("/v1/audit/export").await.status, 200);
    prove(proof(&device, &begun)).await.refused(401, "sign_in_failed");
    let acts = house.admin.audit(&format!("actor={}", ada.id)).await;
    let act = acts.iter().find(|act| act["action"] == "session.step_up").unwrap();
    assert_eq!(act["after"]["proof"], "passkey");
    let cleo = house.person("cleo@example.com", &[]).await;
    let cleos = house.sign_in(&cleo).await;
    cleos.poke("/v1/sessions/current/second-factor/passkey").await.refused(409, "conflict");
}

async fn a_lost_password_is_recovered_with_a_passkey(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let (mut ada, device) = house.with_passkey("ada@example.com", &[]).await;
    house.mail_through(Some(server.smtp())).await;
    let asked = house.stranger.post("/v1/account/recovery", json!({"email": ada.email})).await;
    assert_eq!(asked.status, 202);
    house.keystead.recoveries_done_for_a_test().await;
    assert!(house.keystead.deliver().await.unwrap());
    let token = token_in_letter(&read(&server.next().await.unwrap()).1);
    let path = "/v1/account/recovery/confirm";
    let mut body = json!({"token": token, "password": "another horse battery"});
    // The mailbox alone is not enough.
    house.stranger.post(path, body.clone()).await.refused(403, "second_factor_required");
    body["passkey"] = house.passkey_proof(&device).await;
    house.stranger.post(path, body).await.gone();
    ada.password = "another horse battery".into();
    house.try_sign_in(ada.proof()).await.refused(403, "second_factor_required");
    house.sign_in_with(&device).await;
}

async fn who_is_disabled_or_in_several_organizations_is_asked_as_ever(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &[]).await;
    house.admin.patch(&ada.path(), json!({"disabled": true})).await.ok();
    house.try_passkey(&house.passkey_proof(&device).await).await.refused(401, "sign_in_failed");
    house.admin.patch(&ada.path(), json!({"disabled": false})).await.ok();
    let body = json!({"email": ada.email, "name": "Ada"});
    let elsewhere = house.other.post("/v1/members", body).await.created()["id"].as_str().unwrap().to_owned();
    let token = house.invite(&house.other, &elsewhere).await;
    let join = json!({"token": token, "password": PASSWORD, "passkey": house.passkey_proof(&device).await});
    house.stranger.post("/v1/invitations/accept", join).await.ok();
    let proof = house.passkey_proof(&device).await;
    let told = house.try_passkey(&proof).await.refused(409, "organization_required");
    assert_eq!(told["organizations"], json!(["acme", "other"]));
    // The same answer, with what was missing.
    let with = |slug: &str| json!({"passkey": proof, "organization": slug, "token": true});
    let path = "/v1/sessions/passkey/finish";
    house.stranger.post(path, with("nowhere")).await.refused(401, "sign_in_failed");
    assert_eq!(house.stranger.post(path, with("other")).await.created()["organization"], "other");
    house.stranger.post(path, with("acme")).await.refused(401, "sign_in_failed");
}

async fn another_node_finishes_what_this_one_began(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let Some(other) = house.second_node().await else { return };
    let passkey = serde_json::from_value(house.passkey_proof(&device).await).unwrap();
    let input = SignInWithPasskey { passkey, organization: None, token: true };
    let started = other.sign_in_with_passkey(&input, &origin("192.0.2.1")).await.unwrap();
    house.stranger.with_key(started.token.expose()).get("/v1/sessions/current").await.ok();
    let again = house.keystead.sign_in_with_passkey(&input, &origin("192.0.2.1")).await;
    assert!(matches!(again, Err(Refused::SignInFailed)), "{again:?}");
    other.close().await;
}
