//! A browser's session: a cookie that scripts cannot read, and that other sites cannot use.

use crate::house::{Browser, House, on_both_engines};
use http::Method;
use serde_json::json;

on_both_engines! {
    a_cookie_reads_and_changes_only_beside_its_own_token,
    a_cookie_counts_beside_no_other_credential_lessons_20,
    signing_out_takes_the_cookie_back,
}

async fn a_cookie_reads_and_changes_only_beside_its_own_token(house: House) {
    let ada = house.person("ada@example.com", &["projects.*"]).await;
    let (browser, other) = (Browser::open(&house, &ada).await, Browser::open(&house, &ada).await);
    let who = browser.send(Method::GET, "/v1/sessions/current", None, &[]).await.ok();
    assert_eq!(who["csrf_token"], browser.csrf);
    assert_ne!(browser.csrf, other.csrf);
    let body = || Some(json!({"name": "Mine", "slug": "mine"}));
    let half = &browser.csrf[..20];
    for sent in
        [&[][..], &[("x-csrf-token", "")], &[("x-csrf-token", half)], &[("x-csrf-token", &other.csrf)]]
    {
        browser.send(Method::POST, "/v1/projects", body(), sent).await.refused(403, "csrf_required");
    }
    let twice = [("x-csrf-token", browser.csrf.as_str()), ("x-csrf-token", "x")];
    browser.send(Method::POST, "/v1/projects", body(), &twice).await.refused(403, "csrf_required");
    let own = [("x-csrf-token", browser.csrf.as_str())];
    browser.send(Method::POST, "/v1/projects", body(), &own).await.created();
}

/// LESSONS 20: of two credentials in a request, each proxy takes another.
async fn a_cookie_counts_beside_no_other_credential_lessons_20(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let browser = Browser::open(&house, &ada).await;
    let key = format!("Bearer {}", house.admin.key());
    let cookie = browser.cookie.clone();
    for beside in [("authorization", key.as_str()), ("x-api-key", house.admin.key()), ("cookie", &cookie)] {
        let answer = browser.send(Method::GET, "/v1/projects", None, &[beside]).await;
        answer.refused(400, "credential_ambiguous");
    }
    let both = format!("a=1; {cookie}; {cookie}");
    let twice = house.stranger.call(Method::GET, "/v1/projects", None, &[("cookie", &both)]).await;
    twice.refused(400, "credential_ambiguous");
    let others = format!("a=1; {cookie}; b=2");
    house.stranger.call(Method::GET, "/v1/projects", None, &[("cookie", &others)]).await.ok();
}

async fn signing_out_takes_the_cookie_back(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let browser = Browser::open(&house, &ada).await;
    let own = [("x-csrf-token", browser.csrf.as_str())];
    let out = browser.send(Method::DELETE, "/v1/sessions/current", None, &own).await;
    assert!(out.headers["set-cookie"].to_str().unwrap().starts_with("keystead-session=; Path=/; Max-Age=0"));
    out.gone();
    browser.send(Method::GET, "/v1/sessions/current", None, &[]).await.refused(401, "unauthenticated");
}
