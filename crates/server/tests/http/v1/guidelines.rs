//! `/v1/guidelines` and `/v1/lessons`

use crate::house::{House, grants, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    guidelines_are_published_version_by_version,
    who_has_not_accepted_the_current_ones_makes_rotates_and_reads_no_key,
    a_lesson_is_passed_by_its_right_answers_and_asked_for_by_a_guardrail,
    a_key_of_a_person_reads_nothing_in_their_name,
    who_has_read_what_is_reported_and_forgotten_with_the_member,
    another_tenant_has_its_own,
    wrong_fields_are_refused,
}

const PATH: &str = "/v1/guidelines";
const KEYS: &str = "/v1/projects/registry/keys";
const MINE: [&str; 3] = ["keys.own", "projects.read", "catalogue.read"];

/// What somebody needs for a key in production of the registry.
fn maker() -> Value {
    let mut all = grants(&MINE);
    let own = json!({"permission": "zones.read", "project": "registry"});
    all.as_array_mut().unwrap().push(own);
    all
}

async fn guidelines_are_published_version_by_version(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let first = session.get(PATH).await.ok();
    assert_eq!((&first["version"], &first["published_at"]), (&json!(0), &json!(null)));
    assert!(first["text"].as_str().unwrap().starts_with("# How we handle API keys"));
    session.put(PATH, json!({"text": "Anything goes."})).await.refused(403, "forbidden");
    let at = async |version: &str, text: &str| {
        let body = Some(json!({"text": text}));
        house.admin.call(http::Method::PUT, PATH, body, &[("if-match", version)]).await
    };
    at("\"1\"", "# Ours").await.refused(412, "precondition_failed");
    house.wait(1);
    assert_eq!(at("\"0\"", "# Ours").await.ok()["version"], 1);
    at("\"0\"", "# Another's").await.refused(412, "precondition_failed");
    // Again the same is no new version.
    assert_eq!(house.admin.put(PATH, json!({"text": "# Ours"})).await.ok()["version"], 1);
    house.wait(1);
    assert_eq!(house.admin.put(PATH, json!({"text": "# Ours, better"})).await.ok()["version"], 2);
    let shown = session.get(PATH).await.ok();
    assert_eq!((&shown["text"], &shown["current"]), (&json!("# Ours, better"), &json!(true)));
    let old = session.get(&format!("{PATH}?version=1")).await.ok();
    assert_eq!((&old["text"], &old["current"]), (&json!("# Ours"), &json!(false)));
    assert_eq!(session.get(&format!("{PATH}?version=0")).await.ok()["text"], first["text"]);
    session.get(&format!("{PATH}?version=3")).await.refused(404, "not_found");
    assert_eq!(house.admin.audit("action=guidelines.publish").await.len(), 2);
    let (one, two) = tokio::join!(at("\"2\"", "# A"), at("\"2\"", "# B"));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert!(codes[0] == 200 && [409, 412].contains(&codes[1]), "{codes:?}");
}

async fn who_has_not_accepted_the_current_ones_makes_rotates_and_reads_no_key(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    house.admin.patch(&ada.path(), json!({"grants": maker()})).await.ok();
    let session = house.sign_in(&ada).await;
    let new = json!({"name": "Mine", "environment": "production", "permissions": ["zones.read"]});
    let key = session.post(KEYS, new.clone()).await.created();
    let public = json!({"name": "Page", "environment": "production", "kind": "public",
        "restrictions": {"origins": ["https://example.com"]}});
    let public = session.post(KEYS, public).await.created();
    let path = |key: &Value, act: &str| format!("/v1/keys/{}/{act}", key["id"].as_str().unwrap());
    house.admin.put("/v1/guardrails", json!({"guidelines_required": true})).await.ok();

    let asked = async |accepted: bool| {
        let made = session.post(KEYS, new.clone()).await;
        let rotated = session.post(&path(&key, "rotate"), json!({"grace_seconds": 60})).await;
        let read = session.poke(&path(&public, "reveal")).await;
        for answer in [made, rotated, read] {
            if accepted {
                assert!(answer.status.is_success(), "{}", answer.text);
            } else {
                let problem = answer.refused(422, "guardrail_violated");
                let one = &problem["violations"][0];
                assert_eq!(
                    (&one["guardrail"], &one["where"]),
                    (&json!("guidelines_required"), &json!("organization"))
                );
                assert!(one["fix"].as_str().unwrap().contains("keystead guidelines accept"));
            }
        }
    };
    asked(false).await;
    // Programs read nothing.
    house.admin.issue(json!({})).await;
    let accept =
        async |version: i64| session.post(&format!("{PATH}/accept"), json!({"version": version})).await;
    accept(0).await.ok();
    session.post(KEYS, new.clone()).await.created();
    // What is published anew has to be accepted anew, and not what was read before.
    house.admin.put(PATH, json!({"text": "# Ours"})).await.ok();
    asked(false).await;
    accept(0).await.refused(409, "conflict");
    let accepted = accept(1).await.ok();
    assert_eq!((&accepted["version"], accepted["accepted_at"].is_string()), (&json!(1), true));
    accept(1).await.ok();
    asked(true).await;
    let events = house.admin.audit("action=guidelines.accept").await;
    assert_eq!(events.len(), 2, "each version once");
    assert_eq!(events[0]["actor"]["member"], json!(ada.id));
}

