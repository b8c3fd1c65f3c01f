//! Use of a key after it was rotated away

use super::when_ended;
use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    lesson_13_reuse_revokes_nothing_unless_chosen,
    where_it_was_chosen_reuse_revokes_the_lineage,
    the_projects_plan_may_choose_it,
    a_strangers_guess_revokes_nothing,
}

/// LESSONS 13: GitLab's family revocation on reuse of a rotated token caused an incident.
async fn lesson_13_reuse_revokes_nothing_unless_chosen(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 0})).await;
    assert_eq!(new.shown["rotation"]["revoke_lineage_on_reuse"], false);
    for _ in 0..3 {
        assert_eq!(house.asker.bare(&old).await, "expired");
    }
    // A stop in order waits for whatever a use has set off.
    house.restart().await;
    assert_eq!(house.asker.bare(&new).await, "valid");
    assert_eq!(house.admin.show(&new).await["rotation"]["reuse"]["refused"], 3);
}

async fn where_it_was_chosen_reuse_revokes_the_lineage(mut house: House) {
    let first = house.admin.issue(json!({})).await;
    let second =
        house.admin.rotate(&first, json!({"grace_seconds": 60, "revoke_lineage_on_reuse": true})).await;
    let bystander = house.admin.issue(json!({})).await;
    // While it drains, its use is no reuse.
    assert_eq!(house.asker.bare(&first).await, "valid");
    house.wait(60);
    let third = house.admin.rotate(&second, json!({})).await;
    house.restart().await;
    assert_eq!(house.asker.bare(&second).await, "valid");
    assert_eq!(house.asker.bare(&first).await, "expired");
    for key in [&third, &second] {
        assert_eq!(when_ended(&house, key).await, "revoked");
        let reason = house.admin.show(key).await["revocation"]["reason"].clone();
        assert_eq!(reason, format!("{} was used after it was rotated away.", first.id));
        let acts = house.admin.audit(&format!("target={}&action=key.revoke", key.id)).await;
        assert_eq!((acts.len(), &acts[0]["actor"]["kind"]), (1, &json!("server")));
    }
    assert_eq!(house.asker.bare(&bystander).await, "valid");
}

async fn the_projects_plan_may_choose_it(house: House) {
    let plan = json!({"revoke_lineage_on_reuse": true});
    house.admin.call(http::Method::PUT, "/v1/projects/registry/rotation-plan", Some(plan), &[]).await.ok();
    let (old, other) = (house.admin.issue(json!({})).await, house.admin.issue(json!({})).await);
    let new = house.admin.rotate(&old, json!({"grace_seconds": 0})).await;
    let spared =
        house.admin.rotate(&other, json!({"grace_seconds": 0, "revoke_lineage_on_reuse": false})).await;
    for key in [&old, &other] {
        assert_eq!(house.asker.bare(key).await, "expired");
    }
    assert_eq!(when_ended(&house, &new).await, "revoked");
    assert_eq!(house.asker.bare(&spared).await, "valid");
}

/// Only who holds the old key may set it off.
async fn a_strangers_guess_revokes_nothing(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 0, "revoke_lineage_on_reuse": true})).await;
    let guess = house.asker.ask(&house.others_secret(&old), json!({})).await;
    assert_eq!((&guess["code"], &guess["detail"]), (&json!("wrong_secret"), &json!(null)));
    house.asker.ask(&old.key, json!({"explain": true})).await;
    house.restart().await;
    assert_eq!(house.asker.bare(&new).await, "valid");
}
