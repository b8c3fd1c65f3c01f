//! `GET /v1/audit/checkpoints`

use crate::house::{House, on_both_engines};
use keystead_domain::audit::checkpoint::{Checkpoint, Verifier};
use serde_json::Value;

on_both_engines! {
    each_checkpoint_verifies_with_what_stands_beside_it,
    a_tenant_sees_its_own_checkpoints_only,
}

async fn sign(house: &House) {
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
}

/// The tree that a checkpoint vouches for.
fn opened(item: &Value) -> Checkpoint {
    let verifier: Verifier = item["verifier"].as_str().unwrap().parse().unwrap();
    Checkpoint::open(item["note"].as_str().unwrap(), &verifier).unwrap()
}

async fn each_checkpoint_verifies_with_what_stands_beside_it(house: House) {
    sign(&house).await;
    house.wait(1);
    house.admin.issue(serde_json::json!({})).await;
    sign(&house).await;
    let first = house.admin.get("/v1/audit/checkpoints?limit=1").await.ok();
    let [newest] = first["items"].as_array().unwrap().as_slice() else { panic!("{first}") };
    assert!(newest["id"].as_str().unwrap().starts_with("chk_"), "{newest}");
    assert_eq!(newest["created_at"], "2026-01-01T00:00:01Z");
    let records = house.admin.audit("").await.len();
    assert_eq!(newest["size"].as_u64(), u64::try_from(records).ok());
    assert_eq!(newest["size"].as_u64(), Some(opened(newest).size));
    let next = first["next_cursor"].as_str().unwrap();
    let older = house.admin.get(&format!("/v1/audit/checkpoints?limit=1&cursor={next}")).await.ok();
    assert!(opened(&older["items"][0]).size < opened(newest).size);
    house.admin.get("/v1/audit/checkpoints?limit=0").await.wrong_field("invalid_field", "/limit");
}

async fn a_tenant_sees_its_own_checkpoints_only(house: House) {
    sign(&house).await;
    let page = async |query: &str| house.other.get(&format!("/v1/audit/checkpoints?{query}")).await.ok();
    let (own, others) = (house.admin.get("/v1/audit/checkpoints").await.ok(), page("limit=1000").await);
    let others = others["items"].as_array().unwrap();
    assert!(!others.is_empty());
    let origin = opened(&own["items"][0]).origin;
    assert!(others.iter().all(|item| opened(item).origin != origin));
    house.asker.get("/v1/audit/checkpoints").await.refused(403, "forbidden");
    house.stranger.get("/v1/audit/checkpoints").await.refused(401, "unauthenticated");
}