async fn a_lesson_is_passed_by_its_right_answers_and_asked_for_by_a_guardrail(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    house.admin.patch(&ada.path(), json!({"grants": maker()})).await.ok();
    let session = house.sign_in(&ada).await;
    let lessons = session.get("/v1/lessons").await.ok();
    let lessons = lessons["items"].as_array().unwrap().clone();
    assert_eq!(lessons.len(), 6);
    assert!(lessons.iter().all(|lesson| lesson["questions"].as_array().unwrap().len() == 3));
    // The right answers are nowhere in what is shown.
    assert!(!lessons[0].to_string().contains("right"));
    let own = "/v1/projects/registry/guardrails";
    house.admin.put(own, json!({"lessons_required": ["storing"]})).await.ok();
    let new = json!({"name": "Mine", "environment": "production", "permissions": ["zones.read"]});
    let refused = session.post(KEYS, new.clone()).await.refused(422, "guardrail_violated");
    assert_eq!(refused["violations"][0]["guardrail"], "lessons_required");
    let answer =
        async |answers: Value| session.post("/v1/lessons/storing/answers", json!({"answers": answers})).await;
    let failed = answer(json!([2, 1, 1])).await.ok();
    let rights: Vec<_> =
        failed["answers"].as_array().unwrap().iter().map(|one| one["right"].clone()).collect();
    assert_eq!((&failed["passed"], rights), (&json!(false), vec![json!(true), json!(true), json!(false)]));
    assert!(failed["answers"][2].get("why").is_none(), "one thinks again");
    session.post(KEYS, new.clone()).await.refused(422, "guardrail_violated");
    assert_eq!(answer(json!([2, 1, 3])).await.ok()["passed"], true);
    session.post(KEYS, new).await.created();
    assert!(session.get("/v1/lessons/storing").await.ok()["passed_at"].is_string());
    assert_eq!(house.admin.audit("action=lesson.pass").await.len(), 1);
    for (answers, field) in
        [(json!([1, 2]), "/answers"), (json!([1, 0, 1]), "/answers/1"), (json!([1, 1, 4]), "/answers/2")]
    {
        answer(answers).await.wrong_field("invalid_field", field);
    }
    session.get("/v1/lessons/history").await.refused(404, "not_found");
    session
        .post("/v1/lessons/history/answers", json!({"answers": [1, 1, 1]}))
        .await
        .refused(404, "not_found");
}

async fn a_key_of_a_person_reads_nothing_in_their_name(house: House) {
    let bob = house.admin.person("Bob", maker(), json!([])).await;
    house.admin.put("/v1/guardrails", json!({"guidelines_required": true})).await.ok();
    bob.post(&format!("{PATH}/accept"), json!({"version": 0})).await.refused(403, "forbidden");
    bob.post("/v1/lessons/storing/answers", json!({"answers": [2, 1, 3]})).await.refused(403, "forbidden");
    let new = json!({"name": "Mine", "environment": "production"});
    bob.post(KEYS, new).await.refused(422, "guardrail_violated");
    assert_eq!(bob.get(PATH).await.ok()["accepted_at"], json!(null));
}

async fn who_has_read_what_is_reported_and_forgotten_with_the_member(mut house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let bob = house.person("bob@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    session.post(&format!("{PATH}/accept"), json!({"version": 0})).await.ok();
    session.post("/v1/lessons/rotating/answers", json!({"answers": [2, 1, 3]})).await.ok();
    session.get(&format!("{PATH}/report")).await.refused(403, "forbidden");
    house.restart().await;
    let report = async || {
        let page = house.admin.get(&format!("{PATH}/report")).await.ok();
        let items = page["items"].as_array().unwrap().clone();
        let of = |id: &str| items.iter().find(|item| item["member"] == id).cloned();
        (of(&ada.id), of(&bob.id))
    };
    let (adas, bobs) = report().await;
    let (adas, bobs) = (adas.unwrap(), bobs.unwrap());
    assert_eq!((&adas["current"], &adas["accepted_version"]), (&json!(true), &json!(0)));
    assert_eq!(adas["lessons"][0]["lesson"], "rotating");
    assert_eq!((&bobs["current"], &bobs["lessons"]), (&json!(false), &json!([])));
    house.admin.put(PATH, json!({"text": "# Ours"})).await.ok();
    assert_eq!(report().await.0.unwrap()["current"], false);
    house.admin.delete(&ada.path()).await.gone();
    assert_eq!(report().await.0, None);
}

async fn another_tenant_has_its_own(house: House) {
    house.admin.put(PATH, json!({"text": "# Ours"})).await.ok();
    assert_eq!(house.other.get(PATH).await.ok()["version"], 0);
    house.other.get(&format!("{PATH}?version=1")).await.refused(404, "not_found");
    assert_eq!(house.other.get(&format!("{PATH}/report")).await.ok()["items"], json!([]));
    house.stranger.get(PATH).await.refused(401, "unauthenticated");
}

async fn wrong_fields_are_refused(house: House) {
    for text in ["", "  \n", "a\0b", &"x".repeat(65_537)] {
        house.admin.put(PATH, json!({"text": text})).await.wrong_field("invalid_field", "/text");
    }
    house.admin.put(PATH, json!({"text": "x".repeat(65_536)})).await.ok();
    for (names, field) in [(json!(["history"]), "0"), (json!(["storing", "storing"]), "1")] {
        let set = house.admin.put("/v1/guardrails", json!({"lessons_required": names})).await;
        set.wrong_field("invalid_field", &format!("/lessons_required/{field}"));
    }
}
