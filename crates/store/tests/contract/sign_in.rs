//! Accounts, their sessions, links, second factors, and who was wrong how often.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::sign_in::backoff::Tries;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn account(n: u8) -> AccountId {
    AccountId([n; 16])
}

pub(crate) fn account_row(n: u8) -> AccountRow {
    AccountRow {
        id: account(n),
        email: format!("person-{n}@example.com"),
        name: "Ada".to_owned(),
        password: Some("digest".to_owned()),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn session_row(n: u8, of: u8) -> SessionRow {
    SessionRow {
        id: SessionId([n; 16]),
        account_id: account(of),
        member_id: MemberId([of; 16]),
        organization_id: org(1),
        digest: [n; 32],
        address: Some("192.0.2.1".to_owned()),
        network: Some(format!("192.0.{of}.0/24")),
        user_agent: None,
        created_at: START.plus(i64::from(n)),
        last_seen_at: START,
        expires_at: START.plus(3_600 * SECOND),
        second_factor_at: None,
        ended_at: None,
        provider_id: None,
    }
}

fn link_row(purpose: &str, digest: u8) -> LinkRow {
    LinkRow {
        subject_id: [1; 16],
        organization_id: Some(org(1)),
        purpose: purpose.to_owned(),
        digest: [digest; 32],
        created_at: START,
        expires_at: START.plus(SECOND),
    }
}

async fn with_accounts(store: &TestStore) {
    act!(store.store, |tx| {
        tx.insert_account(&account_row(1)).await?;
        tx.insert_account(&account_row(2)).await?;
    })
    .unwrap();
}

pub(crate) async fn an_account_is_found_and_changed_by_who_saw_it(store: TestStore) {
    with_accounts(&store).await;
    let mut reader = read(&store).await;
    assert_eq!(reader.account(account(1)).await, Ok(Some(account_row(1))));
    assert_eq!(reader.account_by_email("person-2@example.com").await, Ok(Some(account_row(2))));
    assert_eq!(reader.account_by_email("PERSON-2@example.com").await, Ok(None));
    drop(reader);
    let twice = act!(store.store, |tx| {
        tx.insert_account(&AccountRow { id: account(3), ..account_row(1) }).await?;
    });
    assert_eq!(twice, Err(StoreError::Unique(Unique::AccountEmail)));
    let set = |version: i64| AccountRow { version, ..account_row(1) };
    let done = act!(store.store, |tx| {
        let seen = set(1);
        (
            tx.hold_account(&seen).await?,
            tx.set_password(&seen, "other", START.plus(1)).await?,
            tx.set_password(&seen, "third", START.plus(2)).await?,
            tx.hold_account(&seen).await?,
        )
    });
    assert_eq!(done, Ok((true, true, false, false)));
    let now = read(&store).await.account(account(1)).await.unwrap().unwrap();
    assert_eq!((now.password.as_deref(), now.version), (Some("other"), 2));
}

pub(crate) async fn a_session_is_used_and_ended_by_whose_it_is(store: TestStore) {
    with_accounts(&store).await;
    act!(store.store, |tx| {
        for row in [session_row(1, 1), session_row(2, 1), session_row(3, 1), session_row(4, 2)] {
            tx.insert_session(&row).await?;
        }
    })
    .unwrap();
    let list = async |now: Micros, idle: Micros| {
        let rows = read(&store).await.sessions_of_account(account(1), (now, idle), None, 9).await.unwrap();
        rows.into_iter().map(|row| row.id.0[0]).collect::<Vec<_>>()
    };
    let before = START.plus(-1);
    assert_eq!(list(START, before).await, [3, 2, 1]);
    let after = Some((START.plus(3), [3; 16]));
    let rest = read(&store).await.sessions_of_account(account(1), (START, before), after, 9).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert!(list(START.plus(3_600 * SECOND), before).await.is_empty(), "their time is over");
    assert!(list(START, START).await.is_empty(), "nobody used them");
    let mut reader = read(&store).await;
    assert_eq!(reader.session(SessionId([4; 16])).await, Ok(Some(session_row(4, 2))));
    assert_eq!(reader.knows_network(account(1), "192.0.1.0/24").await, Ok(true));
    assert_eq!(reader.knows_network(account(1), "192.0.2.0/24").await, Ok(false));
    drop(reader);
    let ended = act!(store.store, |tx| {
        let one = SessionId([1; 16]);
        (
            tx.end_session(account(2), one, START).await?,
            tx.end_session(account(1), one, START).await?,
            tx.end_session(account(1), one, START).await?,
            tx.step_up_session(one, START).await?,
            tx.step_up_session(SessionId([2; 16]), START).await?,
            tx.end_sessions_of_account(account(1), Some(SessionId([2; 16])), START).await?,
            tx.end_sessions_of_member(org(2), MemberId([2; 16]), START).await?,
            tx.end_sessions_of_member(org(1), MemberId([2; 16]), START).await?,
        )
    });
    assert_eq!(ended, Ok((false, true, false, false, true, 1, 0, 1)));
    assert_eq!(list(START, before).await, [2]);
    let seen: Outcome<u64> = store
        .store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                let (id, later) = (SessionId([2; 16]), START.plus(60 * SECOND));
                ledger.session_seen(id, later, START).await?;
                ledger.session_seen(id, later, later).await?;
                ledger.purge_sessions(START.plus(3_600 * SECOND)).await?;
                ledger.purge_sessions(START.plus(3_600 * SECOND + 1)).await
            })
        })
        .await;
    assert_eq!(seen, Ok(4));
}

