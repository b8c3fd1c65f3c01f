//! Tampering with a real database, each way by itself.

use crate::house::*;
use keystead_service::audit_verify::{Kept, Source, Verified, VerifyFailed, verify};
use keystead_store::Database;
use keystead_store::testing::tamper;
use std::sync::Arc;

pub(crate) async fn found(database: &Database) -> Result<Vec<Verified>, VerifyFailed> {
    verify(Source::Database(database), &Kept::default()).await
}

/// An organization with some records, each in the tree, and a checkpoint of all; its notes.
pub(crate) async fn grown(house: &House) -> Vec<String> {
    let admin = house.admin();
    house.acme(&admin).await;
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    for name in ["a.read", "b.read", "c.read"] {
        house.permission(&admin, "acme", name).await;
    }
    house.keystead.sequence_audit().await.unwrap();
    house.keystead.sign_audit().await.unwrap();
    let checkpoints = house.keystead.list_checkpoints(&admin, &page(10, None)).await.unwrap();
    checkpoints.items.into_iter().map(|checkpoint| checkpoint.note).collect()
}

fn of(failed: Result<Vec<Verified>, VerifyFailed>) -> String {
    let failed = failed.unwrap_err();
    assert!(failed.is_tampering(), "{failed}");
    failed.to_string()
}

pub(crate) async fn each_way_of_tampering_is_told(house: House) {
    grown(&house).await;
    let (keystead, database) = (Arc::clone(&house.keystead), house.database());
    keystead.close().await;
    let whole = found(database).await.unwrap();
    let (records, last) = (whole[0].found.records, whole[0].found.records - 1);
    assert!(records >= 5 && whole[0].found.vouched == records, "{whole:?}");
    let move_up = "UPDATE audit SET position = position + 1000 WHERE position >= 3 AND position < 1000; \
         UPDATE audit SET position = position - 999 WHERE position >= 1000; \
         INSERT INTO audit (id, organization_id, at, actor_kind, action, target_kind, target_id, target_name, \
           position, salt, leaf) \
         SELECT organization_id, organization_id, at, actor_kind, action, target_kind, target_id, target_name, \
           3, salt, leaf FROM audit WHERE position = 2";
    let move_down = "DELETE FROM audit WHERE id = organization_id; \
         UPDATE audit SET position = position + 1000 WHERE position >= 4 AND position < 1000; \
         UPDATE audit SET position = position - 1001 WHERE position >= 1000";
    let swap = "UPDATE audit SET position = 1000 WHERE position = 3; UPDATE audit SET position = 3 \
         WHERE position = 4; UPDATE audit SET position = 4 WHERE position = 1000";
    let gone = "UPDATE audit SET position = position + 1000 WHERE position = ";
    let back = "UPDATE audit SET position = position - 1000 WHERE position >= 1000";
    let tree_back = "UPDATE audit_trees SET size = size + 1000";
    tamper(database, "CREATE TABLE kept AS SELECT position, id, after_body, salt, leaf FROM audit").await;
    let restored = |column: &str| {
        format!(
            "UPDATE audit SET {column} = (SELECT {column} FROM kept WHERE kept.position = audit.position)"
        )
    };
    // What is done, what is told, and how it is undone.
    let cases: [(String, &str, &str); 11] = [
        (
            "UPDATE audit SET target_name = target_name || 'x' WHERE position = 3".into(),
            "record 3 (aud_",
            "UPDATE audit SET target_name = substr(target_name, 1, length(target_name) - 1) WHERE position = 3",
        ),
        (
            "UPDATE audit SET after_body = '1' || COALESCE(after_body, '') WHERE position = 3".into(),
            "record 3 (aud_",
            &restored("after_body"),
        ),
        (
            "UPDATE audit SET at = at + 1 WHERE position = 0".into(),
            "record 0 (aud_",
            "UPDATE audit SET at = at - 1 WHERE position = 0",
        ),
        ("UPDATE audit SET salt = NULL WHERE position = 3".into(), "record 3 (aud_", &restored("salt")),
        ("UPDATE audit SET leaf = NULL WHERE position = 3".into(), "record 3 (aud_", &restored("leaf")),
        ("UPDATE audit SET id = substr(id, 1, 15) WHERE position = 3".into(), "record 3 ", &restored("id")),
        (swap.into(), "record 3 (aud_", swap),
        (move_up.into(), "record 3 (aud_", move_down),
        (format!("{gone} 3"), "record 3 is missing", back),
        (format!("{gone} {last}"), "is missing", back),
        ("UPDATE audit_trees SET size = size - 1000".into(), "not those of the checkpoint", tree_back),
    ];
    for (done, told, undone) in cases {
        // A tree that is none is not believed, and the checkpoints hold without it.
        let no_tree = undone == tree_back;
        tamper(database, &done).await;
        match found(database).await {
            Ok(_) if no_tree => {}
            result => {
                let text = of(result);
                assert!(text.contains(told), "{done}: {text}");
            }
        }
        tamper(database, undone).await;
        assert_eq!(found(database).await.unwrap(), whole, "{undone}");
    }
    // The end is cut off, and everything that tells of it in the database.
    tamper(database, &format!("DELETE FROM audit WHERE position = {last}")).await;
    assert!(of(found(database).await).contains("are missing: the checkpoint from"));
    tamper(database, "DELETE FROM audit; DELETE FROM audit_trees; DELETE FROM audit_checkpoints").await;
    assert!(of(found(database).await).contains("there is none"));
}

