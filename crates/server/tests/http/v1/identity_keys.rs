//! `/v1/identity-keys`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    only_the_operator_sees_and_replaces_them,
    a_replaced_key_is_published_no_more_also_after_a_restart,
}

async fn only_the_operator_sees_and_replaces_them(house: House) {
    let before = house.operator.get("/v1/identity-keys").await.ok();
    for caller in [&*house.admin, &*house.other, &*house.asker] {
        caller.get("/v1/identity-keys").await.refused(403, "forbidden");
        caller.poke("/v1/identity-keys/replace").await.refused(403, "forbidden");
    }
    assert_eq!(house.operator.get("/v1/identity-keys").await.ok(), before);
    assert_eq!(before["items"].as_array().unwrap().len(), 1);
    assert_eq!(before["items"][0]["state"], "current");
}

async fn a_replaced_key_is_published_no_more_also_after_a_restart(mut house: House) {
    let published = async |house: &House| house.stranger.get("/.well-known/jwks.json").await.body;
    // The next one is made before it signs: it could have leaked with the current one.
    house.wait(29 * 86_400 + 3_600);
    house.keystead.tend_identity_keys().await.unwrap();
    let before = house.operator.get("/v1/identity-keys").await.ok();
    assert_eq!(published(&house).await["keys"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&before["items"][0]["state"], &before["items"][1]["state"]),
        (&json!("current"), &json!("next"))
    );
    let new = house.operator.poke("/v1/identity-keys/replace").await.ok();
    assert_eq!(new["state"], "current");
    for _ in 0..2 {
        let keys = published(&house).await["keys"].clone();
        assert_eq!(keys.as_array().unwrap().len(), 1);
        assert_eq!(keys[0]["kid"], new["id"]);
        assert_eq!(house.operator.get("/v1/identity-keys").await.ok()["items"], json!([new]));
        house.restart().await;
    }
    let records = house.operator.get("/v1/audit?action=identity_keys.replace").await.ok();
    let record = &records["items"][0];
    assert_eq!(record["target"]["id"], new["id"]);
    assert_eq!(record["before"]["keys"], json!([before["items"][0]["id"], before["items"][1]["id"]]));
    assert_eq!(record["after"]["keys"], json!([new["id"]]));
}
