//! Keys, their tags and references, their policies, and loading them.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::meter::UsesId;
use keystead_domain::time::Micros;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;
use std::collections::BTreeSet;
use tokio::sync::oneshot;

pub(crate) async fn a_key_is_read_back_and_changed(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let mut row = KeyRow {
        lineage_id: key_id(7),
        owner: OwnerId::Consumer(consumer(1)),
        consumer_id: Some(consumer(1)),
        suspended_until: Some(minutes(1)),
        revoked_at: Some(minutes(2)),
        not_before: Some(minutes(3)),
        expires_at: Some(minutes(4)),
        revoked_reason: Some("leaked".to_owned()),
        metadata: Some(r#"{"a":"é"}"#.to_owned()),
        created_by: Some(key_id(8)),
        created_from: Some("2001:db8::1".to_owned()),
        parent_id: Some(key_id(9)),
        uses: Some(5),
        may_mint: Some(true),
        ..key_row(1, 1)
    };
    let tags = ["b".to_owned(), "a".to_owned(), "a".to_owned()];
    let inserted = row.clone();
    act!(store.store, |tx| tx.insert_key(&inserted, &tags, &[], &[]).await?).unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.key(org(1), key_id(1)).await, Ok(Some(row.clone())));
    assert_eq!(r.key(org(2), key_id(1)).await, Ok(None));
    assert_eq!(r.organization_of_key(key_id(1)).await, Ok(Some(org(1))));
    assert_eq!(r.organization_of_key(key_id(9)).await, Ok(None));
    assert_eq!(r.key_tags(key_id(1)).await, Ok(vec!["a".to_owned(), "b".to_owned()]));

    row = KeyRow {
        owner: service_account(1),
        consumer_id: None,
        disabled: true,
        suspended_until: None,
        revoked_at: None,
        not_before: None,
        expires_at: None,
        name: "Renamed".to_owned(),
        revoked_reason: None,
        metadata: None,
        updated_at: minutes(9),
        version: 2,
        may_mint: None,
        ..row
    };
    let (edited, foreign) = (row.clone(), KeyRow { organization_id: org(2), ..row.clone() });
    act!(store.store, |tx| {
        assert!(!tx.update_key(&foreign, 1).await?);
        assert!(!tx.delete_key(org(2), key_id(1)).await?);
        assert!(!tx.lock_key(org(2), key_id(1)).await?);
        assert!(tx.lock_key(org(1), key_id(1)).await?);
        assert!(tx.update_key(&edited, 1).await?);
        tx.set_key_tags(key_id(1), &["c".to_owned()]).await?;
    })
    .unwrap();
    assert_eq!(r.key(org(1), key_id(1)).await, Ok(Some(row)));
    assert_eq!(r.key_tags(key_id(1)).await, Ok(vec!["c".to_owned()]));
    // Neither digest nor metadata is shown.
    assert!(!format!("{:?}", key_row(1, 3)).contains("digest"));
    let other_policy = KeyRow { policy_hash: [8; 32], ..key_row(1, 4) };
    let refused = act!(store.store, |tx| tx.insert_key(&other_policy, &[], &[], &[]).await?);
    assert_eq!(refused, Err(StoreError::Referenced));
}