/// What tells of one organization is taken away, wholly or in parts, and the others' trees are whole.
pub(crate) async fn an_organization_without_a_tree_is_told(house: House) {
    grown(&house).await;
    let other = house.tenant("other").await;
    Arc::clone(&house.keystead).close().await;
    let (database, id) = (house.database(), other.organization().to_string());
    assert_eq!(found(database).await.unwrap().len(), 2);
    let own = "(SELECT id FROM organizations WHERE slug = 'other')";
    for table in ["audit_trees", "audit_checkpoints", "audit"] {
        tamper(database, &format!("DELETE FROM {table} WHERE organization_id = {own}")).await;
        let told = of(found(database).await);
        assert!(told.contains(&id), "{table}: {told}");
    }
}

/// Somebody deletes the first records as retention does, and leaves their leaves.
pub(crate) async fn an_imitated_retention_is_told(house: House) {
    grown(&house).await;
    let database = house.database();
    Arc::clone(&house.keystead).close().await;
    tamper(
        database,
        "INSERT INTO audit_deleted (audit_id, organization_id, position, leaf) \
         SELECT id, organization_id, position, leaf FROM audit WHERE position < 2; \
         DELETE FROM audit WHERE position < 2",
    )
    .await;
    let told = of(found(database).await);
    assert!(told.contains("retention"), "{told}");
}

/// Records, leaves, tree and checkpoints are made anew by somebody who has the database and a key of their own,
/// or who left out what came late.
pub(crate) async fn who_signs_anew_is_found_by_what_was_kept_elsewhere(house: House) {
    let notes = grown(&house).await;
    let admin = house.admin();
    let verifier =
        house.keystead.list_checkpoints(&admin, &page(1, None)).await.unwrap().items[0].verifier.clone();
    let database = house.database();
    Arc::clone(&house.keystead).close().await;
    let mut kept = Kept::default();
    kept.add_notes("kept.txt", &notes.join("\n")).unwrap();
    kept.add_verifier(verifier.parse().unwrap());
    let verified = verify(Source::Database(database), &kept).await.unwrap();
    assert!(verified[0].pinned && verified[0].found.checkpoints >= 4, "{verified:?}");

    // Back to the first two records: with what the database says of itself, that is whole.
    tamper(
        database,
        "DELETE FROM audit WHERE position > 1; DELETE FROM audit_checkpoints WHERE size > 2; \
         DELETE FROM audit_trees",
    )
    .await;
    let failed = of(verify(Source::Database(database), &kept).await);
    assert!(failed.contains("kept.txt") || failed.contains("what was given"), "{failed}");
    // Another key, which signs what there is.
    let other = "keystead/org_391bo99mUncjFjSWkz06kb+3f977c76+AQmx1bc9jqJDTsqLZ02TS/NOQr3bbqNTfKKxt81n8p3p";
    let mut other_key = Kept::default();
    other_key.add_verifier(other.parse().unwrap());
    assert!(verify(Source::Database(database), &other_key).await.unwrap_err().is_tampering());
}

pub(crate) async fn a_restart_and_a_second_node_grow_the_same_tree(mut house: House) {
    let before = grown(&house).await;
    house.restart().await;
    let admin = house.admin();
    house.permission(&admin, "acme", "d.read").await;
    if matches!(house.database(), Database::Postgres(_)) {
        let there = house.another_node().await;
        house.permission(&admin, "acme", "e.read").await;
        let (one, other) = tokio::join!(house.keystead.sequence_audit(), there.sequence_audit());
        one.and(other).unwrap();
        there.close().await;
    }
    Arc::clone(&house.keystead).close().await;
    let mut kept = Kept::default();
    kept.add_notes("kept.txt", &before.join("")).unwrap();
    let verified = verify(Source::Database(house.database()), &kept).await.unwrap();
    assert_eq!(verified[0].found.vouched, verified[0].found.records, "a stop signs what was done before it");
}
