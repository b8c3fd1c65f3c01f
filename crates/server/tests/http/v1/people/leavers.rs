//! Somebody leaves: their keys are found, told of, and handed to who stays.

use crate::house::{House, Issued, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    everything_of_a_leaver_is_handed_over_at_once,
    what_cannot_be_handed_over_is_said_key_by_key,
    a_hand_over_goes_on_where_it_stopped_and_never_beyond_what_was_seen,
    who_may_not_hand_over_changes_nothing,
    a_key_whose_person_left_the_team_is_an_orphan,
    administrators_are_told_of_orphans_once,
}

/// What a developer of the registry may do.
fn developer() -> Value {
    json!([{"permission": "keys.own"}, {"permission": "routes.*", "project": "registry"}])
}

/// The keys of the project whose person is gone, by their ids.
async fn orphans(house: &House) -> Vec<String> {
    let list = house.admin.get("/v1/projects/registry/keys?orphaned=true").await.ok();
    list["items"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

/// What hygiene finds of a key.
async fn found(house: &House, key: &Issued) -> Vec<String> {
    let report = house.admin.get("/v1/hygiene?project=registry&limit=1000").await.ok();
    let keys = report["items"].as_array().unwrap();
    let Some(item) = keys.iter().find(|item| item["id"] == key.id.as_str()) else { return Vec::new() };
    let findings = item["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Ann, who makes two keys, one of them in a team's name; Bob, who may only read.
async fn ann_and_bob(house: &House) -> (String, String, [Issued; 2]) {
    house.admin.team("routing", developer()).await;
    let ann = house.admin.person("Ann", developer(), json!(["routing"])).await;
    let reads = json!([{"permission": "keys.own"}, {"permission": "routes.read", "project": "registry"}]);
    let bob = house.admin.person("Bob", reads, json!([])).await;
    let own = ann.make(json!({"permissions": ["routes.*"]})).await;
    let teams = ann.make(json!({"team": "routing", "permissions": ["routes.read"]})).await;
    house.admin.revoke(&ann.make(json!({})).await).await;
    (ann.id.clone(), bob.id.clone(), [own, teams])
}

async fn everything_of_a_leaver_is_handed_over_at_once(house: House) {
    let (ann, bob, keys) = ann_and_bob(&house).await;
    let hand_over = format!("/v1/members/{ann}/keys/hand-over");
    assert!(orphans(&house).await.is_empty());
    house.admin.patch(&format!("/v1/members/{ann}"), json!({"disabled": true})).await.ok();
    let mut gone = orphans(&house).await;
    gone.sort();
    let mut expected = keys.each_ref().map(|key| key.id.clone());
    expected.sort();
    assert_eq!(gone, expected, "without the one that was revoked");
    for key in &keys {
        assert_eq!(found(&house, key).await, ["leavers_key"]);
        let others = house.admin.get("/v1/projects/registry/keys?orphaned=false").await.ok();
        assert!(!others.to_string().contains(&key.id), "{others}");
    }
    // The key with which she called Keystead itself is hers, too.
    let dry = house.admin.post(&hand_over, json!({"to": bob, "dry_run": true})).await.ok();
    assert_eq!((&dry["matched"], &dry["done"], &dry["refused"]), (&json!(3), &json!(3), &json!([])));
    assert_eq!(dry["sample"].as_array().unwrap().len(), 3);
    assert_eq!(house.asker.bare(&keys[0]).await, "disabled", "a dry run does nothing");
    assert_eq!(orphans(&house).await.len(), 2);
    let done = house.admin.post(&hand_over, json!({"to": "bob@example.net", "expected_count": 3})).await.ok();
    assert_eq!((&done["done"], &done["next_cursor"]), (&json!(3), &Value::Null));
    for key in &keys {
        let reads = json!({"permissions": "routes.read"});
        assert_eq!(house.asker.code(key, reads).await, "valid");
        let writes = json!({"permissions": "routes.write"});
        assert_eq!(house.asker.code(key, writes).await, "insufficient_permissions", "what Bob may not");
        let acts = house.admin.audit(&format!("target={}&action=key.update", key.id)).await;
        assert_eq!((acts.len(), &acts[0]["after"]["owner"]["id"]), (1, &json!(bob)), "{acts:?}");
        assert!(!found(&house, key).await.contains(&"leavers_key".to_owned()));
    }
    assert!(orphans(&house).await.is_empty());
    let none = house.admin.post(&hand_over, json!({"to": bob, "dry_run": true})).await.ok();
    assert_eq!(none["matched"], 0);
}

async fn what_cannot_be_handed_over_is_said_key_by_key(house: House) {
    let (ann, bob, keys) = ann_and_bob(&house).await;
    let hand_over = format!("/v1/members/{ann}/keys/hand-over");
    // A service account takes the keys of its own project; that of Keystead's own API stays.
    let body = json!({"to": house.acme.account, "dry_run": true});
    let dry = house.admin.post(&hand_over, body).await.ok();
    assert_eq!((&dry["matched"], &dry["done"]), (&json!(3), &json!(2)));
    let refused = dry["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["detail"], "This project has no such owner.");
    let done =
        house.admin.post(&hand_over, json!({"to": house.acme.account, "expected_count": 3})).await.ok();
    assert_eq!((&done["done"], done["refused"].as_array().unwrap().len()), (&json!(2), 1));
    for key in &keys {
        assert_eq!(house.admin.show(key).await["owner"]["id"], house.acme.account.as_str());
    }
    for (to, detail) in [
        ("nobody@example.net", "There is no such member or service account."),
        ("mem_0000000000000000000000", "There is no such member or service account."),
        (ann.as_str(), "This is the member whose keys they are."),
    ] {
        let refused = house.admin.post(&hand_over, json!({"to": to, "dry_run": true})).await;
        assert_eq!((&refused.body["field"], &refused.body["detail"]), (&json!("/to"), &json!(detail)));
    }
    house.admin.patch(&format!("/v1/members/{bob}"), json!({"disabled": true})).await.ok();
    let disabled = house.admin.post(&hand_over, json!({"to": bob, "dry_run": true})).await;
    disabled.refused(422, "invalid_field");
}

async fn a_hand_over_goes_on_where_it_stopped_and_never_beyond_what_was_seen(house: House) {
    let (ann, bob, keys) = ann_and_bob(&house).await;
    let hand_over = format!("/v1/members/{ann}/keys/hand-over");
    let post = async |body| house.admin.post(&hand_over, body).await;
    post(json!({"to": bob})).await.wrong_field("invalid_field", "/expected_count");
    post(json!({"to": bob, "expected_count": 2})).await.refused(409, "conflict");
    post(json!({"to": bob, "expected_count": 3, "limit": 201})).await.wrong_field("invalid_field", "/limit");
    post(json!({"to": bob, "expected_count": 3, "cursor": "x"}))
        .await
        .wrong_field("invalid_field", "/cursor");
    let first = post(json!({"to": bob, "expected_count": 3, "limit": 2})).await.ok();
    assert_eq!(first["done"], 2);
    let rest = json!({"to": bob, "expected_count": 3, "limit": 2, "cursor": first["next_cursor"]});
    let second = post(rest).await.ok();
    assert_eq!((&second["done"], &second["next_cursor"]), (&json!(1), &Value::Null));
    for key in &keys {
        assert_eq!(house.admin.show(key).await["owner"]["id"], bob.as_str());
    }
}

async fn who_may_not_hand_over_changes_nothing(house: House) {
    let (ann, bob, keys) = ann_and_bob(&house).await;
    let hand_over = format!("/v1/members/{ann}/keys/hand-over");
    let body = json!({"to": bob, "expected_count": 3});
    house.asker.post(&hand_over, body.clone()).await.refused(403, "forbidden");
    house.other.post(&hand_over, body.clone()).await.refused(404, "not_found");
    let sees =
        json!([{"permission": "people.read"}, {"permission": "keys.read"}, {"permission": "keys.update"}]);
    let clerk = house.admin.person("Clerk", sees, json!([])).await;
    let told = clerk.post(&hand_over, body).await.ok();
    assert_eq!((&told["done"], told["refused"].as_array().unwrap().len()), (&json!(0), 3));
    assert!(told["refused"][0]["detail"].as_str().unwrap().contains("authority.grant"), "{told}");
    for key in &keys {
        assert_eq!(house.admin.show(key).await["owner"]["id"], ann.as_str());
    }
}

async fn a_key_whose_person_left_the_team_is_an_orphan(house: House) {
    let (ann, _, [own, teams]) = ann_and_bob(&house).await;
    house.admin.delete(&format!("/v1/teams/routing/members/{ann}")).await.gone();
    assert_eq!(orphans(&house).await, [teams.id.as_str()]);
    assert_eq!(found(&house, &teams).await, ["team_key_without_person"]);
    assert!(!found(&house, &own).await.contains(&"leavers_key".to_owned()));
    house.admin.put(&format!("/v1/teams/routing/members/{ann}"), json!(null)).await.ok();
    assert!(orphans(&house).await.is_empty());
}

/// What administrators were told, and whom.
async fn told(house: &House) -> Vec<Value> {
    let notices = house.admin.get("/v1/projects/registry/notices?limit=100").await.ok();
    let orphaned = |notice: &&Value| notice["kind"] == "key_orphaned";
    notices["items"].as_array().unwrap().iter().filter(orphaned).cloned().collect()
}

async fn administrators_are_told_of_orphans_once(house: House) {
    let (ann, bob, keys) = ann_and_bob(&house).await;
    house.person("boss@example.com", &["people.write"]).await;
    house.person("clerk@example.com", &["people.read"]).await;
    house.keystead.tell_orphans().await.unwrap();
    assert!(told(&house).await.is_empty());
    let member = format!("/v1/members/{ann}");
    house.admin.patch(&member, json!({"disabled": true})).await.ok();
    for _ in 0..2 {
        house.keystead.tell_orphans().await.unwrap();
    }
    if let Some(node) = house.second_node().await {
        node.tell_orphans().await.unwrap();
        node.close().await;
    }
    // One letter for what she owned herself, and one for what she made in the team's name.
    let letters = told(&house).await;
    assert_eq!(letters.len(), 2, "{letters:?}");
    for key in &keys {
        let letter = letters.iter().find(|letter| letter["key_id"] == key.id.as_str()).unwrap();
        assert_eq!(letter["recipients"], json!(["boss@example.com"]));
        let body = letter["body"].as_str().unwrap();
        assert!(body.contains("--orphaned") && body.contains("hand-over"), "{body}");
        assert!(letter["subject"].as_str().unwrap().contains("Ann"), "{letter}");
    }
    // Letters are forgotten after a while, and yet not written again.
    house.wait(100 * 86_400);
    house.keystead.tend_rotations().await.unwrap();
    house.keystead.tell_orphans().await.unwrap();
    assert_eq!(told(&house).await.len(), 2);
    // Who came back and leaves again is told of again.
    house.admin.patch(&member, json!({"disabled": false})).await.ok();
    house.keystead.tell_orphans().await.unwrap();
    house.wait(60);
    house.admin.patch(&member, json!({"disabled": true})).await.ok();
    house.keystead.tell_orphans().await.unwrap();
    assert_eq!(told(&house).await.len(), 4);
    let expected = json!({"to": bob, "expected_count": 3});
    house.admin.post(&format!("{member}/keys/hand-over"), expected).await.ok();
    house.keystead.tell_orphans().await.unwrap();
    assert_eq!(told(&house).await.len(), 4);
}