pub(crate) async fn references_are_counted(store: TestStore) {
    settle(&store, 1).await;
    let rows: Vec<KeyRow> =
        (1..=3).map(|n| KeyRow { consumer_id: (n > 1).then(|| consumer(1)), ..key_row(1, n) }).collect();
    let zones =
        PermissionRow { id: PermissionId([7; 16]), name: "zones.read".to_owned(), ..permission_row(1) };
    act!(store.store, |tx| {
        tx.insert_permission(&zones).await?;
        for row in &rows {
            tx.insert_key(row, &[], &[role(1)], &["routes.write".to_owned(), "zones.read".to_owned()])
                .await?;
        }
        tx.set_key_references(key_id(3), &[], &["zones.read".to_owned()]).await?;
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.keys_with_role(role(1)).await, Ok(2));
    assert_eq!(r.keys_granted(project(1), "routes.write").await, Ok(2));
    assert_eq!(r.keys_granted(project(1), "zones.read").await, Ok(3));
    assert_eq!(r.keys_granted(project(2), "zones.read").await, Ok(0));
    assert_eq!(r.keys_of_owner(service_account(1)).await, Ok(3));
    // The same 16 bytes of another kind are another owner.
    assert_eq!(r.keys_of_owner(OwnerId::Consumer(consumer(1))).await, Ok(0));
    assert_eq!(r.keys_of_consumer(consumer(1)).await, Ok(2));
    assert_eq!(r.keys_in_environment(environment(1)).await, Ok(3));
    assert_eq!(r.keys_in_environment(environment(2)).await, Ok(0));
}

/// Two acts at once cannot give what the other takes away: the database itself refuses.
pub(crate) async fn what_a_key_refers_to_stays(store: TestStore) {
    settle(&store, 1).await;
    let named = ["routes.write".to_owned()];
    let unknown = act!(store.store, |tx| {
        tx.insert_key(&key_row(1, 1), &[], &[], &["routes.wrote".to_owned()]).await?
    });
    assert_eq!(unknown, Err(StoreError::Referenced));
    for owner in [OwnerId::Consumer(consumer(9)), service_account(9)] {
        let foreign = KeyRow { owner, ..key_row(1, 1) };
        let refused = act!(store.store, |tx| tx.insert_key(&foreign, &[], &[], &[]).await?);
        assert_eq!(refused, Err(StoreError::Referenced));
    }
    act!(store.store, |tx| tx.insert_key(&key_row(1, 1), &[], &[], &named).await?).unwrap();
    let permission = permission_row(1).id;
    let deleted = act!(store.store, |tx| tx.delete_permission(org(1), permission).await?);
    assert_eq!(deleted, Err(StoreError::Referenced));
    let account = service_account_row(1).id;
    let deleted = act!(store.store, |tx| tx.delete_service_account(org(1), account).await?);
    assert_eq!(deleted, Err(StoreError::Referenced));
}

pub(crate) async fn a_deleted_key_takes_what_is_its_own(store: TestStore) {
    settle(&store, 1).await;
    let meter = MeterId::Lineage(key_id(1));
    let second = KeyRow { lineage_id: key_id(1), ..key_row(1, 2) };
    act!(store.store, |tx| {
        let tags = ["a".to_owned()];
        tx.insert_key(&key_row(1, 1), &tags, &[role(1)], &["routes.write".to_owned()]).await?;
        tx.insert_key(&second, &tags, &[], &[]).await?;
        tx.insert_meter(&crate::ledger::meter_row(meter, 5)).await?;
        tx.put_seen(&crate::ledger::seen_row(1)).await?;
    })
    .unwrap();
    assert_eq!(act!(store.store, |tx| tx.delete_key(org(1), key_id(1)).await?), Ok(true));
    let mut r = read(&store).await;
    assert_eq!(r.key(org(1), key_id(1)).await, Ok(None));
    assert_eq!(r.key_tags(key_id(1)).await, Ok(vec![]));
    assert_eq!(r.keys_with_role(role(1)).await, Ok(0));
    assert_eq!(r.keys_granted(project(1), "routes.write").await, Ok(0));
    // LESSONS 3: counters follow the lineage, as long as it has a key.
    assert!(r.meter(meter).await.unwrap().is_some());
    assert!(r.seen(key_id(1)).await.unwrap().is_some());
    assert_eq!(act!(store.store, |tx| tx.delete_key(org(1), key_id(2)).await?), Ok(true));
    assert_eq!(act!(store.store, |tx| tx.delete_key(org(1), key_id(2)).await?), Ok(false));
    assert_eq!(r.meter(meter).await, Ok(None));
    assert_eq!(r.seen(key_id(1)).await, Ok(None));
}

pub(crate) async fn every_key_is_loaded_once(store: TestStore) {
    settle(&store, 1).await;
    let letters = [
        b"zzzzzzzzzzzz",
        b"AAAAAAAAAAAA",
        b"Zzzzzzzzzzzz",
        b"aaaaaaaaaaaa",
        b"9zzzzzzzzzzz",
        b"UUUUUUUUUUUU",
    ];
    let ids: BTreeSet<KeyId> = letters.iter().map(|id| KeyId::from_slice(*id).unwrap()).collect();
    let rows: Vec<KeyRow> =
        ids.iter().map(|id| KeyRow { id: *id, lineage_id: *id, ..key_row(1, 2) }).collect();
    act!(store.store, |tx| {
        for row in &rows {
            tx.insert_key(row, &[], &[], &[]).await?;
        }
    })
    .unwrap();
    assert_eq!(read(&store).await.count_all_keys().await, Ok(6));
    for parts in [1, 2, 3, 8] {
        let mut loaded = Vec::new();
        for part in 0..parts {
            let store = store.store.clone();
            // Loading happens in tasks: its future must be one that can move between threads.
            let part = tokio::spawn(async move {
                let mut ids = Vec::new();
                store.read().await?.load_keys(part, parts, |key| ids.push(key.id)).await?;
                Ok::<_, StoreError>(ids)
            });
            loaded.extend(part.await.unwrap().unwrap());
        }
        assert_eq!(loaded.len(), ids.len(), "{parts}");
        assert_eq!(loaded.into_iter().collect::<BTreeSet<_>>(), ids, "{parts}");
    }
}

/// More than one statement reads.
pub(crate) async fn many_keys_are_loaded_once(store: TestStore) {
    const KEYS: u64 = 4_200;
    settle(&store, 1).await;
    for first in (0..KEYS).step_by(600) {
        act!(store.store, |tx| {
            for number in first..first + 600 {
                tx.insert_key(&key_row(1, number), &[], &[], &[]).await?;
            }
        })
        .unwrap();
    }
    let mut loaded = Vec::new();
    read(&store).await.load_keys(0, 1, |key| loaded.push(key.id)).await.unwrap();
    loaded.sort_unstable();
    assert!(loaded.into_iter().eq((0..KEYS).map(key_id)));
}

pub(crate) async fn a_loaded_key_has_what_was_written(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let full = KeyRow {
        consumer_id: Some(consumer(2)),
        owner: OwnerId::Consumer(consumer(2)),
        // Bytes that end a C string or are no UTF-8.
        digest: std::array::from_fn(|i| [0, 0xff, 0xc3, 0x27][i % 4]),
        disabled: true,
        suspended_until: Some(minutes(1)),
        revoked_at: Some(minutes(2)),
        not_before: Some(minutes(3)),
        expires_at: Some(Micros(-4)),
        parent_id: Some(key_id(7)),
        uses: Some(5),
        may_mint: Some(false),
        ..key_row(2, 1)
    };
    let with_uses = KeyRow { uses: Some(1), ..key_row(1, 3) };
    let minting = KeyRow { may_mint: Some(true), ..key_row(1, 4) };
    for row in [full, key_row(1, 2), with_uses, minting] {
        add_key(&store, row.clone()).await;
        let mut found = false;
        let each = |key: KeyResident<'_>| {
            let expected = KeyResident {
                id: row.id,
                organization_id: row.organization_id,
                environment_id: row.environment_id,
                lineage_id: row.lineage_id,
                kind: &row.kind,
                digest: row.digest,
                pepper_version: row.pepper_version,
                owner: row.owner,
                consumer_id: row.consumer_id,
                policy_hash: row.policy_hash,
                disabled: row.disabled,
                suspended_until: row.suspended_until,
                revoked_at: row.revoked_at,
                not_before: row.not_before,
                expires_at: row.expires_at,
                parent_id: row.parent_id,
                has_uses: row.uses.is_some(),
                may_mint: row.may_mint,
            };
            found |= key == expected;
        };
        read(&store).await.load_keys(0, 1, each).await.unwrap();
        assert!(found);
    }
}

