//! Notices on their way out: taken by one, recorded by that one, and not sent again after a restore.

use crate::log::*;
use crate::rotation::notice;
use crate::world::*;
use keystead_domain::ids::NoticeId;
use keystead_domain::time::{ManualClock, Micros};
use keystead_store::testing::{START, TestPlace, TestStore, empty_places};
use keystead_store::*;
use std::sync::Arc;

const FAR: Micros = Micros(START.0 + 3_600_000_000);

fn id(number: u8) -> NoticeId {
    NoticeId([number; 16])
}

async fn add(store: &TestStore, rows: Vec<NoticeRow>) {
    let added: Outcome = store
        .store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                for row in &rows {
                    assert!(ledger.insert_notice(row).await?);
                }
                Ok(())
            })
        })
        .await;
    added.unwrap();
}

async fn claim(store: &TestStore, number: u8, now: Micros, until: Micros) -> Option<NoticeRow> {
    let claimed: Outcome<Option<NoticeRow>> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.claim_notice(id(number), now, FAR, until).await })
        })
        .await;
    claimed.unwrap()
}

async fn record(store: &TestStore, number: u8, attempt: i64, tried: Tried) -> bool {
    let recorded: Outcome<bool> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.record_try(id(number), attempt, &tried).await })
        })
        .await;
    recorded.unwrap()
}

fn sent() -> Tried {
    let delivered = Some(r#"["noc@example.net"]"#.to_owned());
    Tried { outcome: Some("sent"), closed_at: Some(minutes(2)), delivered, ..Tried::default() }
}

async fn due(store: &TestStore, now: Micros) -> Vec<NoticeId> {
    let rows = read(store).await.notices_due(now, FAR, 9).await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

pub(crate) async fn of_many_who_take_a_notice_one_gets_it(store: TestStore) {
    let nobody = NoticeRow { state: "nobody".to_owned(), ..notice(2, "b") };
    add(&store, vec![notice(3, "c"), notice(1, "a"), nobody]).await;
    assert_eq!(due(&store, minutes(0)).await, [id(1), id(3)]);
    assert_eq!(read(&store).await.notices_to_send().await, Ok((2, notice(1, "a").created_at)));
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.store.clone();
            tokio::spawn(async move {
                let claimed: Outcome<Option<NoticeRow>> = store
                    .bookkeeping(|ledger| {
                        Box::pin(async move { ledger.claim_notice(id(1), minutes(1), FAR, minutes(5)).await })
                    })
                    .await;
                claimed.unwrap()
            })
        })
        .collect();
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.unwrap());
    }
    let (now, until) = (Some(minutes(1)), Some(minutes(5)));
    assert_eq!(taken, [NoticeRow { attempts: 1, sending_since: now, next_at: until, ..notice(1, "a") }]);
    assert_eq!(claim(&store, 2, minutes(1), minutes(5)).await, None);
    assert_eq!(due(&store, minutes(4)).await, [id(3)]);
    // Who took it is gone; and one whose clock was far ahead does not keep it.
    assert_eq!(due(&store, minutes(5)).await, [id(3), id(1)]);
    assert!(claim(&store, 3, minutes(1), Micros(FAR.0 + 1)).await.is_some());
    assert_eq!(due(&store, minutes(1)).await, [id(3)]);
}

