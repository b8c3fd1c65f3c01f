//! Who is told of what: a letter for each, with no secret in it.

use super::*;
use crate::house::on_both_engines;

on_both_engines! {
    deciders_are_told_of_requests_and_who_asked_of_the_decision,
}

async fn deciders_are_told_of_requests_and_who_asked_of_the_decision(house: House) {
    let scene = Scene::set(house).await;
    // Not joined yet: nobody has proved that the address is theirs.
    let dan = json!({"email": "dan@example.com", "name": "Dan", "grants": [{"role": "key-manager"}]});
    scene.admin.post("/v1/members", dan).await.created();
    let notices = async || {
        let page = scene.admin.get("/v1/projects/registry/notices").await.ok();
        page["items"].as_array().unwrap().clone()
    };
    let told = async |kind: &str| {
        let of_kind: Vec<Value> = notices().await.into_iter().filter(|one| one["kind"] == kind).collect();
        let mut to: Vec<String> =
            of_kind.iter().map(|one| one["recipients"][0].as_str().unwrap().to_owned()).collect();
        to.sort_unstable();
        (to, of_kind)
    };
    let id = id_of(&asked(&scene.carol, json!({})).await.created());
    let (to, letters) = told("approval_requested").await;
    assert_eq!(to, ["bob@example.com"], "neither who asked nor who decides nothing");
    let text = letters[0]["body"].as_str().unwrap();
    for part in
        ["carol", "Clean up after the move", "zones.delete", &format!("keystead approvals approve {id}")]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let says = json!({"comment": "Take care"});
    scene.bob.post(&path(&id, "approve"), says).await.ok();
    let (to, letters) = told("approval_decided").await;
    assert_eq!(to, ["carol@example.com"]);
    let text = letters[0]["body"].as_str().unwrap();
    assert!(
        text.contains("Take care") && text.contains(&format!("keystead approvals redeem {id}")),
        "{text}"
    );
    let key = redeem(&scene.carol, &id).await;
    for notice in notices().await {
        assert!(!notice.to_string().contains(key.secret()), "a letter holds a secret");
    }
}
