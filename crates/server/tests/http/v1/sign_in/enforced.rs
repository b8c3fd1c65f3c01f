//! Where an organization wants its provider to sign its members in.

use super::{sign_in, with_corp};
use crate::house::{House, PASSWORD, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    passwords_sign_in_only_owners_with_a_second_factor,
    passkeys_are_refused_like_passwords_and_lead_around_no_provider,
    what_is_not_known_to_work_is_not_enforced,
    enforcement_is_told_only_to_who_has_the_right_password_lessons_24,
    another_organization_of_the_same_account_goes_on,
}

async fn enforce(house: &House) -> Value {
    house.admin.patch("/v1/identity-providers/corp", json!({"enforced": true})).await.ok()
}

async fn passwords_sign_in_only_owners_with_a_second_factor(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let bob = house.person("bob@example.com", &["projects.read"]).await;
    let olga = house.person("olga@example.com", &["**"]).await;
    let plain = house.person("pia@example.com", &["**"]).await;
    let (bobs, pias) = (house.sign_in(&bob).await, house.sign_in(&plain).await);
    let olgas = house.sign_in(&olga).await;
    let (secret, _) = house.second_factor(&olgas).await;
    let (adas, _) = sign_in(&house, &provider).await;
    // The owner herself: her session proved a second factor, and goes on.
    assert_eq!(
        olgas.patch("/v1/identity-providers/corp", json!({"enforced": true})).await.ok()["enforced"],
        true
    );
    for ended in [&bobs, &pias] {
        ended.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    }
    for goes_on in [&olgas, &adas] {
        goes_on.get("/v1/sessions/current").await.ok();
    }
    for person in [&bob, &plain] {
        let told = house.try_sign_in(person.proof()).await.refused(403, "single_sign_on_required");
        assert!(told["fix"].as_str().unwrap().contains("corp"), "{told}");
    }
    // Owners break glass with a second factor.
    let mut proof = olga.proof();
    house.try_sign_in(proof.clone()).await.refused(403, "second_factor_required");
    proof["code"] = json!(house.code(&secret));
    house.try_sign_in(proof).await.created();
    // Through the provider everybody is let in, as who they are.
    provider.says("bob", json!({"email": "bob@example.com", "email_verified": true})).await;
    assert_eq!(sign_in(&house, &provider).await.1["member_id"], json!(bob.id));
    // And back.
    house.admin.patch("/v1/identity-providers/corp", json!({"enforced": false})).await.ok();
    house.sign_in(&bob).await;
}

async fn passkeys_are_refused_like_passwords_and_lead_around_no_provider(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (_, bobs) = house.with_passkey("bob@example.com", &["projects.read"]).await;
    let (_, olgas) = house.with_passkey("olga@example.com", &["**"]).await;
    let (adas, _) = sign_in(&house, &provider).await;
    // Whom the provider puts out would have another way in.
    for body in [json!({}), json!({"password": PASSWORD})] {
        adas.post("/v1/account/passkeys/begin", body).await.refused(409, "conflict");
    }
    adas.poke("/v1/sessions/current/second-factor/passkey").await.refused(409, "conflict");
    let ended = house.sign_in_with(&bobs).await;
    enforce(&house).await;
    ended.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    let proof = house.passkey_proof(&bobs).await;
    house.try_passkey(&proof).await.refused(403, "single_sign_on_required");
    // An owner's passkey is a second factor, too: it breaks glass.
    house.sign_in_with(&olgas).await;
    house.admin.patch("/v1/identity-providers/corp", json!({"enforced": false})).await.ok();
    // It used nothing up.
    house.try_passkey(&proof).await.created();
}

/// A mistake in a provider would keep everybody out.
async fn what_is_not_known_to_work_is_not_enforced(mut house: House) {
    let Some(_provider) = with_corp(&mut house, json!({})).await else { return };
    let refused = house.admin.patch("/v1/identity-providers/corp", json!({"enforced": true})).await;
    refused.refused(409, "conflict");
    let created = json!({"name": "x", "issuer": "https://id.example.com", "client_id": "a",
        "email_domains": ["example.com"], "enforced": true});
    house.admin.post("/v1/identity-providers", created).await.refused(422, "invalid_field");
}

/// LESSONS 24: what is refused must not tell who is a member.
async fn enforcement_is_told_only_to_who_has_the_right_password_lessons_24(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let bob = house.person("bob@example.com", &["projects.read"]).await;
    sign_in(&house, &provider).await;
    enforce(&house).await;
    let mut told = Vec::new();
    for email in [bob.email.as_str(), "ada@example.com", "nobody@example.com"] {
        let before = house.keystead.passwords_done();
        let answer = house.try_sign_in(json!({"email": email, "password": "wrong horse battery"})).await;
        assert_eq!(house.keystead.passwords_done() - before, 1, "the same work");
        let mut body = answer.refused(401, "sign_in_failed");
        body.as_object_mut().unwrap().remove("request_id");
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    let before = house.keystead.passwords_done();
    house.try_sign_in(bob.proof()).await.refused(403, "single_sign_on_required");
    assert_eq!(house.keystead.passwords_done() - before, 1);
    // Nor does an account that a provider's person has take any password.
    house
        .try_sign_in(json!({"email": "ada@example.com", "password": PASSWORD}))
        .await
        .refused(401, "sign_in_failed");
}

async fn another_organization_of_the_same_account_goes_on(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let bob = house.person("bob@example.com", &["projects.read"]).await;
    let body = json!({"email": bob.email, "name": "Bob"});
    let theirs = house.other.post("/v1/members", body).await.created()["id"].as_str().unwrap().to_owned();
    let token = house.invite(&house.other, &theirs).await;
    house.accept(&token, PASSWORD).await.ok();
    let at = async |organization: &str| {
        let mut proof = bob.proof();
        proof["organization"] = json!(organization);
        house.try_sign_in(proof).await
    };
    let there = at("other").await.created();
    let there = house.stranger.with_key(there["token"].as_str().unwrap());
    sign_in(&house, &provider).await;
    enforce(&house).await;
    there.get("/v1/sessions/current").await.ok();
    at("other").await.created();
    at("acme").await.refused(403, "single_sign_on_required");
}
