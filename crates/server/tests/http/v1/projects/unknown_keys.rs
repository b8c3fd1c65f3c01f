//! `GET /v1/projects/{project}/unknown-keys`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    keys_that_nobody_issued_are_recorded_lessons_5,
    attempts_add_up_over_restarts,
}

/// LESSONS 5: requests with unknown keys never reached analytics, so brute force was invisible.
async fn keys_that_nobody_issued_are_recorded_lessons_5(mut house: House) {
    let key = house.admin.issue(json!({})).await;
    let from = |ip: &str| json!({"ip": ip});
    for number in 0..3 {
        house.wait(1);
        house.asker.ask("nonsense", from("198.51.100.1")).await;
        house.asker.ask(&house.unknown_key(), from(&format!("203.0.{number}.1"))).await;
    }
    house.asker.ask(&house.others_secret(&key), from("198.51.100.1")).await;
    house.asker.ask(&key.key, from("198.51.100.1")).await;
    house.restart().await;
    let list = house.admin.get("/v1/projects/registry/unknown-keys").await.ok();
    let items = list["items"].as_array().unwrap();
    let of = |code: &str| items.iter().find(|one| one["code"] == code).unwrap();
    assert_eq!(items.len(), 3);
    for (code, count) in [("malformed", 3), ("not_found", 3), ("wrong_secret", 1)] {
        assert_eq!((&of(code)["count"], &of(code)["environment"]), (&json!(count), &json!("production")));
        assert_eq!(of(code)["last_at"], "2026-01-01T00:00:03Z");
    }
    assert_eq!(of("malformed")["first_at"], "2026-01-01T00:00:01Z");
    let networks: Vec<_> =
        of("not_found")["networks"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert_eq!(networks, ["203.0.2.0/24", "203.0.1.0/24", "203.0.0.0/24"]);
    // What was tried is written nowhere.
    assert!(!list.to_string().contains("nonsense"));
}

async fn attempts_add_up_over_restarts(mut house: House) {
    for round in 1..=3 {
        for _ in 0..4 {
            house.asker.ask("nonsense", json!({"ip": "198.51.100.1"})).await;
        }
        house.restart().await;
        let list = house.admin.get("/v1/projects/registry/unknown-keys").await.ok();
        assert_eq!(list["items"][0]["count"], 4 * round);
        assert_eq!(list["items"][0]["networks"][0]["count"], 4 * round);
    }
    let others = house.other.get("/v1/projects/registry/unknown-keys").await.ok();
    assert_eq!(others["items"], json!([]));
}
