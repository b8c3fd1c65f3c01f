//! `GET /v1/audit/export`

use crate::house::{House, on_both_engines};
use keystead_service::audit_verify::{Kept, Source, verify};
use serde_json::{Value, json};

on_both_engines! {
    an_export_has_every_record_and_verifies,
    a_tenant_exports_its_own_records_only,
}

async fn an_export_has_every_record_and_verifies(house: House) {
    let key = house.admin.issue(json!({"name": "Website"})).await;
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    let answer = house.admin.get("/v1/audit/export").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/x-ndjson".parse().unwrap())
    );
    let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| {
        lines.iter().filter(|line| line["type"] == kind).map(|line| &line["data"]).collect::<Vec<_>>()
    };
    assert_eq!((&lines[0]["type"], &lines.last().unwrap()["type"]), (&json!("head"), &json!("end")));
    assert_eq!(of("end")[0]["lines"].as_u64(), u64::try_from(lines.len() - 2).ok());
    assert!(!of("checkpoint").is_empty());
    let records = of("record");
    assert!(records.iter().any(|one| one["record"]["target_id"] == key.id.as_str()));
    assert_eq!(records.last().unwrap()["record"]["action"], "audit.export");
    let mut exported: Vec<_> = records.iter().map(|one| one["record"]["id"].clone()).collect();
    let mut listed: Vec<_> = house.admin.audit("").await.iter().map(|one| one["id"].clone()).collect();
    exported.sort_by_key(Value::to_string);
    listed.sort_by_key(Value::to_string);
    assert_eq!(exported, listed);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.ndjson");
    std::fs::write(&path, &answer.text).unwrap();
    let verified = verify(Source::Export(&path), &Kept::default()).await.unwrap();
    assert_eq!(verified[0].found.records, u64::try_from(records.len()).unwrap());
}

async fn a_tenant_exports_its_own_records_only(house: House) {
    let key = house.admin.issue(json!({})).await;
    let others = house.other.get("/v1/audit/export").await.text;
    assert!(others.contains("organization.create"), "{others}");
    assert!(!others.contains(&key.id) && !others.contains(&house.acme.project));
    house.asker.get("/v1/audit/export").await.refused(403, "forbidden");
    house.stranger.get("/v1/audit/export").await.refused(401, "unauthenticated");
}
