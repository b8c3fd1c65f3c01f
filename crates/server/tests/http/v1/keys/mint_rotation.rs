//! `POST /v1/keys/mint` from a key that is rotated

use crate::house::{House, Issued, on_both_engines};
use serde_json::json;

on_both_engines! {
    what_was_minted_from_the_old_key_ends_with_it,
}

/// A rotated lineage is one: its children spend of it, whichever of its keys they are from.
async fn what_was_minted_from_the_old_key_ends_with_it(house: House) {
    let old = house.admin.issue(json!({"credits": {"remaining": 10}})).await;
    let of_old = house.admin.mint(&old, json!({})).await;
    let rotate = format!("{}/rotate", old.path());
    let shown = house.admin.post(&rotate, json!({"grace_seconds": 60})).await.created();
    let (id, key) = (shown["id"].as_str().unwrap().to_owned(), shown["key"].as_str().unwrap().to_owned());
    let new = Issued { id, key, shown };
    let of_new = house.admin.mint(&new, json!({})).await;
    for child in [&of_old, &of_new] {
        assert_eq!(house.asker.bare(child).await, "valid");
    }
    house.wait(60);
    assert_eq!(house.asker.bare(&of_old).await, "expired");
    assert_eq!(house.asker.bare(&of_new).await, "valid");
    assert_eq!(house.admin.show(&new).await["credits"]["remaining"], 7);
}
