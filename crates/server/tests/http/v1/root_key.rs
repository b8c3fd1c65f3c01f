//! `/v1/root-key`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    only_the_operator_sees_and_exchanges_it,
    a_rotated_root_key_seals_and_the_old_one_goes_lessons_38,
}

async fn only_the_operator_sees_and_exchanges_it(house: House) {
    for caller in [&*house.admin, &*house.other, &*house.asker] {
        caller.get("/v1/root-key").await.refused(403, "forbidden");
        caller.poke("/v1/root-key/rotate").await.refused(403, "forbidden");
        caller.poke("/v1/root-key/retire").await.refused(403, "forbidden");
    }
    let status = house.operator.get("/v1/root-key").await.ok();
    assert_eq!((&status["source"], &status["waiting"]), (&json!("file"), &json!(0)));
    assert_eq!(status["keys"].as_array().unwrap().len(), 1);
    assert_eq!(status["keys"][0]["id"], status["current"]);
}

/// LESSONS 38: changing the encryption key bricked the installation.
async fn a_rotated_root_key_seals_and_the_old_one_goes_lessons_38(mut house: House) {
    let key = house.admin.issue(json!({})).await;
    let before = house.operator.get("/v1/root-key").await.ok();
    let rotated = house.operator.poke("/v1/root-key/rotate").await.ok();
    assert_ne!(rotated["current"], before["current"]);
    assert_eq!(rotated["keys"].as_array().unwrap().len(), 2);
    while house.operator.get("/v1/root-key").await.ok()["waiting"] != 0 {
        tokio::task::yield_now().await;
    }
    house.operator.poke("/v1/root-key/retire").await.refused(409, "conflict");
    house.wait(61);
    let retired = house.operator.poke("/v1/root-key/retire").await.ok();
    assert_eq!(retired["keys"], json!([{"id": rotated["current"], "current": true, "sealed": 2}]));
    house.restart().await;
    assert_eq!(house.operator.get("/v1/root-key").await.ok(), retired);
    assert_eq!(house.admin.get(&key.path()).await.ok()["status"], "active");
    let records = house.operator.get("/v1/audit?action=root_key.rotate").await.ok();
    assert_eq!(records["items"][0]["target"]["id"], rotated["current"]);
    assert_eq!(records["items"][0]["before"]["current"], before["current"]);
}
