//! Signing in: what it takes, and what it tells.

use crate::house::{Answer, House, LOG, PASSWORD, grants, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    who_signed_in_acts_as_themselves_and_is_on_record,
    whatever_is_wrong_is_told_alike_and_costs_as_much_lessons_24,
    spellings_of_an_address_are_one_account_lessons_23,
    members_of_several_organizations_say_which,
    a_flood_of_sign_ins_keeps_nobody_from_verifying,
    neither_password_nor_token_is_stored_or_logged_or_repeated_lessons_28,
    nodes_share_sessions,
}

async fn who_signed_in_acts_as_themselves_and_is_on_record(house: House) {
    let ada = house.person("ada@example.com", &["projects.read", "audit.read"]).await;
    let session = house.sign_in(&ada).await;
    let who = session.get("/v1/sessions/current").await.ok();
    assert_eq!((&who["email"], &who["organization"]), (&json!("ada@example.com"), &json!("acme")));
    assert_eq!((&who["member_id"], &who["current"]), (&json!(ada.id), &json!(true)));
    assert_eq!(session.get("/v1/projects/registry").await.ok()["id"], house.acme.project);
    let refused = session.post("/v1/projects", json!({"name": "Mine", "slug": "mine"})).await;
    assert!(refused.refused(403, "forbidden")["detail"].as_str().unwrap().contains("projects.write"));
    // What the member is given holds on the session's next request.
    house.admin.patch(&ada.path(), json!({"grants": grants(&["projects.*", "audit.read"])})).await.ok();
    session.post("/v1/projects", json!({"name": "Mine", "slug": "mine"})).await.created();
    let records = house.admin.audit("action=project.create").await;
    let actor = &records.iter().find(|record| record["target"]["name"] == "Mine").unwrap()["actor"];
    assert_eq!((&actor["kind"], &actor["key_id"]), (&json!("member"), &json!(null)));
    assert_eq!((&actor["member"], &actor["session"]), (&json!(ada.id), &who["id"]));
    // With Idempotency-Key, done once.
    let once = [("idempotency-key", "one")];
    let body = Some(json!({"name": "Once", "slug": "once"}));
    let first = session.call(http::Method::POST, "/v1/projects", body.clone(), &once).await.created();
    assert_eq!(session.call(http::Method::POST, "/v1/projects", body, &once).await.created(), first);
}

/// All that two refusals could be told apart by.
fn told(answer: Answer) -> Value {
    let mut body = answer.refused(401, "sign_in_failed");
    body.as_object_mut().unwrap().remove("request_id");
    body
}

