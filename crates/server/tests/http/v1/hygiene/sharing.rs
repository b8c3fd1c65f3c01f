//! Are you sharing keys, and above all those of administrators?

use super::{DAY, finding, found, good_key, item, mark_sensitive, report};
use crate::house::{House, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    a_key_that_many_networks_use_is_found_until_they_have_gone,
    an_administrative_key_that_several_programs_use_is_found_and_caps_the_score,
    a_key_of_the_api_itself_is_watched_where_its_use_is_recorded,
    a_request_that_needs_two_permissions_uses_both,
    what_cannot_be_a_shared_key_is_none,
    what_minted_keys_did_is_not_held_against_their_parent_once_they_are_gone,
}

async fn a_key_that_many_networks_use_is_found_until_they_have_gone(mut house: House) {
    let key = good_key(&house, json!({"restrictions": {"networks": {"allow": ["10.0.0.0/8"]}}})).await;
    for network in 0..5 {
        // Two addresses of one network are one.
        for host in 1..3 {
            assert_eq!(
                house.asker.code(&key, json!({"ip": format!("10.0.{network}.{host}")})).await,
                "valid"
            );
        }
        if network == 3 {
            house.restart().await;
            assert_eq!(found(&house, &key).await, [""; 0]);
        }
    }
    house.restart().await;
    let said = finding(&house, &key, "key_shared").await;
    let networks = ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"];
    assert_eq!(said["evidence"], json!({"passed": 10, "networks": networks}));
    assert_eq!(said["detail"], "This key was seen from 5 networks and 0 programs in the last 30 days.");
    house.wait(30 * DAY + 1);
    assert_eq!(found(&house, &key).await, [""; 0]);
}

async fn an_administrative_key_that_several_programs_use_is_found_and_caps_the_score(mut house: House) {
    let key = good_key(&house, json!({"permissions": ["routes.*"]})).await;
    let calm = good_key(&house, json!({})).await;
    for user_agent in ["terraform/1.9", "terraform/1.10", "curl/8", "python-requests/2"] {
        let request = json!({"ip": "192.0.2.1", "user_agent": user_agent, "permissions": "routes.write"});
        assert_eq!(house.asker.code(&key, request).await, "valid");
    }
    house.restart().await;
    assert_eq!(found(&house, &key).await, [""; 0], "three programs share a key that may do little");
    mark_sensitive(&house, "routes.write", true).await;
    let said = finding(&house, &key, "admin_key_shared").await;
    assert_eq!(said["evidence"]["programs"], json!(["curl", "python-requests", "terraform"]));
    assert_eq!((&said["severity"], &said["weight"]), (&json!("critical"), &json!(50)));
    assert_eq!(
        said["command"],
        "keystead keys create --project registry --environment production --name PROGRAM --owner OWNER --permission routes.write"
    );
    let all = report(&house, "project=registry").await;
    let shown = item(&all, &key);
    assert_eq!(
        (&shown["administrative"], &shown["score"], &all["score"]),
        (&json!(true), &json!(50), &json!(50))
    );
    assert_eq!(
        (&all["questions"][0]["question"], &all["questions"][0]["keys"]),
        (&json!("sharing_admin_keys"), &json!(1))
    );
    assert_eq!(all["questions"][0]["text"], "Are you sharing admin-level keys?");
    assert_eq!(item(&all, &calm), Value::Null);
    mark_sensitive(&house, "routes.write", false).await;
    assert_eq!(report(&house, "project=registry").await["score"], 100);
}

async fn a_key_of_the_api_itself_is_watched_where_its_use_is_recorded(mut house: House) {
    let writer =
        house.admin.issue_in("keystead", json!({"permissions": ["projects.*", "keys.create"]})).await;
    let of_keystead = async |house: &House, key| item(&report(house, "project=keystead").await, key);
    let codes = |item: &Value| {
        let findings = item["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    house.wait(30 * DAY);
    assert!(codes(&of_keystead(&house, &writer).await).contains(&"never_used".to_owned()));
    let caller = house.admin.with_key(&writer.key);
    for user_agent in ["terraform/1", "curl/8", "console/1"] {
        let headers = [("user-agent", user_agent)];
        caller.call(Method::GET, "/v1/projects", None, &headers).await.ok();
    }
    house.restart().await;
    let shown = of_keystead(&house, &writer).await;
    assert_eq!(codes(&shown), ["admin_key_shared", "over_privileged", "no_expiry", "no_network_rule"]);
    assert_eq!(shown["findings"][1]["evidence"]["permissions"], json!(["keys.create", "projects.write"]));
    // The asker asks for verdicts: that is not recorded, so nobody can say that it was never used.
    house.asker.bare(&writer).await;
    house.wait(200 * DAY);
    let list = report(&house, "project=keystead").await;
    let askers = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["name"] == "Guard of registry production");
    let found: Vec<_> = askers.flat_map(codes).collect();
    assert_eq!(found, ["no_expiry", "no_network_rule"]);
}

async fn a_request_that_needs_two_permissions_uses_both(mut house: House) {
    let reader = json!({"permissions": ["keys.read", "consumers.read"]});
    let reader = house.admin.issue_in("keystead", reader).await;
    house.wait(30 * DAY);
    house.admin.with_key(&reader.key).get("/v1/projects/registry/notices").await.ok();
    house.restart().await;
    let found = item(&report(&house, "project=keystead&finding=over_privileged").await, &reader);
    assert_eq!(found, Value::Null);
}

async fn what_cannot_be_a_shared_key_is_none(mut house: House) {
    let parent = good_key(&house, json!({"restrictions": {}})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    for network in 0..9 {
        assert_eq!(house.asker.code(&child, json!({"ip": format!("10.0.{network}.1")})).await, "valid");
    }
    house.restart().await;
    // What a minted key was seen doing stands with its lineage, and many hold what was minted.
    assert_eq!(found(&house, &parent).await, ["no_network_rule"]);
    assert_eq!(found(&house, &child).await, [""; 0]);
}

async fn what_minted_keys_did_is_not_held_against_their_parent_once_they_are_gone(mut house: House) {
    let parent = good_key(&house, json!({"restrictions": {}})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    for network in 0..9 {
        assert_eq!(house.asker.code(&child, json!({"ip": format!("10.0.{network}.1")})).await, "valid");
    }
    house.wait(8 * DAY);
    assert_eq!(house.keystead.purge_temporary_keys().await.unwrap(), 1);
    house.restart().await;
    assert_eq!(found(&house, &parent).await, ["no_network_rule"]);
}
