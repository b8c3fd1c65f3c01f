//! `GET` and `PUT /v1/projects/{project}/rotation-plan`

use crate::house::{House, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    a_project_begins_with_a_plan_that_asks_for_nothing,
    a_plan_is_set_whole_and_by_version,
    nonsense_is_refused,
    the_plans_grace_is_a_rotations_default,
    setting_it_needs_a_permission,
}

const PATH: &str = "/v1/projects/registry/rotation-plan";

async fn a_project_begins_with_a_plan_that_asks_for_nothing(house: House) {
    assert_eq!(
        house.admin.get(PATH).await.ok(),
        json!({"max_age_days": null, "notice_days": 14, "grace_seconds": 86_400,
            "revoke_lineage_on_reuse": false, "updated_at": null, "version": 0})
    );
}

async fn a_plan_is_set_whole_and_by_version(mut house: House) {
    let put = async |house: &House, body: Value, version: &str| {
        house.admin.call(Method::PUT, PATH, Some(body), &[("if-match", version)]).await
    };
    let body =
        json!({"max_age_days": 90, "notice_days": 30, "grace_seconds": 60, "revoke_lineage_on_reuse": true});
    put(&house, body.clone(), "\"3\"").await.refused(412, "precondition_failed");
    let set = put(&house, body, "\"0\"").await.ok();
    let expected = json!({"max_age_days": 90, "notice_days": 30, "grace_seconds": 60,
        "revoke_lineage_on_reuse": true, "updated_at": "2026-01-01T00:00:00Z", "version": 1});
    assert_eq!(set, expected);
    house.restart().await;
    assert_eq!(house.admin.get(PATH).await.ok(), expected);
    house.wait(1);
    let short = put(&house, json!({"max_age_days": 5}), "\"1\"").await.ok();
    // Announced earlier than it may be: half of its age at most.
    assert_eq!((&short["notice_days"], &short["grace_seconds"]), (&json!(2), &json!(86_400)));
    let acts = house.admin.audit("action=project.rotation_plan.set").await;
    assert_eq!(
        (acts.len(), &acts[0]["before"]["max_age_days"], &acts[0]["after"]["max_age_days"]),
        (2, &json!(90), &json!(5))
    );
    // Another tenant's project of the same name has its own.
    assert_eq!(house.other.get(PATH).await.ok()["version"], 0);
}

async fn nonsense_is_refused(house: House) {
    for (body, field) in [
        (json!({"max_age_days": 0}), "/max_age_days"),
        (json!({"max_age_days": 3_651}), "/max_age_days"),
        (json!({"max_age_days": 10, "notice_days": 10}), "/notice_days"),
        (json!({"notice_days": 366}), "/notice_days"),
        (json!({"grace_seconds": 7_776_001}), "/grace_seconds"),
        (json!({"max_age_days": "90"}), "/max_age_days"),
    ] {
        let answer = house.admin.call(Method::PUT, PATH, Some(body), &[]).await;
        answer.wrong_field("invalid_field", field);
    }
}

async fn the_plans_grace_is_a_rotations_default(house: House) {
    house.admin.call(Method::PUT, PATH, Some(json!({"grace_seconds": 60})), &[]).await.ok();
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({})).await;
    assert_eq!(new.shown["rotation"]["ends_at"], "2026-01-01T00:01:00Z");
}

async fn setting_it_needs_a_permission(house: House) {
    let reader = house.admin.issue_in("keystead", json!({"permissions": ["projects.read"]})).await;
    let reader = house.admin.with_key(&reader.key);
    reader.get(PATH).await.ok();
    reader.call(Method::PUT, PATH, Some(json!({})), &[]).await.refused(403, "forbidden");
}
