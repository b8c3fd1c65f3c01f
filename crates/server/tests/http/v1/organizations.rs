//! `/v1/organizations`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    only_the_operator_creates_and_lists_them,
    a_tenant_sees_itself_only,
    an_organizations_key_administers_it_and_nothing_else,
}

async fn only_the_operator_creates_and_lists_them(house: House) {
    let body = json!({"name": "Third", "slug": "third"});
    for caller in [&*house.admin, &*house.other, &*house.asker] {
        caller.post("/v1/organizations", body.clone()).await.refused(403, "forbidden");
        caller.get("/v1/organizations").await.refused(403, "forbidden");
    }
    house.stranger.post("/v1/organizations", body.clone()).await.refused(401, "unauthenticated");
    let made = house.operator.post("/v1/organizations", body.clone()).await.created();
    assert!(made["key_id"].as_str().unwrap().starts_with("key_"));
    house.operator.post("/v1/organizations", body).await.refused(409, "conflict");
    let wrong = json!({"name": "Fourth", "slug": "Fourth"});
    house.operator.post("/v1/organizations", wrong).await.wrong_field("invalid_field", "/slug");
    let list = house.operator.get("/v1/organizations").await.ok();
    let mut slugs: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["acme", "default", "other", "third"]);
}

async fn a_tenant_sees_itself_only(house: House) {
    let own = house.admin.get("/v1/organizations/acme").await.ok();
    assert_eq!(own["name"], "The acme company");
    let by_id = format!("/v1/organizations/{}", own["id"].as_str().unwrap());
    assert_eq!(house.admin.get(&by_id).await.ok(), own);
    assert_eq!(house.operator.get(&by_id).await.ok(), own);
    house.other.get(&by_id).await.refused(404, "not_found");
    house.other.get("/v1/organizations/acme").await.refused(404, "not_found");
}

async fn an_organizations_key_administers_it_and_nothing_else(house: House) {
    let made =
        house.operator.post("/v1/organizations", json!({"name": "Third", "slug": "third"})).await.created();
    let third = house.operator.with_key(made["key"].as_str().unwrap());
    third.post("/v1/projects", json!({"name": "Mail", "slug": "mail"})).await.created();
    let projects = third.get("/v1/projects").await.ok();
    let slugs: Vec<_> =
        projects["items"].as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs.len(), 2, "{slugs:?}");
    assert!(slugs.contains(&"mail") && slugs.contains(&"keystead"));
    // Everything a tenant's `**` stands for is a tenant's: its catalogue has no installation.admin.
    third.get("/v1/organizations").await.refused(403, "forbidden");
    assert_eq!(third.poke("/v1/whoami").await.ok()["id"], made["key_id"]);
}
