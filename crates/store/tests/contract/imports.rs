//! Imports: found by what they came with, once, and gone with their key.

use crate::world::*;
use keystead_store::testing::TestStore;
use keystead_store::*;

pub(crate) fn import_row(number: u64) -> ImportRow {
    ImportRow {
        key_id: key_id(number),
        organization_id: org(1),
        project_id: project(1),
        form: "slow".to_owned(),
        source: [u8::try_from(number).unwrap(); 32],
        lookup: [u8::try_from(number).unwrap(); 32],
        digest: [9; 32],
        pepper_version: 1,
        external_id: Some(format!("external-{number}")),
        prefix: Some("sk_live".to_owned()),
        verifier: Some(b"sealed".to_vec()),
    }
}

async fn settled(store: &TestStore) {
    settle(store, 1).await;
    for number in [1, 2] {
        let added: Outcome = act!(store.store, |tx| {
            let key = key_row(1, number);
            tx.insert_policy(key.organization_id, &key.policy_hash, "{}").await?;
            tx.insert_key(&key, &[], &[], &[]).await?
        });
        added.unwrap();
    }
}

pub(crate) async fn an_import_is_found_upgraded_and_goes_with_its_key(store: TestStore) {
    settled(&store).await;
    let added: Outcome = act!(store.store, |tx| {
        for number in [1, 2] {
            tx.insert_import(&import_row(number)).await?;
        }
    });
    added.unwrap();
    let mut reader = store.store.read().await.unwrap();
    let row = import_row(1);
    assert_eq!(reader.import_of(org(1), key_id(1)).await.unwrap(), Some(row.clone()));
    assert_eq!(reader.import_of(org(2), key_id(1)).await.unwrap(), None);
    assert_eq!(reader.import_by_source(&[[1; 32]; 3]).await.unwrap(), Some(row.clone()));
    assert_eq!(reader.import_by_source(&[[3; 32], [4; 32], [5; 32]]).await.unwrap(), None);
    assert_eq!(reader.import_by_external_id(project(1), "external-1").await.unwrap(), Some(row));
    assert_eq!(reader.import_by_external_id(project(2), "external-1").await.unwrap(), None);
    let mut loaded = Vec::new();
    reader.load_imports(|row| loaded.push(row.key_id)).await.unwrap();
    loaded.sort_unstable();
    assert_eq!(loaded.len(), 2);
    drop(reader);

    let upgraded: Outcome<(bool, bool)> = act!(store.store, |tx| {
        let to = ImportRow { form: "token".into(), lookup: [7; 32], digest: [8; 32], ..import_row(1) };
        let first = tx.upgrade_import(&to).await?;
        (first, tx.upgrade_import(&ImportRow { lookup: [6; 32], ..to }).await?)
    });
    assert_eq!(upgraded.unwrap(), (true, false));
    let found = store.store.read().await.unwrap().import_of(org(1), key_id(1)).await.unwrap().unwrap();
    assert_eq!((found.form.as_str(), found.lookup, found.verifier), ("token", [7; 32], None));
    assert_eq!(found.digest, [8; 32]);
    assert_eq!(found.source, [1; 32], "it is known for what it was");

    let gone: Outcome<bool> = act!(store.store, |tx| tx.delete_key(org(1), key_id(1)).await?);
    assert!(gone.unwrap());
    assert_eq!(store.store.read().await.unwrap().import_of(org(1), key_id(1)).await.unwrap(), None);
}

pub(crate) async fn what_was_imported_is_not_imported_again(store: TestStore) {
    settled(&store).await;
    let added: Outcome = act!(store.store, |tx| tx.insert_import(&import_row(1)).await?);
    added.unwrap();
    for again in [
        ImportRow { source: [1; 32], ..import_row(2) },
        ImportRow { lookup: [1; 32], ..import_row(2) },
        ImportRow { external_id: import_row(1).external_id, ..import_row(2) },
    ] {
        let refused: Outcome = act!(store.store, |tx| tx.insert_import(&again).await?);
        assert!(matches!(refused, Err(StoreError::Unique(_))), "{refused:?}");
    }
    let unnamed = |number| ImportRow { external_id: None, ..import_row(number) };
    let added: Outcome = act!(store.store, |tx| tx.insert_import(&unnamed(2)).await?);
    added.unwrap();
}
