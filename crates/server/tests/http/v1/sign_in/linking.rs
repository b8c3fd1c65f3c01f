//! As whom somebody signs in: what a provider says of an address opens little.

use super::{refused, sign_in, try_sign_in, with_corp};
use crate::house::{House, PASSWORD, on_both_engines};
use serde_json::json;

on_both_engines! {
    an_address_counts_only_when_it_is_verified_and_in_a_domain_that_is_allowed,
    who_was_known_is_known_by_the_subject_whatever_the_address,
    another_person_with_a_members_address_is_not_that_member,
    a_disabled_member_stays_disabled_whatever_the_provider_says,
    a_tenants_provider_opens_nothing_of_another_organization_or_of_an_account,
    an_invited_member_joins_through_the_provider_and_the_link_is_over,
    without_just_in_time_only_members_are_let_in,
}

async fn an_address_counts_only_when_it_is_verified_and_in_a_domain_that_is_allowed(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    for claims in [
        json!({}),
        json!({"email": "eve@example.com"}),
        json!({"email": "eve@example.com", "email_verified": false}),
        json!({"email": "eve@example.com", "email_verified": "no"}),
        json!({"email": "eve@evil.example", "email_verified": true}),
        json!({"email": "eve@example.com.evil.example", "email_verified": true}),
        json!({"email": "eve@sub.example.com", "email_verified": true}),
        json!({"email": "eve@evil.example@example.com", "email_verified": true}),
        json!({"email": "eve", "email_verified": true}),
        json!({"email": ["eve@example.com"], "email_verified": true}),
    ] {
        provider.says("eve", claims.clone()).await;
        assert!(refused(try_sign_in(&house, &provider).await).contains("verified e-mail"), "{claims}");
    }
    assert_eq!(house.admin.get("/v1/members").await.ok()["items"], json!([]));
    // LESSONS 23: spellings are one address.
    provider.says("eve", json!({"email": "EVE@Example.COM", "email_verified": true})).await;
    let (_, who) = sign_in(&house, &provider).await;
    assert_eq!((&who["email"], &who["name"]), (&json!("eve@example.com"), &json!("eve")));
}

async fn who_was_known_is_known_by_the_subject_whatever_the_address(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (_, first) = sign_in(&house, &provider).await;
    for claims in [
        json!({"email": "ada@elsewhere.example", "email_verified": true}),
        json!({"email": "bob@example.com", "email_verified": true}),
        json!({}),
    ] {
        provider.says("ada", claims).await;
        let (_, who) = sign_in(&house, &provider).await;
        assert_eq!((&who["member_id"], &who["email"]), (&first["member_id"], &json!("ada@example.com")));
    }
    assert_eq!(house.admin.get("/v1/members").await.ok()["items"].as_array().unwrap().len(), 1);
}

/// An address that was given to somebody new at the provider.
async fn another_person_with_a_members_address_is_not_that_member(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (_, ada) = sign_in(&house, &provider).await;
    for subject in ["eve", "Ada", "ADA", "ada "] {
        provider.says(subject, json!({"email": "ada@example.com", "email_verified": true})).await;
        assert!(refused(try_sign_in(&house, &provider).await).contains("another person's"), "{subject}");
    }
    // Where the member is deleted, whom the provider knew goes too.
    house.admin.delete(&format!("/v1/members/{}", ada["member_id"].as_str().unwrap())).await.gone();
    provider.says("eve", json!({"email": "ada@example.com", "email_verified": true})).await;
    let (_, eve) = sign_in(&house, &provider).await;
    assert_ne!(eve["member_id"], ada["member_id"]);
}

