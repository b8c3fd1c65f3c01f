//! Each finding comes when it should, and goes when it is mended.

use super::{DAY, finding, found, good_key, item, mark_sensitive, report};
use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_key_with_nothing_to_mend_is_not_listed,
    an_owner_that_tells_nothing_is_found_until_it_does,
    a_life_without_end_and_an_open_network_are_found_until_they_are_closed,
    never_used_is_found_after_a_month_until_it_is_used_or_disabled,
    dormant_is_found_after_three_months_until_it_is_used,
    what_is_held_and_never_used_is_found_until_it_is_taken_away,
    what_a_role_gave_lately_is_not_held_against_a_key,
    an_overdue_rotation_is_found_only_where_somebody_says_how_old_keys_may_be,
    a_public_key_that_is_too_strong_is_found_until_it_is_not,
}

const FULL: &str = "2030-01-01T00:00:00Z";

async fn a_key_with_nothing_to_mend_is_not_listed(house: House) {
    let key = good_key(&house, json!({})).await;
    let report = report(&house, "project=registry").await;
    assert_eq!(item(&report, &key), Value::Null);
    assert_eq!((&report["score"], &report["checked"]["keys"]), (&json!(100), &json!(1)));
    assert_eq!(report["checked"]["keys_with_findings"], 0);
    // Nothing can be held against keys of which none can be used.
    house.admin.revoke(&key).await;
    let report = super::report(&house, "project=registry").await;
    assert_eq!((&report["score"], &report["checked"]["keys"]), (&json!(100), &json!(0)));
}

async fn an_owner_that_tells_nothing_is_found_until_it_does(house: House) {
    // Whoever makes a key owns it when nobody is named: here the administrator, of another project.
    let networks = json!({"networks": {"allow": ["192.0.2.0/24"]}});
    let body = json!({"expires_at": FULL, "restrictions": networks});
    let key = house.admin.issue(body.clone()).await;
    let fix = finding(&house, &key, "owner_unclear").await;
    assert_eq!(fix["command"], format!("keystead keys update {} --owner OWNER", key.id));
    assert_eq!((&fix["severity"], &fix["weight"]), (&json!("medium"), &json!(10)));
    house.admin.change(&key, json!({"owner": "worker"})).await;
    // That one nobody has described.
    let fix = finding(&house, &key, "owner_unclear").await["command"].clone();
    assert!(fix.as_str().unwrap().contains(&format!("{} --description", house.acme.account)), "{fix}");
    let report = report(&house, "project=registry").await;
    assert_eq!(
        (&report["questions"][1]["question"], &report["questions"][1]["keys"]),
        (&json!("hard_to_trace"), &json!(1))
    );
    let described = json!({"description": "Imports routes"});
    house.admin.patch("/v1/projects/registry/service-accounts/worker", described).await.ok();
    assert_eq!(found(&house, &key).await, [""; 0]);

    let mut issued = body;
    issued["consumer"] = json!("customer-1");
    let key = house.admin.issue(issued).await;
    let fix = finding(&house, &key, "owner_unclear").await["command"].clone();
    assert!(fix.as_str().unwrap().contains(&format!("{} --contact", house.acme.consumer)), "{fix}");
    let contact = json!({"contact": "ops@customer.example"});
    house.admin.patch("/v1/projects/registry/consumers/customer-1", contact).await.ok();
    assert_eq!(found(&house, &key).await, [""; 0]);
}