pub(crate) async fn a_try_is_recorded_by_who_made_it(store: TestStore) {
    add(&store, vec![notice(1, "a")]).await;
    claim(&store, 1, minutes(1), minutes(2)).await.unwrap();
    let second = claim(&store, 1, minutes(2), minutes(3)).await.unwrap();
    assert_eq!(second.attempts, 2);
    let failed =
        Tried { next_at: Some(minutes(9)), last_error: Some("451 later".to_owned()), ..Tried::default() };
    assert!(!record(&store, 1, 1, failed.clone()).await, "another try has begun");
    assert!(record(&store, 1, 2, failed).await);
    let stored = read(&store).await.notice(org(1), project(1), id(1)).await.unwrap().unwrap();
    assert_eq!((stored.sending_since, stored.next_at), (None, Some(minutes(9))));
    assert_eq!(read(&store).await.notice(org(2), project(1), id(1)).await, Ok(None));
    claim(&store, 1, minutes(9), minutes(10)).await.unwrap();
    assert!(record(&store, 1, 3, sent()).await);
    assert!(!record(&store, 1, 3, Tried::default()).await, "what was sent stays so");
    assert_eq!(claim(&store, 1, minutes(11), minutes(12)).await, None);
    assert_eq!(read(&store).await.notices_to_send().await, Ok((0, Micros(0))));
}

/// Who sent it was late, and somebody has asked for another try since: that one is not lost.
pub(crate) async fn a_late_record_does_not_undo_a_retry(store: TestStore) {
    add(&store, vec![notice(1, "a")]).await;
    claim(&store, 1, minutes(1), minutes(2)).await.unwrap();
    let seen = read(&store).await.notice(org(1), project(1), id(1)).await.unwrap().unwrap();
    assert_eq!(act!(store.store, |tx| tx.retry_notice(&seen, "[]", minutes(3)).await?), Ok(true));
    let given_up = Tried { outcome: Some("given_up"), closed_at: Some(minutes(4)), ..Tried::default() };
    assert!(!record(&store, 1, 1, given_up).await);
    assert_eq!(due(&store, minutes(4)).await, [id(1)]);
}

pub(crate) async fn a_notice_without_an_address_is_nobodys_until_somebody_asks(store: TestStore) {
    add(&store, vec![notice(1, "a")]).await;
    let taken = claim(&store, 1, minutes(1), minutes(5)).await.unwrap();
    let nobodys = NoticeRow {
        recipients: "[]".into(),
        state: "nobody".into(),
        sending_since: None,
        next_at: None,
        ..taken
    };
    let row = nobodys.clone();
    let written: Outcome<bool> = store
        .store
        .bookkeeping(move |ledger| Box::pin(async move { ledger.address_notice(&row).await }))
        .await;
    assert_eq!(written, Ok(true));
    assert_eq!(read(&store).await.notice(org(1), project(1), id(1)).await, Ok(Some(nobodys.clone())));
    assert!(due(&store, minutes(9)).await.is_empty());
    let to = r#"["desk@example.net"]"#;
    assert_eq!(act!(store.store, |tx| tx.retry_notice(&nobodys, to, minutes(2)).await?), Ok(true));
    assert_eq!(due(&store, minutes(9)).await, [id(1)]);
}

/// One who has many waiting, and slow ones, does not have all others wait behind them.
pub(crate) async fn each_organization_has_its_turn(store: TestStore) {
    let of = |number: u8, organization: u8, at: i64| NoticeRow {
        organization_id: org(organization),
        created_at: minutes(at),
        ..notice(number, &number.to_string())
    };
    add(&store, vec![of(1, 1, 1), of(2, 1, 2), of(3, 1, 3), of(4, 2, 4), of(5, 2, 5), of(6, 3, 6)]).await;
    let due: Vec<_> = read(&store)
        .await
        .notices_due(minutes(9), FAR, 5)
        .await
        .unwrap()
        .into_iter()
        .map(|due| (due.id, due.organization_id))
        .collect();
    let expected = [(1, 1), (4, 2), (6, 3), (2, 1), (5, 2)];
    assert_eq!(due, expected.map(|(number, organization)| (id(number), org(organization))));
}

