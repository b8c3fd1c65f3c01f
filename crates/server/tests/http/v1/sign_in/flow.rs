//! The whole way: begun here, through the provider, and back.

use super::{add_corp, begin, finish, sign_in, with_corp};
use crate::house::{House, Provider, on_both_engines, origin};
use keystead_api::StartSingleSignOn;
use serde_json::json;

on_both_engines! {
    who_is_new_becomes_a_member_and_signs_in_as_themselves,
    a_browser_gets_a_cookie_and_no_token,
    a_public_client_needs_no_secret,
    what_was_begun_on_one_node_is_finished_on_another,
    an_organization_or_provider_that_there_is_not_is_told_alike,
    a_second_factor_at_the_provider_counts_when_it_says_so,
}

async fn who_is_new_becomes_a_member_and_signs_in_as_themselves(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (url, _) = begin(&house, json!({})).await;
    for part in ["response_type=code", "code_challenge_method=S256", "nonce=", "state=", "scope=openid+email"]
    {
        assert!(url.contains(part), "{url} has no {part}");
    }
    let (session, who) = sign_in(&house, &provider).await;
    assert_eq!((&who["email"], &who["name"]), (&json!("ada@example.com"), &json!("Ada Lovelace")));
    assert_eq!(who["organization"], "acme");
    let current = session.get("/v1/sessions/current").await.ok();
    assert_eq!((&current["email"], &current["id"]), (&json!("ada@example.com"), &who["id"]));
    assert!(current["identity_provider"].as_str().unwrap().starts_with("idp_"));
    let member = house.admin.get("/v1/members/ada@example.com").await.ok();
    assert_eq!((&member["id"], &member["grants"]), (&who["member_id"], &json!([])));
    assert!(member["joined_at"].is_string());
    // Without a grant they may see themselves, and nothing else.
    session.get("/v1/members/me").await.ok();
    session.get("/v1/projects").await.refused(403, "forbidden");
    // The same person again: no second member.
    let (_, again) = sign_in(&house, &provider).await;
    assert_eq!(again["member_id"], who["member_id"]);
    assert_ne!(again["id"], who["id"]);
    let records = house.admin.audit("").await;
    let of = |action: &str| records.iter().filter(|record| record["action"] == action).count();
    assert_eq!([of("member.create"), of("member.join"), of("session.create")], [1, 1, 2]);
    let begun = records.iter().find(|record| record["action"] == "session.create").unwrap();
    assert_eq!(begun["after"]["identity_provider"], "corp");
    assert_eq!(begun["actor"]["member"], who["member_id"]);
    // It ends like any other.
    session.delete("/v1/sessions/current").await.gone();
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
}

async fn a_browser_gets_a_cookie_and_no_token(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let body = json!({"organization": "acme"});
    let begun = house.stranger.post("/v1/sign-in/oidc/start", body).await;
    let cookie = begun.headers["set-cookie"].to_str().unwrap().to_owned();
    let (cookie, rest) = cookie.split_once("; ").unwrap();
    assert!(cookie.starts_with("keystead-sign-in=ksf_"));
    assert_eq!(rest, "Path=/; Max-Age=600; HttpOnly; SameSite=Lax");
    let begun = begun.ok();
    assert_eq!(begun.get("flow"), None);
    let back = provider.visit(begun["url"].as_str().unwrap()).await;
    let path = back.url.strip_prefix(&house.url()).unwrap();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&back.query).finish();
    let path = format!("{path}?{query}");
    // Another browser that follows the same link: nothing, and nothing is used up.
    house.stranger.get(&path).await.refused(401, "single_sign_on_failed");
    let answer = house.stranger.call(http::Method::GET, &path, None, &[("cookie", cookie)]).await;
    let set: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|one| one.to_str().unwrap().to_owned()).collect();
    assert!(
        set[0].starts_with("keystead-session=kss_") && set[0].contains("HttpOnly; SameSite=Strict"),
        "{set:?}"
    );
    assert!(set[1].starts_with("keystead-sign-in=; Path=/; Max-Age=0"), "{set:?}");
    let who = answer.ok();
    assert_eq!((who.get("token"), &who["email"]), (None, &json!("ada@example.com")));
    let session = set[0].split(';').next().unwrap();
    let current =
        house.stranger.call(http::Method::GET, "/v1/sessions/current", None, &[("cookie", session)]).await;
    assert_eq!(current.ok()["id"], who["id"]);
}

