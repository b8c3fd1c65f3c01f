//! What ends a session, and what does not.

use crate::house::{House, LOST_PASSWORD, PASSWORD, grants, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_session_is_no_key,
    a_session_of_a_disabled_member_stops_on_the_next_request,
    a_session_ends_with_its_time_and_when_nobody_uses_it,
    sessions_are_listed_and_ended_by_whose_they_are,
    anothers_session_looks_like_none_lessons_6,
    an_administrator_ends_a_members_sessions_and_nobody_elses,
    another_password_ends_every_other_session,
    what_is_no_session_says_nothing,
    what_is_over_is_forgotten,
}

async fn a_session_of_a_disabled_member_stops_on_the_next_request(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let session = house.sign_in(&ada).await;
    house.admin.patch(&ada.path(), json!({"disabled": true})).await.ok();
    for path in ["/v1/projects/registry", "/v1/sessions", "/v1/sessions/current"] {
        session.get(path).await.refused(401, "unauthenticated");
    }
    house.admin.patch(&ada.path(), json!({"disabled": false})).await.ok();
    session.get("/v1/projects/registry").await.ok();
    house.admin.patch(&ada.path(), json!({"grants": []})).await.ok();
    session.get("/v1/projects/registry").await.refused(403, "forbidden");
}

async fn a_session_ends_with_its_time_and_when_nobody_uses_it(mut house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let (idle, used) = (house.sign_in(&ada).await, house.sign_in(&ada).await);
    for _ in 0..23 {
        house.wait(30 * 60);
        used.get("/v1/sessions/current").await.ok();
    }
    idle.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    assert_eq!(used.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len(), 1);
    house.restart().await;
    used.get("/v1/sessions/current").await.ok();
    house.wait(30 * 60);
    let problem = used.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    assert!(problem["fix"].as_str().unwrap().contains("Sign in again"));
}

async fn sessions_are_listed_and_ended_by_whose_they_are(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let first = house.sign_in(&ada).await;
    house.wait(1);
    let second = house.sign_in(&ada).await;
    let listed = second.get("/v1/sessions").await.ok()["items"].clone();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.iter().map(|one| &one["current"]).collect::<Vec<_>>(), [true, false]);
    assert!(listed.iter().all(|one| one["address"] == "127.0.0.1" && one["organization"] == "acme"));
    second.delete(&format!("/v1/sessions/{}", listed[1]["id"].as_str().unwrap())).await.gone();
    first.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    second
        .delete(&format!("/v1/sessions/{}", listed[1]["id"].as_str().unwrap()))
        .await
        .refused(404, "not_found");
    second.delete("/v1/sessions/current").await.gone();
    second.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    let ended = house.admin.audit("action=session.end").await;
    assert_eq!(ended.len(), 2);
    // Keys have no sessions.
    house.admin.get("/v1/sessions").await.refused(403, "forbidden");
    house.admin.get("/v1/sessions/current").await.refused(403, "forbidden");
}

/// LESSONS 6: also where the one who asks has a session too.
async fn anothers_session_looks_like_none_lessons_6(house: House) {
    let (ada, bob) =
        (house.person("ada@example.com", &[]).await, house.person("bob@example.com", &["people.*"]).await);
    let (adas, bobs) = (house.sign_in(&ada).await, house.sign_in(&bob).await);
    let id = adas.get("/v1/sessions/current").await.ok()["id"].as_str().unwrap().to_owned();
    let nobodys = format!("{}{}", &id[..id.len() - 1], if id.ends_with('7') { '8' } else { '7' });
    let mut told = Vec::new();
    for id in [&id, &nobodys] {
        let mut problem = bobs.delete(&format!("/v1/sessions/{id}")).await.refused(404, "not_found");
        problem.as_object_mut().unwrap().remove("request_id");
        told.push(problem);
    }
    assert_eq!(told[0], told[1]);
    let other = house.other.delete(&format!("{}/sessions", ada.path())).await.refused(404, "not_found");
    assert_eq!(other["detail"], "There is no such member, or you may not see it.");
    adas.get("/v1/sessions/current").await.ok();
}

async fn an_administrator_ends_a_members_sessions_and_nobody_elses(house: House) {
    let (ada, bob) = (house.person("ada@example.com", &[]).await, house.person("bob@example.com", &[]).await);
    let (one, two, bobs) = (house.sign_in(&ada).await, house.sign_in(&ada).await, house.sign_in(&bob).await);
    bobs.delete(&format!("{}/sessions", ada.path())).await.refused(403, "forbidden");
    house.admin.delete(&format!("{}/sessions", ada.path())).await.gone();
    for ended in [one, two] {
        ended.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    }
    bobs.get("/v1/sessions/current").await.ok();
    house.sign_in(&ada).await;
}

async fn another_password_ends_every_other_session(house: House) {
    let mut ada = house.person("ada@example.com", &["projects.read"]).await;
    let (one, two) = (house.sign_in(&ada).await, house.sign_in(&ada).await);
    let change = |current: &str, new: &str| json!({"current": current, "new": new});
    for new in ["short", "ADA@example.com", "The acme company", LOST_PASSWORD] {
        let refused = one.post("/v1/account/password", change(PASSWORD, new)).await;
        assert_eq!(refused.refused(422, "invalid_field")["field"], "/new");
    }
    one.post("/v1/account/password", change("a wrong password", "another horse battery"))
        .await
        .refused(401, "sign_in_failed");
    two.get("/v1/sessions/current").await.ok();
    one.post("/v1/account/password", change(PASSWORD, "another horse battery")).await.gone();
    one.get("/v1/sessions/current").await.ok();
    two.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    house.try_sign_in(ada.proof()).await.refused(401, "sign_in_failed");
    ada.password = "another horse battery".into();
    house.sign_in(&ada).await;
}

async fn what_is_no_session_says_nothing(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let session = house.sign_in(&ada).await;
    let token = session.key();
    let changed = |at: usize| {
        let mut token = token.to_owned();
        let other = if token.as_bytes()[at] == b'7' { "8" } else { "7" };
        token.replace_range(at..=at, other);
        token
    };
    for wrong in [changed(5), changed(30), changed(60), token[..50].to_owned(), "kss_".to_owned()] {
        let caller = house.stranger.with_key_unchecked(&wrong);
        caller.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    }
    // Nothing about it is a key: none may be verified, and none is found.
    let verdict = json!({"key": token, "project": "registry", "environment": "production"});
    assert_eq!(house.admin.post("/v1/verify", verdict).await.ok()["code"], "malformed");
    session.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
}

async fn what_is_over_is_forgotten(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let waiting = house.admin.add("bob@example.com", grants(&[])).await;
    let token = house.invite(&house.admin, &waiting).await;
    house.wait(31 * 86_400);
    house.keystead.purge_sign_in().await.unwrap();
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    house.accept(&token, PASSWORD).await.refused(404, "link_invalid");
}

async fn a_session_is_no_key(house: House) {
    let ada = house.person("ada@example.com", &["keys.read"]).await;
    let session = house.sign_in(&ada).await;
    let told = session.post("/v1/whoami", serde_json::json!({})).await.refused(409, "conflict");
    assert!(told["fix"].as_str().unwrap().contains("/v1/members/me"), "{told}");
    let key = house.admin.issue(serde_json::json!({})).await;
    let found = session.post("/v1/whoami", serde_json::json!({"key": key.key})).await.ok();
    assert_eq!((&found["own"], &found["id"]), (&false.into(), &key.id.clone().into()));
}