pub(crate) async fn a_notice_is_retried_unless_it_was_or_is_being_sent(store: TestStore) {
    add(&store, (1..=4).map(|number| notice(number, &number.to_string())).collect()).await;
    for number in 1..=3 {
        claim(&store, number, minutes(1), minutes(5)).await.unwrap();
    }
    record(&store, 1, 1, sent()).await;
    let given_up = Tried { outcome: Some("given_up"), closed_at: Some(minutes(2)), ..Tried::default() };
    record(&store, 2, 1, given_up).await;
    let retry = async |number: u8, now: Micros| {
        let seen = read(&store).await.notice(org(1), project(1), id(number)).await.unwrap().unwrap();
        act!(store.store, |tx| tx.retry_notice(&seen, "[]", now).await?).unwrap()
    };
    assert!(!retry(1, minutes(3)).await && retry(2, minutes(3)).await);
    assert!(!retry(3, minutes(3)).await, "somebody sends it");
    assert!(retry(3, minutes(5)).await && retry(4, minutes(5)).await);
    let again = read(&store).await.notice(org(1), project(1), id(2)).await.unwrap().unwrap();
    let expected = NoticeRow { recipients: "[]".into(), retried_at: Some(minutes(3)), ..notice(2, "2") };
    assert_eq!(again, NoticeRow { attempts: 1, ..expected });
    let stale = again;
    claim(&store, 2, minutes(5), minutes(6)).await.unwrap();
    assert_eq!(act!(store.store, |tx| tx.retry_notice(&stale, "[]", minutes(9)).await?), Ok(false));
}

async fn outbox_of(place: &TestPlace, store: &TestStore) -> Vec<NoticeRow> {
    let options = Options { database: place.database.clone(), readers: 1 };
    let clock = Arc::<ManualClock>::clone(&store.clock);
    let restored = Store::open(options, clock).await.unwrap();
    let rows = restored.read().await.unwrap().notices(org(1), project(1), None, 9).await.unwrap();
    restored.close().await;
    rows
}

/// Nodes are upgraded one by one: an older one goes on writing notices, and knows nothing of what becomes of them.
pub(crate) async fn a_notice_of_an_older_binary_is_sent(store: TestStore) {
    add(&store, vec![notice(2, "a")]).await;
    let older = "INSERT INTO outbox (id, organization_id, project_id, kind, key_id, once, recipients, subject, \
        body, state, created_at) SELECT project_id, organization_id, project_id, kind, key_id, 'older', \
        recipients, subject, body, state, created_at FROM outbox";
    crate::opening::tamper(&store, older).await;
    assert_eq!(due(&store, minutes(1)).await, [id(1), id(2)]);
    let written = NoticeRow { id: id(1), once: "older".into(), ..notice(2, "a") };
    let (now, until) = (Some(minutes(1)), Some(minutes(2)));
    let taken = NoticeRow { attempts: 1, sending_since: now, next_at: until, ..written };
    assert_eq!(claim(&store, 1, minutes(1), minutes(2)).await, Some(taken));
}

/// A restore of an older backup would write to everybody again who has been written to since.
pub(crate) async fn a_restore_sends_nothing_again(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    add(&store, vec![notice(1, "a"), notice(2, "b")]).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    claim(&store, 1, minutes(1), minutes(5)).await.unwrap();
    assert!(record(&store, 1, 1, sent()).await);
    add(&store, vec![notice(3, "c")]).await;
    store.store.end_session().await.unwrap();
    for place in empty_places().await {
        // With the log: what was sent is sent, what waits goes on waiting, and nothing is forgotten.
        restore(&place, &backup, std::slice::from_ref(&path)).await.unwrap();
        let rows = outbox_of(&place, &store).await;
        let outcomes: Vec<_> = rows.iter().map(|row| row.outcome.as_deref()).collect();
        assert_eq!(outcomes, [None, None, Some("sent")], "{rows:?}");
    }
    for place in empty_places().await {
        // Without it nobody knows: a person has to say.
        restore(&place, &backup, &[]).await.unwrap();
        let rows = outbox_of(&place, &store).await;
        assert!(rows.len() == 2 && rows.iter().all(|row| row.outcome.as_deref() == Some("held")), "{rows:?}");
    }
}
