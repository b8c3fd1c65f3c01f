//! `/livez`, `/readyz`, `/metrics`, `/openapi.json`: answered without a key

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    health_is_told_to_everybody,
    metrics_count_what_happens,
    the_description_is_served,
}

async fn health_is_told_to_everybody(house: House) {
    for (path, text) in [("/livez", "ok\n"), ("/readyz", "ready\n")] {
        let answer = house.stranger.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, text));
    }
}

async fn metrics_count_what_happens(house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 100}})).await;
    for _ in 0..3 {
        assert_eq!(house.asker.bare(&key).await, "valid");
    }
    house.asker.ask("nonsense", json!({})).await;
    let answer = house.stranger.get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    // The operator's and two tenants' first keys, the asker's, and the one just made.
    for line in [
        "keystead_verdicts_total{code=\"valid\"} 3",
        "keystead_verdicts_total{code=\"malformed\"} 1",
        "keystead_keys_resident 5",
        "keystead_backup_log_kept 1",
        "keystead_usage_events_dropped_total 0",
        "keystead_http_requests_total{route=\"/v1/verify\",method=\"POST\",status=\"2xx\"} 4",
    ] {
        assert!(answer.text.lines().any(|has| has == line), "{line} is not in\n{}", answer.text);
    }
}

async fn the_description_is_served(house: House) {
    let document = house.stranger.get("/openapi.json").await.ok();
    assert_eq!(document, serde_json::to_value(keystead_server::routes::document()).unwrap());
}