async fn a_public_client_needs_no_secret(mut house: House) {
    let Some(provider) = Provider::start(&mut house).await else { return };
    let made = add_corp(&house.admin, &provider, json!({"client_id": "public", "client_secret": null})).await;
    assert_eq!(made["has_secret"], false);
    sign_in(&house, &provider).await;
}

/// What a sign-in needs is in the database, and derived by the pepper that all nodes have.
async fn what_was_begun_on_one_node_is_finished_on_another(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let Some(other) = house.second_node().await else { return };
    let start = StartSingleSignOn {
        organization: "acme".into(),
        loopback_port: Some(crate::house::LOOPBACK_PORT),
        ..StartSingleSignOn::default()
    };
    let begun = other.start_single_sign_on(&start, &origin("192.0.2.1")).await.unwrap();
    let back = provider.visit(&begun.answer.url).await;
    let who = finish(&house, back.finish(begun.flow.expose())).await.ok();
    // The node that has not heard of the new member yet knows the session at once.
    let token = who["token"].as_str().unwrap();
    let caller = other.recognise_session(token, origin("192.0.2.1")).await.unwrap();
    assert_eq!(caller.member().unwrap().to_string(), who["member_id"].as_str().unwrap());
    // Used up here, it is used up there.
    let again = finish(&house, back.finish(begun.flow.expose())).await;
    again.refused(401, "single_sign_on_failed");
    other.close().await;
}

async fn an_organization_or_provider_that_there_is_not_is_told_alike(mut house: House) {
    let Some(_provider) = with_corp(&mut house, json!({})).await else { return };
    let mut told = Vec::new();
    for (organization, named) in [
        ("nobody", Some("corp")),
        ("acme", Some("other")),
        ("other", None),
        ("other", Some("corp")),
        ("nobody", None),
    ] {
        let body = json!({"organization": organization, "provider": named});
        let mut body = house.stranger.post("/v1/sign-in/oidc/start", body).await.refused(404, "not_found");
        body.as_object_mut().unwrap().remove("request_id");
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// A step-up through the provider: asked again, and by more than one factor.
async fn a_second_factor_at_the_provider_counts_when_it_says_so(mut house: House) {
    let Some(provider) = with_corp(&mut house, json!({})).await else { return };
    let (_, plain) = sign_in(&house, &provider).await;
    assert_eq!((&plain["second_factor"], &plain["second_factor_at"]), (&json!(false), &json!(null)));
    let member = format!("/v1/members/{}", plain["member_id"].as_str().unwrap());
    house.admin.patch(&member, json!({"grants": [{"role": "owner"}]})).await.ok();
    let eve = house.admin.add("eve@example.com", json!([])).await;
    let promote = json!({"grants": [{"permission": "people.write"}]});
    let eve = format!("/v1/members/{eve}");
    let (session, _) = sign_in(&house, &provider).await;
    session.patch(&eve, promote.clone()).await.refused(403, "second_factor_required");

    provider.set(json!({"amr": ["pwd", "otp", "mfa"]})).await;
    let (url, flow) = begin(&house, json!({"again": true})).await;
    assert!(url.contains("prompt=login") && url.contains("max_age=0"), "{url}");
    let back = provider.visit(&url).await;
    let who = finish(&house, back.finish(&flow)).await.ok();
    assert!(who["second_factor_at"].is_string(), "{who}");
    let session = house.stranger.with_key(who["token"].as_str().unwrap());
    session.patch(&eve, promote).await.ok();
}
