//! What somebody tries who is not who they say.

use super::{begin, bring_back, finish, refused, sign_in, try_sign_in, with_corp};
use crate::house::{House, LOG, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_sign_in_is_finished_once_by_who_began_it,
    another_persons_code_finishes_nobodys_sign_in,
    a_browser_that_was_sent_from_elsewhere_is_not_let_in,
    what_the_provider_refuses_lets_nobody_in_and_is_not_repeated_lessons_28,
    keys_that_the_provider_changed_are_asked_for_again,
    a_flood_of_beginnings_is_bounded,
    nothing_secret_is_stored_or_logged_lessons_28,
}

async fn a_sign_in_is_finished_once_by_who_began_it(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (back, flow) = bring_back(&house, &provider).await;
    let (_, others) = begin(&house, json!({})).await;
    let good = back.finish(&flow);
    let mut wrong = Vec::new();
    for (field, value) in [
        ("flow", json!(others)),
        ("flow", json!("")),
        (
            "flow",
            json!(format!("{}{}", &flow[..flow.len() - 1], if flow.ends_with('x') { 'y' } else { 'x' })),
        ),
        ("flow", json!("x".repeat(10_000))),
        ("state", json!("")),
        ("state", json!("x".repeat(10_000))),
        ("state", json!(format!("{}=", good["state"].as_str().unwrap()))),
    ] {
        let mut body = good.clone();
        body[field] = value;
        wrong.push(refused(finish(&house, body).await));
    }
    wrong.dedup();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    // Nothing of that used it up; its own starter does, once.
    finish(&house, good.clone()).await.ok();
    assert_eq!(refused(finish(&house, good).await), wrong[0]);

    // A browser's is not finished by a program.
    let begun = house.stranger.post("/v1/sign-in/oidc/start", json!({"organization": "acme"})).await;
    let cookie = begun.headers["set-cookie"].to_str().unwrap().to_owned();
    let flow = cookie.split(['=', ';']).nth(1).unwrap();
    let back = provider.visit(begun.body["url"].as_str().unwrap()).await;
    assert_eq!(refused(finish(&house, back.finish(flow)).await), wrong[0]);
    // Its time is over.
    let (back, flow) = bring_back(&house, &provider).await;
    house.wait(600);
    assert_eq!(refused(finish(&house, back.finish(&flow)).await), wrong[0]);
}

/// Login CSRF, and a code that was taken from somebody: state, PKCE and nonce are each of one sign-in.
async fn another_persons_code_finishes_nobodys_sign_in(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (adas, adas_flow) = bring_back(&house, &provider).await;
    provider.says("eve", json!({"email": "eve@example.com", "email_verified": true})).await;
    let (eves, eves_flow) = bring_back(&house, &provider).await;
    let mut body = eves.finish(&eves_flow);
    body["code"] = json!(adas.query["code"]);
    // The right state, and a code that was asked for with another challenge.
    assert!(refused(finish(&house, body).await).contains("refuses the code"));
    // The code of Ada's was burnt by that, as the standard has it; Eve's whole answer does not fit Ada's flow.
    refused(finish(&house, eves.finish(&adas_flow)).await);
    refused(finish(&house, adas.finish(&adas_flow)).await);
    assert_eq!(house.admin.get("/v1/members").await.ok()["items"], json!([]));
}

/// RFC 9207: a code that one provider gave out is not passed on as another's.
async fn a_browser_that_was_sent_from_elsewhere_is_not_let_in(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    for iss in [json!("https://evil.example"), json!(format!("{}/", provider.issuer)), json!(null)] {
        let (back, flow) = bring_back(&house, &provider).await;
        let mut body = back.finish(&flow);
        body["iss"] = iss;
        assert!(refused(finish(&house, body).await).contains("Another provider"));
    }
}

/// LESSONS 28: script in `error_description` was shown (CVE-2026-33758).
async fn what_the_provider_refuses_lets_nobody_in_and_is_not_repeated_lessons_28(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    provider.set(json!({"deny": true})).await;
    let begun = house.stranger.post("/v1/sign-in/oidc/start", json!({"organization": "acme"})).await;
    let cookie = begun.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let back = provider.visit(begun.body["url"].as_str().unwrap()).await;
    assert_eq!(back.query["error"], "access_denied");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&back.query).finish();
    let path = format!("/v1/sign-in/oidc/callback?{query}");
    let answer = house.stranger.call(http::Method::GET, &path, None, &[("cookie", &cookie)]).await;
    assert!(!answer.text.contains("script") && !answer.text.contains("alert"), "{}", answer.text);
    assert!(refused(answer).contains("did not let the person in"));

    provider.set(json!({"deny": false})).await;
    house
        .admin
        .patch("/v1/identity-providers/corp", json!({"client_secret": "canary-of-the-secret"}))
        .await
        .ok();
    let told = refused(try_sign_in(&house, &provider).await);
    assert!(told.contains("client secret") && !told.contains("canary"), "{told}");
    assert_eq!(house.admin.get("/v1/members").await.ok()["items"], json!([]));
}

async fn keys_that_the_provider_changed_are_asked_for_again(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    sign_in(&house, &provider).await;
    provider.set(json!({"rotate": true})).await;
    // A moment ago they were asked for: whoever sends tokens that nobody signed does not have the provider flooded.
    assert!(refused(try_sign_in(&house, &provider).await).contains("none of the provider's keys"));
    house.wait(61);
    provider.set(json!({"now": house_millis(&house)})).await;
    sign_in(&house, &provider).await;
}

fn house_millis(house: &House) -> i64 {
    use keystead_domain::time::Clock;
    house.clock.now().0 / 1_000
}

async fn a_flood_of_beginnings_is_bounded(mut house: House) {
    let Some(_provider) = with_corp(&mut house, json!({})).await else { return };
    let body = json!({"organization": "acme", "loopback_port": 1});
    for _ in 0..200 {
        house.stranger.post("/v1/sign-in/oidc/start", body.clone()).await.ok();
    }
    house.stranger.post("/v1/sign-in/oidc/start", body.clone()).await.refused(429, "rate_limited");
    // They end by themselves.
    house.wait(601);
    house.stranger.post("/v1/sign-in/oidc/start", body).await.ok();
}

async fn nothing_secret_is_stored_or_logged_lessons_28(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (back, flow) = bring_back(&house, &provider).await;
    let before = house.database_bytes();
    let who = finish(&house, back.finish(&flow)).await.ok();
    let shown = [
        house.admin.get("/v1/identity-providers").await.text,
        house.admin.get("/v1/identity-providers/corp").await.text,
        house.admin.get("/v1/audit?limit=1000").await.text,
        house.admin.poke("/v1/identity-providers/corp/test").await.text,
    ]
    .concat();
    assert!(shown.contains("identity_provider.create"));
    house.stop().await;
    let (database, log) = ([before, house.database_bytes()].concat(), LOG.lock().clone());
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for secret in
        ["a-secret:of/the+client", &flow[26..58], who["token"].as_str().unwrap(), back.query["code"].as_str()]
    {
        assert!(!shown.contains(secret), "{secret} is shown");
        assert!(!holds(&log, secret), "{secret} is logged");
        assert!(!holds(&database, secret), "{secret} is stored");
    }
    if house.is_on_sqlite() {
        assert!(holds(&database, "ada@example.com"), "the search finds nothing: it proves nothing");
    }
}