pub(crate) async fn policies_are_shared_and_unused_ones_go(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    add_key(&store, key_row(1, 1)).await;
    act!(store.store, |tx| {
        // There already: the first body stays.
        tx.insert_policy(org(1), &POLICY, "another").await?;
        tx.insert_policy(org(1), &[8; 32], "unused").await?;
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.policy(org(1), &POLICY).await, Ok(Some("{}".to_owned())));
    assert_eq!(r.policy(org(2), &[8; 32]).await, Ok(None));
    assert_eq!(r.all_policies().await.unwrap().len(), 3);
    let forget = |rows_max| {
        store
            .store
            .bookkeeping(move |ledger| Box::pin(async move { ledger.delete_unused_policies(rows_max).await }))
    };
    let deleted: [Result<u64, StoreError>; 3] = [forget(1).await, forget(9).await, forget(9).await];
    assert_eq!(deleted, [Ok(1), Ok(1), Ok(0)]);
    let left = PolicyRow { organization_id: org(1), hash: POLICY, body: "{}".to_owned() };
    assert_eq!(r.all_policies().await, Ok(vec![left]));
}

/// On PostgreSQL, an act finds a policy and takes no lock on it.
pub(crate) async fn a_policy_that_an_act_has_found_does_not_go(store: TestStore) {
    settle(&store, 1).await;
    let (found, wait) = oneshot::channel::<()>();
    let (go, going) = oneshot::channel::<()>();
    let act = tokio::spawn({
        let store = store.store.clone();
        async move {
            act!(store, |tx| {
                tx.insert_policy(org(1), &POLICY, "{}").await?;
                // What waits to be written is written before the next answer.
                tx.policy(org(1), &POLICY).await?;
                let _ = found.send(());
                let _ = going.await;
                tx.insert_key(&key_row(1, 1), &[], &[], &[]).await?;
            })
        }
    });
    wait.await.unwrap();
    let sweeper = store.store.clone();
    let sweep = tokio::spawn(async move {
        let swept: Result<u64, StoreError> = sweeper
            .bookkeeping(|ledger| Box::pin(async move { ledger.delete_unused_policies(9).await }))
            .await;
        swept
    });
    if matches!(store.database, Database::Postgres(_)) {
        assert!(sweep.await.unwrap().is_err(), "it gives up, and comes again");
    }
    go.send(()).unwrap();
    assert_eq!(act.await.unwrap(), Ok(()));
}

pub(crate) async fn what_was_minted_is_not_counted_among_the_living_of_a_lineage(store: TestStore) {
    settle(&store, 1).await;
    for number in 1..=3 {
        let parent_id = (number == 3).then(|| key_id(1));
        add_key(&store, KeyRow { lineage_id: key_id(1), parent_id, ..key_row(1, number) }).await;
    }
    let living = read(&store).await.living_of_lineage(org(1), key_id(1), 9).await.unwrap();
    assert_eq!(living.into_iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2].map(key_id));
}

