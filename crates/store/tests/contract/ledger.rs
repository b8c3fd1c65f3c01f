//! What no person decides: meters, last-used, unknown attempts, the feed's tail.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::route_limits::RouteMeterId;
use keystead_domain::time::Micros;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;
use sqlx::{Connection, PgConnection};
use tokio::sync::oneshot;

pub(crate) fn meter_row(id: MeterId, credits: i64) -> MeterRow {
    MeterRow {
        id,
        organization_id: org(1),
        credits_remaining: Some(credits),
        credits_refill_at: None,
        quota_used: 0,
        quota_resets_at: None,
        credits_epoch: 0,
    }
}

pub(crate) fn seen_row(lineage: u64) -> SeenRow {
    SeenRow {
        lineage_id: key_id(lineage),
        organization_id: org(1),
        last_used_at: Some(minutes(1)),
        last_refused_at: None,
        passed: 3,
        refused: 0,
        body: "{}".to_owned(),
    }
}

/// LESSONS 8: a read followed by a decrement raced, and credits were spent twice.
pub(crate) async fn a_meter_is_never_overspent(store: TestStore) {
    let id = MeterId::Lineage(key_id(1));
    let add: Outcome = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move {
                assert_eq!(ledger.lock_meter(id).await?, None);
                assert!(!ledger.update_meter(&meter_row(id, 1)).await?);
                ledger.insert_meter(&meter_row(id, 100)).await?;
                ledger.ensure_meter(&meter_row(id, 1)).await
            })
        })
        .await;
    add.unwrap();
    let spenders: Vec<_> = (0..16)
        .map(|_| {
            let store = store.store.clone();
            tokio::spawn(async move {
                let mut spent = 0;
                for _ in 0..10 {
                    let took: Outcome<bool> = store
                        .bookkeeping(move |ledger| {
                            Box::pin(async move {
                                let mut meter = ledger.lock_meter(id).await?.unwrap();
                                let credits = meter.credits_remaining.unwrap();
                                if credits == 0 {
                                    return Ok(false);
                                }
                                meter.credits_remaining = Some(credits - 1);
                                meter.quota_used += 1;
                                meter.credits_epoch += 1;
                                ledger.update_meter(&meter).await
                            })
                        })
                        .await;
                    spent += u32::from(took.unwrap());
                }
                spent
            })
        })
        .collect();
    let mut spent = 0;
    for spender in spenders {
        spent += spender.await.unwrap();
    }
    assert_eq!(spent, 100);
    let expected = MeterRow { quota_used: 100, credits_epoch: 100, ..meter_row(id, 0) };
    assert_eq!(read(&store).await.meter(id).await, Ok(Some(expected)));

    let of_consumer = MeterRow {
        credits_remaining: None,
        credits_refill_at: Some(minutes(1)),
        quota_resets_at: Some(minutes(2)),
        ..meter_row(MeterId::Consumer(consumer(1)), 0)
    };
    let row = of_consumer.clone();
    act!(store.store, |tx| tx.insert_meter(&row).await?).unwrap();
    assert_eq!(read(&store).await.meter(of_consumer.id).await, Ok(Some(of_consumer)));
    assert_eq!(act!(store.store, |tx| tx.delete_meter(MeterId::Consumer(consumer(1))).await?), Ok(true));
    assert_eq!(act!(store.store, |tx| tx.delete_meter(MeterId::Consumer(consumer(1))).await?), Ok(false));
}

pub(crate) async fn what_was_seen_is_replaced(store: TestStore) {
    let later = SeenRow { last_refused_at: Some(minutes(9)), passed: 4, refused: 1, ..seen_row(1) };
    for row in [seen_row(1), later.clone(), seen_row(2)] {
        let put: Outcome =
            store.store.bookkeeping(move |l| Box::pin(async move { l.put_seen(&row).await })).await;
        put.unwrap();
    }
    let mut r = read(&store).await;
    assert_eq!(r.seen(key_id(1)).await, Ok(Some(later)));
    assert_eq!(r.seen(key_id(3)).await, Ok(None));
    // In one transaction, more than go over at once.
    let put: Outcome = store
        .store
        .bookkeeping(|l| {
            Box::pin(async move {
                for number in 1..=70 {
                    l.put_seen(&SeenRow { passed: 9, ..seen_row(number) }).await?;
                }
                Ok(())
            })
        })
        .await;
    put.unwrap();
    let asked: Vec<KeyId> = (2..=72).map(key_id).collect();
    let mut r = read(&store).await;
    let mut seen = r.seen_of(&asked).await.unwrap();
    seen.sort_unstable_by_key(|row| row.lineage_id);
    let passed: Vec<_> = seen.iter().map(|row| (row.lineage_id, row.passed)).collect();
    assert_eq!(passed, (2..=70).map(|number| (key_id(number), 9)).collect::<Vec<_>>());
    assert_eq!(r.seen_of(&[]).await.unwrap(), []);
}