async fn a_life_without_end_and_an_open_network_are_found_until_they_are_closed(house: House) {
    let open =
        json!({"expires_at": null, "restrictions": {"networks": {"allow": ["0.0.0.0/1", "128.0.0.0/1"]}}});
    let key = good_key(&house, open).await;
    assert_eq!(found(&house, &key).await, ["no_expiry", "no_network_rule"]);
    let list = report(&house, "project=registry").await;
    assert_eq!((&list["score"], &item(&list, &key)["score"]), (&json!(90), &json!(90)));
    house.admin.change(&key, json!({"expires_at": FULL})).await;
    assert_eq!(found(&house, &key).await, ["no_network_rule"]);
    house.admin.change(&key, json!({"restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}})).await;
    assert_eq!(found(&house, &key).await, [""; 0]);
}

async fn never_used_is_found_after_a_month_until_it_is_used_or_disabled(mut house: House) {
    let (key, other) = (good_key(&house, json!({})).await, good_key(&house, json!({})).await);
    let later = good_key(&house, json!({"not_before": "2026-01-11T00:00:00Z"})).await;
    house.wait(30 * DAY - 1);
    assert_eq!(found(&house, &key).await, [""; 0]);
    house.wait(1);
    let evidence = finding(&house, &key, "never_used").await["evidence"].clone();
    assert_eq!(evidence, json!({"since": "2026-01-01T00:00:00Z", "days": 30, "passed": 0}));
    assert_eq!(found(&house, &later).await, [""; 0], "it could be used for twenty days only");
    house.admin.turn(&other, "disable", None).await;
    assert_eq!(found(&house, &other).await, [""; 0]);
    assert_eq!(house.asker.code(&key, json!({"ip": "192.0.2.1"})).await, "valid");
    house.restart().await;
    assert_eq!(found(&house, &key).await, [""; 0]);
    house.wait(10 * DAY);
    assert_eq!(found(&house, &later).await, ["never_used"]);
    house.admin.turn(&other, "enable", None).await;
    assert_eq!(found(&house, &other).await, [""; 0], "it was off all the time");
    house.wait(30 * DAY);
    assert_eq!(found(&house, &other).await, ["never_used"]);
}

async fn dormant_is_found_after_three_months_until_it_is_used(mut house: House) {
    let key = good_key(&house, json!({})).await;
    house.wait(DAY);
    assert_eq!(house.asker.code(&key, json!({"ip": "192.0.2.1"})).await, "valid");
    house.restart().await;
    house.wait(90 * DAY - 1);
    assert_eq!(found(&house, &key).await, [""; 0]);
    house.wait(1);
    let evidence = finding(&house, &key, "dormant").await["evidence"].clone();
    assert_eq!(evidence, json!({"since": "2026-01-02T00:00:00Z", "days": 90, "passed": 1}));
    assert_eq!(house.asker.code(&key, json!({"ip": "192.0.2.1"})).await, "valid");
    house.restart().await;
    assert_eq!(found(&house, &key).await, [""; 0]);
}

async fn what_is_held_and_never_used_is_found_until_it_is_taken_away(mut house: House) {
    let body = json!({"permissions": ["networks.read", {"permission": "networks.write", "resources": ["networks/NET-7"]}]});
    let (key, silent) = (good_key(&house, body.clone()).await, good_key(&house, body).await);
    house.wait(30 * DAY);
    let request = json!({"ip": "192.0.2.1", "permissions": "networks.read"});
    for _ in 0..3 {
        assert_eq!(house.asker.code(&key, request.clone()).await, "valid");
        assert_eq!(house.asker.code(&silent, request.clone()).await, "valid");
    }
    // A guard that names no permission may have looked them up in the answer: then nothing is certain.
    assert_eq!(house.asker.code(&silent, json!({"ip": "192.0.2.1"})).await, "valid");
    house.restart().await;
    let said = finding(&house, &key, "over_privileged").await;
    assert_eq!(
        said["evidence"],
        json!({"since": "2026-01-01T00:00:00Z", "days": 30, "passed": 3, "permissions_held": 2,
            "permissions_concerned": 1, "permissions": ["networks.write"]})
    );
    assert_eq!(said["command"], format!("keystead keys update {} --permission networks.read", key.id));
    assert_eq!(found(&house, &silent).await, [""; 0]);
    // As the command does.
    house.admin.change(&key, json!({"permissions": ["networks.read"]})).await;
    assert_eq!(found(&house, &key).await, [""; 0]);
    house.admin.change(&key, json!({"permissions": ["networks.read", "zones.read"]})).await;
    assert_eq!(found(&house, &key).await, [""; 0], "it has that since now");
    house.wait(30 * DAY);
    assert_eq!(found(&house, &key).await, ["over_privileged"]);
}

async fn what_a_role_gave_lately_is_not_held_against_a_key(mut house: House) {
    let key = good_key(&house, json!({"permissions": ["zones.*"], "roles": ["editor"]})).await;
    house.wait(20 * DAY);
    // The role gives more, and so does the pattern.
    let role = json!({"permissions": ["routes.*", "networks.read"]});
    house.admin.patch("/v1/projects/registry/roles/editor", role).await.ok();
    house.wait(10 * DAY);
    house.admin.post("/v1/projects/registry/permissions", json!({"name": "zones.write"})).await.created();
    let request =
        json!({"ip": "192.0.2.1", "permissions": {"all": ["zones.read", "routes.read", "routes.write"]}});
    assert_eq!(house.asker.code(&key, request).await, "valid");
    house.restart().await;
    assert_eq!(found(&house, &key).await, [""; 0]);
    house.wait(20 * DAY);
    let unused = finding(&house, &key, "over_privileged").await["evidence"]["permissions"].clone();
    assert_eq!(unused, json!(["networks.read"]));
    house.wait(10 * DAY);
    let said = finding(&house, &key, "over_privileged").await;
    assert_eq!(said["evidence"]["permissions"], json!(["networks.read", "zones.write"]));
    let flags = "--permission routes.read --permission routes.write --permission zones.read --no-roles";
    assert_eq!(said["command"], format!("keystead keys update {} {flags}", key.id));
}

async fn an_overdue_rotation_is_found_only_where_somebody_says_how_old_keys_may_be(mut house: House) {
    let key = good_key(&house, json!({})).await;
    let by_guardrail = good_key(&house, json!({"kind": "partner", "consumer": "customer-1"})).await;
    house.wait(89 * DAY);
    for key in [&key, &by_guardrail] {
        assert_eq!(house.asker.code(key, json!({"ip": "192.0.2.1"})).await, "valid");
    }
    house.restart().await;
    assert_eq!(found(&house, &key).await, [""; 0], "nobody says how old a key may be");
    let plan = json!({"max_age_days": 90, "notice_days": 14});
    house.admin.put("/v1/projects/registry/rotation-plan", plan).await.ok();
    let rules = json!({"by_kind": {"partner": {"rotation_age_max": "80d"}}});
    house.admin.put("/v1/projects/registry/guardrails", rules).await.ok();
    assert_eq!(found(&house, &key).await, [""; 0], "it is due tomorrow");
    let due = finding(&house, &by_guardrail, "rotation_overdue").await["evidence"].clone();
    assert_eq!((&due["since"], &due["days"]), (&json!("2026-03-22T00:00:00Z"), &json!(9)));
    house.wait(DAY);
    let said = finding(&house, &key, "rotation_overdue").await;
    assert_eq!(said["command"], format!("keystead keys rotate {}", key.id));
    let new = house.admin.rotate(&key, json!({})).await;
    for key in [&key, &new] {
        assert_eq!(found(&house, key).await, [""; 0]);
    }
}

async fn a_public_key_that_is_too_strong_is_found_until_it_is_not(house: House) {
    for name in ["zones.read", "routes.read"] {
        let path = format!("/v1/projects/registry/permissions/{name}");
        house.admin.patch(&path, json!({"public_safe": true})).await.ok();
    }
    let body = json!({"kind": "public", "permissions": ["zones.read", "routes.read"],
        "restrictions": {"origins": ["https://a.example"]}});
    let key = good_key(&house, body).await;
    let said = finding(&house, &key, "public_too_strong").await;
    assert_eq!(said["command"], format!("keystead keys update {} --limit default=100/1m", key.id));
    assert_eq!(said["severity"], "high");
    house.admin.change(&key, json!({"limits": [{"name": "default", "limit": 100, "window": "1m"}]})).await;
    assert_eq!(found(&house, &key).await, [""; 0]);
    mark_sensitive(&house, "routes.read", true).await;
    let said = finding(&house, &key, "public_too_strong").await;
    assert_eq!(
        (&said["severity"], &said["evidence"]["permissions"]),
        (&json!("critical"), &json!(["routes.read"]))
    );
    assert_eq!(report(&house, "project=registry").await["score"], 50);
    house.admin.change(&key, json!({"permissions": ["zones.read"]})).await;
    assert_eq!(found(&house, &key).await, [""; 0]);
}