async fn a_disabled_member_stays_disabled_whatever_the_provider_says(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (session, who) = sign_in(&house, &provider).await;
    let member = format!("/v1/members/{}", who["member_id"].as_str().unwrap());
    house.admin.patch(&member, json!({"disabled": true})).await.ok();
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    assert!(refused(try_sign_in(&house, &provider).await).contains("disabled"));
    // Nor by an address, where the provider has never seen the member.
    let bob = house.admin.add("bob@example.com", json!([])).await;
    house.admin.patch(&format!("/v1/members/{bob}"), json!({"disabled": true})).await.ok();
    provider.says("bob", json!({"email": "bob@example.com", "email_verified": true})).await;
    assert!(refused(try_sign_in(&house, &provider).await).contains("disabled"));
    // Enabled again, they are who they were.
    house.admin.patch(&member, json!({"disabled": false})).await.ok();
    provider.set(json!({"login": "ada"})).await;
    assert_eq!(sign_in(&house, &provider).await.1["member_id"], who["member_id"]);
}

/// A tenant's own, hostile provider says of everybody who they are.
async fn a_tenants_provider_opens_nothing_of_another_organization_or_of_an_account(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    // Victoria has an account with a password, is a member of acme, and of the other organization, where she is owner.
    let victoria = house.person("victoria@example.com", &["projects.read"]).await;
    let grants = json!([{"role": "owner"}]);
    let body = json!({"email": victoria.email, "name": "Victoria", "grants": grants});
    let theirs = house.other.post("/v1/members", body).await.created()["id"].as_str().unwrap().to_owned();
    let token = house.invite(&house.other, &theirs).await;
    house.accept(&token, PASSWORD).await.ok();
    let mut there = victoria.proof();
    there["organization"] = json!("other");
    let there = house.try_sign_in(there).await.created();
    let there = house.stranger.with_key(there["token"].as_str().unwrap());

    provider.says("eve", json!({"email": "victoria@example.com", "email_verified": true})).await;
    let (eve, who) = sign_in(&house, &provider).await;
    // In acme she is that member, as its owners said: and only there.
    assert_eq!((&who["member_id"], &who["organization"]), (&json!(victoria.id), &json!("acme")));
    eve.get(&format!("/v1/members/{theirs}")).await.refused(403, "forbidden");
    assert_eq!(eve.get("/v1/organizations/other").await.status, 404);
    // Not the account: neither its sessions, nor its password, nor its second factor.
    let listed = eve.get("/v1/sessions").await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    let current = there.get("/v1/sessions/current").await.ok();
    eve.delete(&format!("/v1/sessions/{}", current["id"].as_str().unwrap())).await.refused(404, "not_found");
    let password = json!({"current": PASSWORD, "new": "another horse battery"});
    eve.post("/v1/account/password", password).await.refused(409, "conflict");
    eve.post("/v1/account/totp", json!({"password": PASSWORD})).await.refused(409, "conflict");
    eve.post("/v1/sessions/current/second-factor", json!({"code": "123456"})).await.refused(409, "conflict");
    // Nothing of hers has changed.
    there.get("/v1/members").await.ok();
    let mut here = victoria.proof();
    here["organization"] = json!("acme");
    house.try_sign_in(here).await.created();
    assert_eq!(there.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len(), 2);
}

async fn an_invited_member_joins_through_the_provider_and_the_link_is_over(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({"just_in_time": false})).await else { return };
    let ada = house.admin.add("ada@example.com", crate::house::grants(&["projects.read"])).await;
    let link = house.invite(&house.admin, &ada).await;
    let (session, who) = sign_in(&house, &provider).await;
    assert_eq!(who["member_id"], json!(ada));
    session.get("/v1/projects").await.ok();
    house.accept(&link, PASSWORD).await.refused(404, "link_invalid");
    house.admin.poke(&format!("/v1/members/{ada}/invitation")).await.refused(409, "conflict");
}

async fn without_just_in_time_only_members_are_let_in(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({"just_in_time": false})).await else { return };
    assert!(refused(try_sign_in(&house, &provider).await).contains("no member"));
    assert_eq!(house.admin.get("/v1/members").await.ok()["items"], json!([]));
}