/// LESSONS 5: what asked for keys that nobody issued was recorded nowhere.
pub(crate) async fn unknown_attempts_are_replaced(store: TestStore) {
    let row = |environment: u8, count| UnknownAttemptsRow {
        organization_id: org(1),
        project_id: project(1),
        environment_id: EnvironmentId([environment; 16]),
        code: "not_found".to_owned(),
        count,
        first_at: START,
        last_at: minutes(count),
        body: "{}".to_owned(),
    };
    for row in [row(0, 1), row(0, 2), row(1, 1)] {
        let put: Outcome = store
            .store
            .bookkeeping(move |l| Box::pin(async move { l.put_unknown_attempts(&row).await }))
            .await;
        put.unwrap();
    }
    let mut r = read(&store).await;
    assert_eq!(r.unknown_attempts(org(1), project(1)).await, Ok(vec![row(0, 2), row(1, 1)]));
    assert_eq!(r.unknown_attempts(org(2), project(1)).await, Ok(vec![]));
}

pub(crate) async fn the_feed_is_trimmed(store: TestStore) {
    for _ in 0..3 {
        let acted: Outcome = store
            .store
            .act(|_| {
                let changes = vec![Change::new(org(1), ChangeKind::Role, [1; 16])];
                Box::pin(async move { Ok(Acted { value: (), events: vec![event(1)], changes }) })
            })
            .await;
        acted.unwrap();
        store.clock.step(60_000_000);
    }
    let trimmed: Outcome<u64> =
        store.store.bookkeeping(|l| Box::pin(async move { l.trim_feed(minutes(2), i64::MAX).await })).await;
    assert_eq!(trimmed, Ok(2));
    let left = read(&store).await.feed(0, 10).await.unwrap();
    assert_eq!(left.iter().map(|row| row.at).collect::<Vec<_>>(), [minutes(2)]);
}

fn replay_row(at: Micros) -> ReplayRow {
    ReplayRow {
        id: [7; 32],
        organization_id: org(1),
        request: [8; 32],
        at,
        ids: String::new(),
        answer: None,
        answer_until: Micros(i64::MIN),
    }
}

/// Claims and answers it in one act; whether it was claimed.
async fn claim(store: &Store, row: ReplayRow, forgotten_until: Micros) -> bool {
    let claimed: Outcome<bool> = act!(store, |tx| {
        let claimed = tx.claim_replay(&row, forgotten_until).await?;
        if claimed {
            let (answer, ids) = (Some(b"sealed".to_vec()), "[]".to_owned());
            tx.record_replay(&ReplayRow { answer, ids, answer_until: row.at, ..row }).await?;
        }
        claimed
    });
    claimed.unwrap()
}

pub(crate) async fn a_replay_is_claimed_once_until_it_is_forgotten(store: TestStore) {
    let never = Micros(i64::MIN);
    assert!(claim(&store.store, replay_row(minutes(1)), never).await);
    assert!(!claim(&store.store, replay_row(minutes(2)), minutes(0)).await);
    let read = async || store.store.read().await.unwrap().replay(&[7; 32]).await.unwrap();
    let found = read().await.unwrap();
    assert_eq!((found.at, found.answer.as_deref()), (minutes(1), Some(&b"sealed"[..])));
    assert!(claim(&store.store, replay_row(minutes(3)), minutes(1)).await);
    let purge = async |now: Micros, forgotten_until: Micros| {
        let purged: Outcome<()> = store
            .store
            .bookkeeping(move |ledger| {
                Box::pin(async move { ledger.purge_replays(now, forgotten_until).await })
            })
            .await;
        purged.unwrap();
        read().await.map(|row| row.answer)
    };
    assert_eq!(purge(minutes(2), minutes(2)).await, Some(Some(b"sealed".to_vec())));
    assert_eq!(purge(minutes(3), minutes(2)).await, Some(None));
    assert_eq!(purge(minutes(3), minutes(3)).await, None);
}

