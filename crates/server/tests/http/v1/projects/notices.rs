//! `GET /v1/projects/{project}/notices`: what people are told about rotations

mod delivery;
mod outages;
mod retry;

use crate::house::{House, Issued, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    contacts_are_told_before_at_and_after,
    what_time_ended_is_told_once,
    a_cancellation_and_a_revocation_are_told,
    without_an_address_nobody_is_told,
    that_a_key_is_due_is_told_once,
    notices_hold_no_secret_and_need_two_permissions,
}

const PATH: &str = "/v1/projects/registry/notices";
const DAY: i64 = 86_400;

async fn notices(house: &House) -> Vec<Value> {
    house.admin.get(&format!("{PATH}?limit=1000")).await.ok()["items"].as_array().unwrap().clone()
}

async fn kinds(house: &House) -> Vec<String> {
    notices(house).await.iter().map(|notice| notice["kind"].as_str().unwrap().to_owned()).collect()
}

/// A key whose consumer can be written to.
async fn key_of_customer(house: &House) -> Issued {
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"contact": "noc@customer.example"})).await.ok();
    house.admin.issue(json!({"name": "Importer", "consumer": "customer-1"})).await
}

async fn contacts_are_told_before_at_and_after(house: House) {
    let plan = json!({"max_age_days": 90, "notice_days": 14});
    house.admin.call(Method::PUT, "/v1/projects/registry/rotation-plan", Some(plan), &[]).await.ok();
    let old = key_of_customer(&house).await;
    house.wait(80 * DAY);
    house.keystead.tend_rotations().await.unwrap();
    house.wait(1);
    let new = house.admin.rotate(&old, json!({"grace_seconds": 600})).await;
    house.wait(1);
    house.admin.turn(&new, "rotate/complete", None).await;
    let told = notices(&house).await;
    let of = |field: &str| told.iter().map(|notice| notice[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["rotation_complete", "rotation_started", "rotation_due"]);
    assert_eq!(of("key_id"), [new.id.as_str(), new.id.as_str(), old.id.as_str()]);
    for notice in &told {
        assert_eq!(
            (&notice["state"], &notice["recipients"]),
            (&json!("waiting_for_smtp"), &json!(["noc@customer.example"]))
        );
        assert!(notice["subject"].as_str().unwrap().contains("Importer"), "{notice}");
        assert!(notice["body"].as_str().unwrap().contains("What to do:"), "{notice}");
        assert!(notice["id"].as_str().unwrap().starts_with("ntc_"));
    }
    let started = told[1]["body"].as_str().unwrap();
    for word in [&old.id, &new.id, new.shown["start"].as_str().unwrap(), "2026-03-22T00:10:01Z"] {
        assert!(started.contains(word), "{word}: {started}");
    }
    assert!(told[2]["body"].as_str().unwrap().contains("2026-04-01T00:00:00Z"));
}

async fn what_time_ended_is_told_once(mut house: House) {
    let old = key_of_customer(&house).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 600})).await;
    house.keystead.tend_rotations().await.unwrap();
    assert_eq!(kinds(&house).await, ["rotation_started"]);
    house.wait(600);
    for _ in 0..2 {
        house.keystead.tend_rotations().await.unwrap();
        assert_eq!(kinds(&house).await, ["rotation_complete", "rotation_started"]);
    }
    let rotation = house.admin.show(&new).await["rotation"].clone();
    assert_eq!(
        (&rotation["state"], &rotation["ends_at"]),
        (&json!("complete"), &json!("2026-01-01T00:10:00Z"))
    );
    let acts = house.admin.audit("action=key.rotation.complete").await;
    assert_eq!((acts.len(), &acts[0]["actor"]["kind"]), (1, &json!("server")));
    house.restart().await;
    house.keystead.tend_rotations().await.unwrap();
    assert_eq!(kinds(&house).await.len(), 2);
    assert_eq!(house.asker.ask(&old.key, json!({})).await["detail"], "rotated");
    // A key that ended by itself while its successor was never used.
    let old = house.admin.issue(json!({"expires_at": "2026-01-01T01:00:00Z"})).await;
    house.admin.rotate(&old, json!({"until_first_use": true})).await;
    house.wait(3_600);
    house.keystead.tend_rotations().await.unwrap();
    assert_eq!(kinds(&house).await[0], "rotation_complete");
}

async fn a_cancellation_and_a_revocation_are_told(house: House) {
    let old = key_of_customer(&house).await;
    let new = house.admin.rotate(&old, json!({})).await;
    house.wait(1);
    house.admin.turn(&new, "rotate/cancel", None).await;
    assert_eq!(kinds(&house).await, ["rotation_cancelled", "rotation_started"]);
    house.wait(1);
    house.admin.rotate(&old, json!({"grace_seconds": 0, "revoke_lineage_on_reuse": true})).await;
    house.wait(1);
    house.asker.ask(&old.key, json!({})).await;
    for _ in 0..10_000 {
        if kinds(&house).await[0] == "rotation_reused" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{:?}", kinds(&house).await);
}

async fn without_an_address_nobody_is_told(house: House) {
    for body in [json!({}), json!({"consumer": "customer-1"}), json!({"owner": "worker"})] {
        let old = house.admin.issue(body).await;
        house.admin.rotate(&old, json!({})).await;
        let told = notices(&house).await[0].clone();
        assert_eq!((&told["state"], &told["recipients"]), (&json!("nobody"), &json!([])));
    }
}

async fn that_a_key_is_due_is_told_once(house: House) {
    let plan = json!({"max_age_days": 90, "notice_days": 14});
    house.admin.call(Method::PUT, "/v1/projects/registry/rotation-plan", Some(plan), &[]).await.ok();
    let keys = [key_of_customer(&house).await, house.admin.issue(json!({})).await];
    house.wait(76 * DAY - 1);
    house.keystead.tend_rotations().await.unwrap();
    assert_eq!(kinds(&house).await.len(), 0);
    house.wait(1);
    for days in [0, 30, 200] {
        house.wait(days * DAY);
        house.keystead.tend_rotations().await.unwrap();
        let mut told: Vec<_> = notices(&house)
            .await
            .iter()
            .map(|notice| notice["key_id"].as_str().unwrap().to_owned())
            .collect();
        told.sort();
        let mut expected = keys.each_ref().map(|key| key.id.clone());
        expected.sort();
        assert_eq!(told, expected);
    }
}

async fn notices_hold_no_secret_and_need_two_permissions(house: House) {
    let old = key_of_customer(&house).await;
    let new = house.admin.rotate(&old, json!({})).await;
    let told = house.admin.get(PATH).await.text;
    assert!(!told.contains(new.secret()) && !told.contains(old.secret()));
    for permission in ["keys.read", "consumers.read"] {
        let key = house.admin.issue_in("keystead", json!({"permissions": [permission]})).await;
        house.admin.with_key(&key.key).get(PATH).await.refused(403, "forbidden");
    }
    assert_eq!(house.other.get(PATH).await.ok()["items"], json!([]));
}
