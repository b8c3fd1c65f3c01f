//! `POST /v1/keys/mint`: how many keys may be minted from one.

use crate::house::{House, MINTED_MAX, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_parent_has_so_many_children_and_no_more,
}

async fn a_parent_has_so_many_children_and_no_more(house: House) {
    let parent = house.admin.issue(json!({})).await;
    for _ in 0..MINTED_MAX {
        house.admin.mint(&parent, json!({"expires_in_seconds": 60})).await;
    }
    let mint = async || house.admin.with_key(&parent.key).post("/v1/keys/mint", json!({})).await;
    mint().await.refused(409, "conflict");
    // Another's are counted apart; one's own count until they are purged.
    house.admin.mint(&house.admin.issue(json!({})).await, json!({})).await;
    house.wait(60 + 86_400 - 1);
    mint().await.refused(409, "conflict");
    house.wait(2);
    house.keystead.purge_temporary_keys().await.unwrap();
    mint().await.created();
}
