//! `/v1/invitations`, `/v1/members/{member}/invitation`

use crate::house::{
    Answer, House, LOST_PASSWORD, MailServer, PASSWORD, grants, on_both_engines, read, token_in_letter,
};
use serde_json::{Value, json};

on_both_engines! {
    a_link_works_once_and_a_new_one_ends_the_old,
    whatever_is_wrong_with_a_link_is_told_alike_after_the_same_work_lessons_24,
    of_two_at_once_one_joins,
    an_account_that_exists_joins_by_its_own_password_only,
    nobody_invites_somebody_who_may_do_more,
    a_password_that_everybody_knows_is_refused,
    with_a_mail_server_the_link_leaves_by_mail_and_stays_nowhere,
}

/// All that two refusals could be told apart by.
fn told(answer: Answer) -> Value {
    let mut body = answer.refused(404, "link_invalid");
    body.as_object_mut().unwrap().remove("request_id");
    body
}

async fn a_link_works_once_and_a_new_one_ends_the_old(house: House) {
    let id = house.admin.add("ada@example.com", grants(&["projects.read"])).await;
    let first = house.invite(&house.admin, &id).await;
    let second = house.invite(&house.admin, &id).await;
    house.accept(&first, PASSWORD).await.refused(404, "link_invalid");
    let joined = house.accept(&second, PASSWORD).await.ok();
    assert_eq!(joined, json!({"organization": "acme", "member_id": id, "email": "ada@example.com"}));
    house.accept(&second, PASSWORD).await.refused(404, "link_invalid");
    let member = house.admin.get(&format!("/v1/members/{id}")).await.ok();
    assert!(member["joined_at"].is_string());
    house.admin.poke(&format!("/v1/members/{id}/invitation")).await.refused(409, "conflict");
    let record = &house.admin.audit("action=member.join").await[0];
    assert!(record.to_string().contains(&id));
}

async fn whatever_is_wrong_with_a_link_is_told_alike_after_the_same_work_lessons_24(house: House) {
    let ids = [
        house.admin.add("ada@example.com", json!([])).await,
        house.admin.add("bob@example.com", json!([])).await,
        house.admin.add("eve@example.com", json!([])).await,
    ];
    let used = house.invite(&house.admin, &ids[0]).await;
    house.accept(&used, PASSWORD).await.ok();
    let over = house.invite(&house.admin, &ids[1]).await;
    house.wait(7 * 86_400);
    let disabled = house.invite(&house.admin, &ids[2]).await;
    house.admin.patch(&format!("/v1/members/{}", ids[2]), json!({"disabled": true})).await.ok();
    let mut answers = Vec::new();
    for token in [used.as_str(), &over, &disabled, "", "ksl_", &over[..50], house.admin.key()] {
        let before = house.keystead.passwords_done();
        answers.push(told(house.accept(token, PASSWORD).await));
        assert_eq!(house.keystead.passwords_done() - before, 1, "the same work");
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

async fn of_two_at_once_one_joins(house: House) {
    let id = house.admin.add("ada@example.com", json!([])).await;
    let token = house.invite(&house.admin, &id).await;
    let (one, two) = tokio::join!(house.accept(&token, PASSWORD), house.accept(&token, PASSWORD));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert!(codes[0] == 200 && [401, 404, 409].contains(&codes[1]), "{codes:?}");
}

async fn an_account_that_exists_joins_by_its_own_password_only(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let member = json!({"email": ada.email, "name": "Somebody else", "grants": []});
    let id = house.other.post("/v1/members", member).await.created()["id"].as_str().unwrap().to_owned();
    let token = house.invite(&house.other, &id).await;
    // Whoever holds the link cannot make it theirs, nor guess for long.
    for _ in 0..5 {
        house.accept(&token, "another horse battery").await.refused(401, "sign_in_failed");
    }
    house.accept(&token, PASSWORD).await.refused(429, "rate_limited");
    house.wait(60);
    house.accept(&token, PASSWORD).await.ok();
    let mut proof = ada.proof();
    proof["organization"] = "other".into();
    house.try_sign_in(proof).await.created();
}

async fn nobody_invites_somebody_who_may_do_more(house: House) {
    let ada = house.person("ada@example.com", &["people.*"]).await;
    let session = house.sign_in(&ada).await;
    let strong = house.admin.add("root@example.com", grants(&["**"])).await;
    let equal = house.admin.add("bob@example.com", grants(&["people.read"])).await;
    // The link would make them that member.
    session.poke(&format!("/v1/members/{strong}/invitation")).await.refused(403, "forbidden");
    house.invite(&session, &equal).await;
}

async fn a_password_that_everybody_knows_is_refused(house: House) {
    let id = house.admin.add("ada@example.com", json!([])).await;
    let token = house.invite(&house.admin, &id).await;
    for password in [
        "too short",
        "ADA@example.com",
        "the ACME company",
        "aaaaaaaaaaaaaaaa",
        "Qwerty123456",
        LOST_PASSWORD,
    ] {
        let refused = house.accept(&token, password).await.refused(422, "invalid_field");
        assert_eq!(refused["field"], "/password");
        assert!(!refused.to_string().contains(password));
    }
    house.accept(&token, PASSWORD).await.ok();
}

async fn with_a_mail_server_the_link_leaves_by_mail_and_stays_nowhere(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    let id = house.admin.add("ada@example.com", grants(&["projects.read"])).await;
    let invited = house.admin.poke(&format!("/v1/members/{id}/invitation")).await.ok();
    assert_eq!((&invited["mailed"], invited.get("link")), (&json!(true), None));
    let waiting = house.database_bytes();
    assert!(house.keystead.deliver().await.unwrap());
    let (headers, text) = read(&server.next().await.unwrap());
    assert!(headers.iter().any(|(name, value)| name == "To" && value.contains("ada@example.com")));
    let token = token_in_letter(&text);
    house.accept(&token, PASSWORD).await.ok();
    for bytes in [waiting, house.database_bytes()] {
        let secret = &token.as_bytes()[30..50];
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "sealed until it left");
    }
    // What waits for a project's people is not mixed with it.
    assert_eq!(house.admin.get("/v1/projects/registry/notices").await.ok()["items"], json!([]));
}