pub(crate) async fn a_link_is_used_once_and_replaced_by_the_next(store: TestStore) {
    let (first, second) = (link_row("invitation", 1), link_row("invitation", 2));
    act!(store.store, |tx| {
        tx.put_link(&link_row("invitation", 1)).await?;
        tx.put_link(&link_row("invitation", 2)).await?;
    })
    .unwrap();
    assert_eq!(read(&store).await.link(&[1; 16]).await, Ok(Some(second.clone())));
    let over = START.plus(SECOND);
    let taken = act!(store.store, |tx| (
        tx.take_link(&first, START).await?,
        tx.take_link(&second, over).await?,
        tx.take_link(&second, START).await?,
        tx.take_link(&second, START).await?,
    ));
    assert_eq!(taken, Ok((false, false, true, false)));
    act!(store.store, |tx| {
        tx.put_link(&link_row("recovery", 3)).await?;
        assert!(tx.end_link(&[1; 16]).await?);
        tx.put_link(&link_row("recovery", 4)).await?;
    })
    .unwrap();
    let purged: Outcome<(u64, u64)> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move { Ok((ledger.purge_links(START).await?, ledger.purge_links(over).await?)) })
        })
        .await;
    assert_eq!(purged, Ok((0, 1)));
}

pub(crate) async fn of_many_who_use_a_link_at_once_one_does(store: TestStore) {
    act!(store.store, |tx| tx.put_link(&link_row("invitation", 1)).await?).unwrap();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = store.store.clone();
            tokio::spawn(async move {
                act!(store, |tx| tx.take_link(&link_row("invitation", 1), START).await?).unwrap()
            })
        })
        .collect();
    let mut took = 0;
    for one in tries {
        took += usize::from(one.await.unwrap());
    }
    assert_eq!(took, 1);
}

pub(crate) async fn a_second_factor_counts_once_confirmed_and_each_code_once(store: TestStore) {
    with_accounts(&store).await;
    let row = |sealed: u8| SecondFactorRow {
        account_id: account(1),
        sealed: vec![sealed; 4],
        created_at: START,
        confirmed_at: None,
        last_step: 0,
    };
    let (first, second) = (row(1), row(2));
    let done = act!(store.store, |tx| (
        tx.begin_second_factor(&first).await?,
        tx.begin_second_factor(&second).await?,
        tx.take_step(account(1), 5).await?,
        tx.confirm_second_factor(&first, 5, START).await?,
        tx.confirm_second_factor(&second, 5, START).await?,
        tx.begin_second_factor(&first).await?,
        tx.take_step(account(1), 5).await?,
        tx.take_step(account(1), 6).await?,
        tx.take_step(account(1), 6).await?,
    ));
    assert_eq!(done, Ok((true, true, false, false, true, false, false, true, false)));
    let stored = read(&store).await.second_factor(account(1)).await.unwrap().unwrap();
    assert_eq!((stored.confirmed_at, stored.last_step), (Some(START), 6));
    let codes = act!(store.store, |tx| {
        tx.replace_recovery_codes(account(1), &[[1; 32], [2; 32]]).await?;
        tx.replace_recovery_codes(account(1), &[[3; 32], [4; 32]]).await?;
        (
            tx.take_recovery_code(account(1), &[1; 32]).await?,
            tx.take_recovery_code(account(2), &[3; 32]).await?,
            tx.take_recovery_code(account(1), &[3; 32]).await?,
            tx.take_recovery_code(account(1), &[3; 32]).await?,
        )
    });
    assert_eq!(codes, Ok((false, false, true, false)));
    let gone = act!(store.store, |tx| (
        tx.remove_second_factor(account(1)).await?,
        tx.remove_second_factor(account(1)).await?,
        tx.remove_recovery_codes(account(1)).await?,
        tx.remove_recovery_codes(account(1)).await?,
        tx.take_recovery_code(account(1), &[4; 32]).await?,
    ));
    assert_eq!(gone, Ok((true, false, true, false, false)));
}

pub(crate) async fn tries_are_counted_taken_back_and_forgotten(store: TestStore) {
    let (subject, other) = ([1; 16], [2; 16]);
    let counted: Outcome<(Tries, Tries, Tries, u64)> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move {
                let none = ledger.hold_tries(&subject).await?;
                ledger.set_tries(&subject, Tries { count: 2, last_at: START }).await?;
                ledger.hold_tries(&other).await?;
                ledger.set_tries(&other, Tries { count: 1, last_at: START }).await?;
                ledger.take_try_back(&subject).await?;
                let one = ledger.hold_tries(&subject).await?;
                ledger.take_try_back(&subject).await?;
                ledger.take_try_back(&subject).await?;
                let zero = ledger.hold_tries(&subject).await?;
                ledger.forget_tries(&subject).await?;
                Ok((none, one, zero, ledger.purge_tries(START.plus(1)).await?))
            })
        })
        .await;
    let at = |count| Tries { count, last_at: START };
    assert_eq!(counted, Ok((Tries::default(), at(1), at(0), 1)));
}
