//! At once: one redeems, one decides.

use super::*;
use crate::house::{on_both_engines, origin};

on_both_engines! {
    of_many_who_redeem_at_once_one_has_the_key,
    of_two_who_decide_at_once_one_does,
    a_retry_of_redeeming_has_the_same_key,
    of_two_nodes_one_redeems,
}

async fn of_many_who_redeem_at_once_one_has_the_key(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (by, path) = (scene.ann.client.clone(), path(&id, "redeem"));
        running.spawn(async move { by.poke(&path).await });
    }
    let answers = running.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 1);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status.as_u16())));
    assert_eq!(scene.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(scene.actions("action=approval.redeem").await.len(), 1);
}

async fn of_two_who_decide_at_once_one_does(house: House) {
    let scene = Scene::set(house).await;
    for _ in 0..6 {
        let id = scene.ask().await;
        let (yes, no) = (path(&id, "approve"), path(&id, "deny"));
        let (approved, denied) =
            tokio::join!(scene.bob.post(&yes, json!({})), scene.carol.post(&no, json!({"comment": "No"})));
        assert_eq!(
            [approved.status, denied.status].iter().filter(|status| **status == 200).count(),
            1,
            "{} {}",
            approved.text,
            denied.text
        );
        let state = scene.ann.get(&format!("/v1/approvals/{id}")).await.ok()["state"].clone();
        assert_eq!(state, if approved.status == 200 { "approved" } else { "denied" });
        let redeemed = scene.ann.poke(&path(&id, "redeem")).await.status;
        assert_eq!(redeemed, if approved.status == 200 { 200 } else { 409 });
    }
}

/// Who lost the answer has not lost the key: it is given again for ten minutes, to the same session alone.
async fn a_retry_of_redeeming_has_the_same_key(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let once = async || {
        let header = [("idempotency-key", "once")];
        scene.ann.call(Method::POST, &path(&id, "redeem"), None, &header).await
    };
    let (first, second) = (once().await.ok(), once().await.ok());
    assert_eq!(first["key"], second["key"]);
    assert_eq!(scene.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len(), 1);
    scene.house.wait(601);
    let problem = once().await.refused(409, "secret_not_kept");
    assert_eq!(problem["ids"], json!([first["id"]]));
}

async fn of_two_nodes_one_redeems(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let Some(second) = scene.second_node().await else { return };
    let caller = second.recognise_session(scene.ann.key(), origin("192.0.2.1")).await.unwrap();
    let at = path(&id, "redeem");
    let (here, there) = tokio::join!(scene.ann.poke(&at), second.redeem_approval(&caller, &id));
    assert_eq!(u8::from(here.status == 200) + u8::from(there.is_ok()), 1, "{} {there:?}", here.text);
    assert_eq!(scene.admin.audit("action=approval.redeem").await.len(), 1);
    second.close().await;
}