pub(crate) async fn of_two_that_claim_a_replay_at_once_one_does(store: TestStore) {
    let mut claiming = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.store.clone();
        claiming.spawn(async move { claim(&store, replay_row(minutes(1)), Micros(i64::MIN)).await });
    }
    let claimed = claiming.join_all().await;
    assert_eq!(claimed.into_iter().filter(|claimed| *claimed).count(), 1);
}

pub(crate) async fn a_job_is_claimed_once_a_turn(store: TestStore) {
    let claim = async |now: i64, next: i64| -> bool {
        let claimed: Outcome<bool> = store
            .store
            .bookkeeping(move |l| {
                Box::pin(async move { l.claim_job("tidy", minutes(now), minutes(next)).await })
            })
            .await;
        claimed.unwrap()
    };
    assert!(claim(0, 10).await);
    assert!(!claim(9, 19).await);
    assert!(claim(10, 20).await);
    // A clock that was a day ahead must not stop it for a day.
    assert!(claim(1_440, 1_450).await);
    assert!(claim(21, 31).await);
    assert!(!claim(22, 32).await);
}

pub(crate) async fn nodes_come_give_signs_of_life_and_go(store: TestStore) {
    let node = |n: u8, beat: i64| NodeRow {
        id: NodeId([n; 16]),
        name: format!("host-{n}"),
        version: "1.0".to_owned(),
        started_at: minutes(i64::from(n)),
        seen_at: minutes(i64::from(n) + 1),
        beat,
        feed_mark: 5,
    };
    for row in [node(1, 1), node(2, 1), node(1, 2)] {
        let put: Outcome =
            store.store.bookkeeping(move |l| Box::pin(async move { l.put_node(&row).await })).await;
        put.unwrap();
    }
    assert_eq!(read(&store).await.nodes().await, Ok(vec![node(1, 2), node(2, 1)]));
    let remove = async |beat: i64| -> Outcome<bool> {
        store
            .store
            .bookkeeping(move |l| Box::pin(async move { l.remove_node(NodeId([1; 16]), beat).await }))
            .await
    };
    assert_eq!(remove(1).await, Ok(false), "it has given a sign of life since");
    assert_eq!(remove(2).await, Ok(true));
    assert_eq!(read(&store).await.nodes().await, Ok(vec![node(2, 1)]));
}

fn rate(n: u8, name: &str, paid_at_ns: i64) -> RateRow {
    RateRow { meter: MeterId::Consumer(ConsumerId([n; 16])), name: name.to_owned(), paid_at_ns }
}

pub(crate) async fn rates_are_added_locked_written_raised_and_trimmed(store: TestStore) {
    let rows = vec![rate(1, "a", 0), rate(1, "b", 0), rate(2, "a", 0)];
    let asked = rows.clone();
    let locked: Outcome<Vec<RateRow>> =
        store.store.bookkeeping(move |l| Box::pin(async move { l.lock_rates(&asked).await })).await;
    assert_eq!(locked.unwrap(), rows);
    let written: Outcome = store
        .store
        .bookkeeping(move |l| {
            Box::pin(async move {
                l.put_rates(&[rate(1, "a", 50), rate(1, "b", 60)]).await?;
                l.raise_rates(&[rate(1, "a", 40), rate(1, "b", 70), rate(2, "a", 10)]).await
            })
        })
        .await;
    written.unwrap();
    let unpaid = async |at: i64| {
        let mut rows = read(&store).await.unpaid_rates(at).await.unwrap();
        rows.sort_by(|one, other| {
            one.meter.as_bytes().cmp(other.meter.as_bytes()).then_with(|| one.name.cmp(&other.name))
        });
        rows
    };
    assert_eq!(unpaid(9).await, [rate(1, "a", 50), rate(1, "b", 70), rate(2, "a", 10)]);
    assert_eq!(unpaid(50).await, [rate(1, "b", 70)]);
    assert_eq!(read(&store).await.paid_rates(50).await, Ok(vec![rate(2, "a", 10)]));
    let some = vec![rate(1, "b", 10), rate(2, "a", 10)];
    let trimmed: Outcome<usize> =
        store.store.bookkeeping(move |l| Box::pin(async move { l.trim_rates(&some, 50).await })).await;
    assert_eq!(trimmed, Ok(1), "one of them was written since");
    assert_eq!(unpaid(0).await, [rate(1, "a", 50), rate(1, "b", 70)]);
}

