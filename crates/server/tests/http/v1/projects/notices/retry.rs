//! `POST /v1/projects/{project}/notices/{notice}/retry`

use super::{PATH, notices};
use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    it_needs_three_permissions,
    who_was_nobody_is_somebody_once_there_is_an_address,
}

async fn it_needs_three_permissions(house: House) {
    let key = house.admin.issue(json!({})).await;
    house.admin.rotate(&key, json!({})).await;
    let id = notices(&house).await[0]["id"].as_str().unwrap().to_owned();
    for missing in 0..3 {
        let mut permissions = vec!["keys.rotate", "keys.read", "consumers.read"];
        permissions.remove(missing);
        let body = json!({"environment": "production", "permissions": permissions});
        let holder = house.admin.issue_in("keystead", body).await;
        let holder = house.admin.with_key(&holder.key);
        holder.poke(&format!("{PATH}/{id}/retry")).await.refused(403, "forbidden");
    }
    house.admin.poke(&format!("{PATH}/ntc_none/retry")).await.refused(404, "not_found");
    house.other.poke(&format!("{PATH}/{id}/retry")).await.refused(404, "not_found");
}

async fn who_was_nobody_is_somebody_once_there_is_an_address(house: House) {
    let key = house.admin.issue(json!({"consumer": "customer-1"})).await;
    house.admin.rotate(&key, json!({})).await;
    let notice = notices(&house).await[0].clone();
    assert_eq!(notice["state"], "nobody");
    assert!(notice["fix"].as_str().unwrap().contains("contact"), "{notice}");
    let retry = format!("{PATH}/{}/retry", notice["id"].as_str().unwrap());
    house.admin.poke(&retry).await.refused(409, "conflict");
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"contact": "noc@customer.example"})).await.ok();
    let again = house.admin.poke(&retry).await.ok();
    assert_eq!(
        (&again["state"], &again["recipients"]),
        (&json!("waiting_for_smtp"), &json!(["noc@customer.example"]))
    );
}