/// LESSONS 24: the time told whether a user exists.
async fn whatever_is_wrong_is_told_alike_and_costs_as_much_lessons_24(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let bob = house.person("bob@example.com", &["projects.read"]).await;
    house.admin.add("eve@example.com", grants(&[])).await;
    house.admin.patch(&bob.path(), json!({"disabled": true})).await.ok();
    let mut answers = Vec::new();
    for body in [
        json!({"email": "nobody@example.com", "password": PASSWORD}),
        json!({"email": ada.email, "password": "correct horse batterz"}),
        json!({"email": ada.email, "password": PASSWORD, "organization": "other"}),
        json!({"email": bob.email, "password": PASSWORD}),
        // Invited, and not joined.
        json!({"email": "eve@example.com", "password": PASSWORD}),
    ] {
        let before = house.keystead.passwords_done();
        let answer = house.try_sign_in(body).await;
        assert_eq!(house.keystead.passwords_done() - before, 1, "the same work");
        assert!(!answer.headers.contains_key("set-cookie"));
        answers.push(told(answer));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

/// LESSONS 23: spellings evaded what was counted for an address.
async fn spellings_of_an_address_are_one_account_lessons_23(house: House) {
    let ada = house.person(" Ada@Example.com ", &["projects.read"]).await;
    for email in ["ada@example.com", "ADA@EXAMPLE.COM", "\tada@example.com "] {
        house.try_sign_in(json!({"email": email, "password": ada.password})).await.created();
    }
    for (at, email) in
        ["ada@example.com", "ADA@example.com", " ada@example.com"].iter().cycle().take(5).enumerate()
    {
        let wrong = json!({"email": email, "password": format!("wrong, {at}")});
        house.try_sign_in(wrong).await.refused(401, "sign_in_failed");
    }
    let again = json!({"email": " aDa@example.com", "password": ada.password});
    house.try_sign_in(again).await.refused(429, "rate_limited");
}

async fn members_of_several_organizations_say_which(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let body = json!({"email": ada.email, "name": "Ada", "grants": grants(&["projects.read"])});
    let other = house.other.post("/v1/members", body).await.created();
    let token = house.invite(&house.other, other["id"].as_str().unwrap()).await;
    house.accept(&token, PASSWORD).await.ok();
    let refused = house.try_sign_in(ada.proof()).await.refused(409, "organization_required");
    assert_eq!(refused["organizations"], json!(["acme", "other"]));
    let wrong = json!({"email": ada.email, "password": "correct horse batterz"});
    assert!(house.try_sign_in(wrong).await.refused(401, "sign_in_failed").get("organizations").is_none());
    for (slug, own) in [("acme", &house.acme.project), ("other", &house.others.project)] {
        let mut proof = ada.proof();
        proof["organization"] = slug.into();
        let token = house.try_sign_in(proof).await.created()["token"].as_str().unwrap().to_owned();
        let session = house.stranger.with_key(&token);
        assert_eq!(session.get("/v1/projects/registry").await.ok()["id"], own.as_str());
    }
}

/// Verification does not wait for what people wait for: with every place taken it answers.
async fn a_flood_of_sign_ins_keeps_nobody_from_verifying(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let session = house.sign_in(&ada).await;
    let key = house.admin.issue(json!({})).await;
    let before = house.keystead.passwords_done();
    let full = house.keystead.fill_passwords_for_a_test().unwrap();
    let refused = house.try_sign_in(ada.proof()).await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.refused(503, "overloaded");
    assert_eq!(house.asker.bare(&key).await, "valid");
    session.get("/v1/sessions/current").await.ok();
    drop(full);
    house.sign_in(&ada).await;
    assert_eq!(house.keystead.passwords_done() - before, 1, "who was turned away cost nothing");
}

/// LESSONS 28: errors disclosed what was sent.
async fn neither_password_nor_token_is_stored_or_logged_or_repeated_lessons_28(mut house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let session = house.sign_in(&ada).await;
    let canary = "canary of a password 7f31";
    for body in [
        json!({"email": ada.email, "password": canary}),
        json!({"email": canary, "password": PASSWORD}),
        json!({"email": ada.email, "password": PASSWORD, "code": canary, "organization": canary}),
        json!({"email": ada.email, "password": [canary]}),
        json!({"email": ada.email, "password": canary, canary: 1}),
    ] {
        let answer = house.try_sign_in(body).await;
        assert!(answer.status.is_client_error() && !answer.text.contains(canary), "{}", answer.text);
    }
    let token = session.key().to_owned();
    house.stop().await;
    let written = [house.database_bytes(), LOG.lock().clone()].concat();
    for secret in [canary, PASSWORD, &token[30..46], &token[46..58]] {
        let secret = secret.as_bytes();
        assert!(!written.windows(secret.len()).any(|window| window == secret));
    }
}

async fn nodes_share_sessions(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let session = house.sign_in(&ada).await;
    let Some(second) = house.second_node().await else { return };
    let here = session.get("/v1/sessions/current").await.ok();
    let origin = || crate::house::origin("192.0.2.1");
    let caller = second.recognise_session(session.key(), origin()).await.unwrap();
    assert_eq!(second.current_session(&caller).await.unwrap().session.id, here["id"].as_str().unwrap());
    second.end_session(&caller, "current").await.unwrap();
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    second.close().await;
}