/// Of two that wait for each other, PostgreSQL makes one fail.
pub(crate) async fn rates_of_routes_are_kept_as_they_are(store: TestStore) {
    let id = RouteMeterId::from_slice(&[7; RouteMeterId::BYTES]).unwrap();
    let row = RateRow { meter: MeterId::Route(id), name: "a".to_owned(), paid_at_ns: 10 };
    let rows = [rate(1, "a", 10), row.clone()];
    let asked = rows.clone();
    let locked = store.store.bookkeeping(move |l| Box::pin(async move { l.lock_rates(&asked).await })).await;
    assert_eq!(locked.map(|rows| rows.len()), Ok(2));
    assert!(read(&store).await.unpaid_rates(5).await.unwrap().contains(&row));
    let trimmed = store.store.bookkeeping(move |l| Box::pin(async move { l.trim_rates(&rows, 50).await }));
    assert_eq!(trimmed.await, Ok(2));
}

pub(crate) async fn rates_are_trimmed_in_the_order_in_which_they_are_locked(store: TestStore) {
    // A deletion by itself finds the later one first.
    for n in [2, 1] {
        let added: Outcome<Vec<RateRow>> = store
            .store
            .bookkeeping(move |l| Box::pin(async move { l.lock_rates(&[rate(n, "a", 10)]).await }))
            .await;
        added.unwrap();
    }
    let (begun, is_begun) = oneshot::channel::<()>();
    let (go, waits) = oneshot::channel::<()>();
    let taker = store.store.clone();
    let takes = tokio::spawn(async move {
        let taken: Outcome = taker
            .bookkeeping(|l| {
                Box::pin(async move {
                    l.lock_rates(&[rate(1, "a", 10)]).await?;
                    let _ = begun.send(());
                    let _ = waits.await;
                    l.lock_rates(&[rate(2, "a", 10)]).await.map(|_| ())
                })
            })
            .await;
        taken
    });
    is_begun.await.unwrap();
    let trimmer = store.store.clone();
    let trims = tokio::spawn(async move {
        let trimmed: Outcome<usize> = trimmer
            .bookkeeping(|l| {
                Box::pin(async move { l.trim_rates(&[rate(1, "a", 10), rate(2, "a", 10)], 50).await })
            })
            .await;
        trimmed
    });
    wait_for_one_that_waits(&store).await;
    go.send(()).unwrap();
    assert_eq!(takes.await.unwrap(), Ok(()));
    assert_eq!(trims.await.unwrap(), Ok(2));
}

/// Until somebody waits for a lock on PostgreSQL. On SQLite writers take turns, and nobody waits within one.
async fn wait_for_one_that_waits(store: &TestStore) {
    let Database::Postgres(url) = &store.database else { return };
    let mut session = PgConnection::connect(url).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let (waiting,): (i64,) = sqlx::query_as(waiting).fetch_one(&mut session).await.unwrap();
        if waiting > 0 {
            return;
        }
    }
}

pub(crate) async fn one_node_at_most_counts_alone(store: TestStore) {
    assert_eq!(read(&store).await.counting_node().await, Ok(None));
    let mut taking = tokio::task::JoinSet::new();
    for n in 1..=8 {
        let store = store.store.clone();
        taking.spawn(async move {
            let taken: Outcome<bool> = store
                .bookkeeping(move |l| {
                    Box::pin(async move {
                        let free = l.lock_counting_node().await?.is_none();
                        if free {
                            l.set_counting_node(Some(NodeId([n; 16]))).await?;
                        }
                        Ok(free)
                    })
                })
                .await;
            taken.unwrap()
        });
    }
    let taken = taking.join_all().await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
    let cleared: Outcome =
        store.store.bookkeeping(|l| Box::pin(async move { l.set_counting_node(None).await })).await;
    cleared.unwrap();
    assert_eq!(read(&store).await.counting_node().await, Ok(None));
}
