//! Passkeys, and ceremonies under way.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restored};
use crate::people::settle_people;
use crate::sign_in::account_row;
use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::SECOND;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn account(n: u8) -> AccountId {
    AccountId([n; 16])
}

fn passkey_row(n: u8, of: u8) -> PasskeyRow {
    PasskeyRow {
        id: PasskeyId([n; 16]),
        account_id: account(of),
        name: "laptop".to_owned(),
        credential_id: vec![n; 64],
        public_key: vec![n; 77],
        algorithm: -7,
        sign_count: 0,
        transports: "[]".to_owned(),
        backup_eligible: true,
        backed_up: false,
        created_at: START.plus(i64::from(n)),
        last_used_at: None,
        version: 1,
    }
}

fn flow_row(n: u8) -> PasskeyFlowRow {
    PasskeyFlowRow {
        id: FlowId([n; 16]),
        purpose: "sign_in".to_owned(),
        session_id: Some(SessionId([n; 16])),
        digest: [n; 32],
        network: "192.0.2.0/24".to_owned(),
        created_at: START,
        expires_at: START.plus(i64::from(n) * SECOND),
    }
}

fn used(n: u8, sign_count: i64) -> PasskeyUse {
    PasskeyUse { id: PasskeyId([n; 16]), account: account(1), sign_count, backed_up: true }
}

async fn with_accounts(store: &TestStore) {
    settle(store, 1).await;
    act!(store.store, |tx| {
        tx.insert_account(&account_row(1)).await?;
        tx.insert_account(&account_row(2)).await?;
    })
    .unwrap();
}

pub(crate) async fn a_passkey_is_its_accounts_and_keeps_old_binaries_away(store: TestStore) {
    let oldest =
        async || read(&store).await.installation_value("schema_oldest_binary").await.unwrap().unwrap();
    with_accounts(&store).await;
    assert_eq!(oldest().await, "19");
    act!(store.store, |tx| tx.insert_passkey(&passkey_row(1, 1)).await?).unwrap();
    assert_eq!(oldest().await, "21");
    act!(store.store, |tx| tx.insert_passkey(&passkey_row(2, 1)).await?).unwrap();
    let mut reader = read(&store).await;
    assert_eq!(reader.passkeys(account(1)).await, Ok(vec![passkey_row(2, 1), passkey_row(1, 1)]));
    assert_eq!(reader.passkeys(account(2)).await, Ok(Vec::new()));
    assert_eq!(reader.passkey_by_credential(&[1; 64]).await, Ok(Some(passkey_row(1, 1))));
    assert_eq!(reader.passkey_by_credential(&[1; 63]).await, Ok(None));
    drop(reader);
    // Nobody takes over what another registered.
    let others = PasskeyRow { credential_id: vec![1; 64], ..passkey_row(3, 2) };
    let twice = act!(store.store, |tx| tx.insert_passkey(&others).await?);
    assert_eq!(twice, Err(StoreError::Unique(Unique::PasskeyCredential)));
    let done = act!(store.store, |tx| (
        tx.rename_passkey(&passkey_row(1, 2), "mine").await?,
        tx.rename_passkey(&passkey_row(1, 1), "phone").await?,
        tx.rename_passkey(&passkey_row(1, 1), "again").await?,
        tx.use_passkey(&PasskeyUse { account: account(2), ..used(1, 1) }, START).await?,
        tx.delete_passkey(account(2), PasskeyId([1; 16])).await?,
        tx.delete_passkey(account(1), PasskeyId([2; 16])).await?,
        tx.delete_passkey(account(1), PasskeyId([2; 16])).await?,
        tx.use_passkey(&used(2, 1), START).await?,
    ));
    assert_eq!(done, Ok((false, true, false, false, false, true, false, false)));
    let expected = PasskeyRow { name: "phone".to_owned(), version: 2, ..passkey_row(1, 1) };
    assert_eq!(read(&store).await.passkeys(account(1)).await, Ok(vec![expected]));
}

pub(crate) async fn a_counter_only_goes_up_also_of_two_at_once(store: TestStore) {
    with_accounts(&store).await;
    act!(store.store, |tx| tx.insert_passkey(&passkey_row(1, 1)).await?).unwrap();
    let done = act!(store.store, |tx| (
        tx.use_passkey(&used(1, 0), START).await?,
        tx.use_passkey(&used(1, 0), START).await?,
        tx.use_passkey(&used(1, 3), START).await?,
        tx.use_passkey(&used(1, 3), START).await?,
        tx.use_passkey(&used(1, 2), START).await?,
        tx.use_passkey(&used(1, 0), START).await?,
        tx.use_passkey(&used(1, 4), START.plus(1)).await?,
    ));
    assert_eq!(done, Ok((true, true, true, false, false, false, true)));
    let row = read(&store).await.passkeys(account(1)).await.unwrap().remove(0);
    assert_eq!((row.sign_count, row.backed_up, row.last_used_at), (4, true, Some(START.plus(1))));
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = store.store.clone();
            tokio::spawn(async move { act!(store, |tx| tx.use_passkey(&used(1, 5), START).await?).unwrap() })
        })
        .collect();
    let mut passed = 0;
    for one in tries {
        passed += usize::from(one.await.unwrap());
    }
    assert_eq!(passed, 1);
}

pub(crate) async fn a_ceremony_is_finished_once_and_forgotten(store: TestStore) {
    let done: Outcome<_> = store
        .store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                for n in 1..=3 {
                    ledger.insert_passkey_flow(&flow_row(n)).await?;
                }
                Ok((
                    ledger.passkey_flows_from("192.0.2.0/24", START).await?,
                    ledger.passkey_flows_from("192.0.2.0/24", START.plus(SECOND)).await?,
                    ledger.passkey_flows_from("198.51.100.0/24", START).await?,
                    ledger.take_passkey_flow(FlowId([1; 16]), START.plus(SECOND)).await?,
                    ledger.take_passkey_flow(FlowId([2; 16]), START.plus(SECOND)).await?,
                    ledger.take_passkey_flow(FlowId([2; 16]), START.plus(SECOND)).await?,
                    ledger.purge_passkey_flows(START.plus(SECOND)).await?,
                ))
            })
        })
        .await;
    assert_eq!(done, Ok((3, 2, 0, false, true, false, 1)));
    assert_eq!(read(&store).await.passkey_flow(FlowId([3; 16])).await, Ok(Some(flow_row(3))));
    assert_eq!(read(&store).await.passkey_flow(FlowId([2; 16])).await, Ok(None));
}

/// A restore has the passkeys as the backup and the log say, and no ceremony.
pub(crate) async fn backup_and_log_have_passkeys(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    settle_people(&store, 2).await;
    with_accounts(&store).await;
    act!(store.store, |tx| {
        for n in 1..=3 {
            tx.insert_passkey(&passkey_row(n, 1)).await?;
        }
    })
    .unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    act!(store.store, |tx| {
        tx.insert_passkey(&passkey_row(4, 2)).await?;
        tx.use_passkey(&used(1, 7), START).await?;
        tx.rename_passkey(&passkey_row(2, 1), "phone").await?;
        tx.delete_passkey(account(1), PasskeyId([3; 16])).await?;
        tx.insert_passkey_flow(&flow_row(9)).await?;
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}
