//! `/v1/nodes`

use crate::house::{House, on_both_engines};

on_both_engines! {
    the_operator_sees_the_node_that_answers,
    nobody_else_sees_nodes,
}

async fn the_operator_sees_the_node_that_answers(house: House) {
    let list = house.operator.get("/v1/nodes").await.ok();
    let [node] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert!(node["id"].as_str().unwrap().starts_with("node_"));
    assert_eq!((&node["name"], &node["is_this"]), (&"here".into(), &true.into()));
    assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(node["started_at"], "2026-01-01T00:00:00Z");
    assert_eq!(node["feed_behind"], 0);
    assert_eq!(list["next_cursor"], serde_json::Value::Null);
}

async fn nobody_else_sees_nodes(house: House) {
    for caller in [&*house.admin, &*house.other, &*house.asker] {
        caller.get("/v1/nodes").await.refused(403, "forbidden");
    }
    house.stranger.get("/v1/nodes").await.refused(401, "unauthenticated");
}