pub(crate) async fn of_two_writers_one_wins(store: TestStore) {
    settle(&store, 1).await;
    add_key(&store, key_row(1, 1)).await;
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let store = store.store.clone();
            let row = KeyRow {
                name: format!("writer {n}"),
                updated_at: START.plus(n),
                version: 2,
                ..key_row(1, 1)
            };
            tokio::spawn(async move { act!(store, |tx| tx.update_key(&row, 1).await?) })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += u32::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(won, 1);
}

pub(crate) async fn a_public_key_is_sealed_beside_its_row_and_goes_with_it(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let public = KeyRow { kind: "public".to_owned(), ..key_row(1, 1) };
    act!(store.store, |tx| {
        tx.insert_key(&public, &[], &[], &["routes.write".to_owned()]).await?;
        tx.insert_key(&key_row(1, 2), &[], &[], &["routes.write".to_owned()]).await?;
        tx.insert_sealed_key(org(1), key_id(1), b"sealed").await?;
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.sealed_key(org(1), key_id(1)).await, Ok(Some(b"sealed".to_vec())));
    assert_eq!(r.sealed_key(org(2), key_id(1)).await, Ok(None));
    assert_eq!(r.sealed_key(org(1), key_id(2)).await, Ok(None));
    assert_eq!(r.public_keys_granted(project(1), "routes.write").await, Ok(1));
    assert_eq!(r.public_keys_granted(project(1), "zones.read").await, Ok(0));
    let missing = act!(store.store, |tx| tx.insert_sealed_key(org(1), key_id(9), b"sealed").await?);
    assert_eq!(missing, Err(StoreError::Referenced));
    act!(store.store, |tx| tx.delete_key(org(1), key_id(1)).await?).unwrap();
    assert_eq!(read(&store).await.sealed_key(org(1), key_id(1)).await, Ok(None));
}

pub(crate) async fn temporary_keys_are_found_when_their_time_is_over(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let temporary = |n, number, minute| KeyRow {
        kind: "temporary".to_owned(),
        expires_at: Some(minutes(minute)),
        uses: Some(5),
        ..key_row(n, number)
    };
    for row in [temporary(1, 1, 3), temporary(2, 2, 1), temporary(1, 3, 5)] {
        add_key(&store, row).await;
    }
    add_key(&store, KeyRow { expires_at: Some(minutes(1)), ..key_row(1, 4) }).await;
    let mut r = read(&store).await;
    let due = [(org(2), key_id(2)), (org(1), key_id(1))];
    assert_eq!(r.temporary_keys_expired_before(minutes(5), 9).await, Ok(due.to_vec()));
    assert_eq!(r.temporary_keys_expired_before(minutes(5), 1).await, Ok(due[..1].to_vec()));
    assert_eq!(r.temporary_keys_expired_before(minutes(1), 9).await, Ok(Vec::new()));
    // The account of its uses goes with it.
    let uses = MeterId::Uses(UsesId::of(key_id(1)));
    act!(store.store, |tx| tx.insert_meter(&crate::ledger::meter_row(uses, 5)).await?).unwrap();
    assert_eq!(r.meter(uses).await.unwrap().unwrap().id, uses);
    act!(store.store, |tx| tx.delete_key(org(1), key_id(1)).await?).unwrap();
    assert_eq!(r.meter(uses).await, Ok(None));
}
