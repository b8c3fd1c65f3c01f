//! The feed's reader on PostgreSQL: no change is skipped, none is given twice, and a reader that has
//! been left behind is told so. Without `KEYSTEAD_TEST_POSTGRES` these tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what is built here is built for the tests below"
)]

use keystead_domain::ids::{AuditId, OrganizationId};
use keystead_domain::time::Micros;
use keystead_store::testing::{POSTGRES_VARIABLE, START, TestStore, postgres};
use keystead_store::{Acted, AuditRow, Change, ChangeKind, Database, FeedReader, Polled, Store, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener};
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! on_postgres {
    ($($name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            match postgres().await {
                Some(store) => tests::$name(store).await,
                None => println!("not run: {POSTGRES_VARIABLE} is not set"),
            }
        }
    )*};
}

on_postgres! {
    lesson_12_a_late_committer_is_never_skipped,
    lesson_12_what_was_under_way_at_the_start_is_heard,
    a_change_that_was_rolled_back_holds_the_mark_for_a_moment_only,
    a_long_foreign_transaction_holds_no_row_back,
    rows_that_were_not_applied_are_given_again,
    a_reader_that_was_left_behind_by_the_trim_is_told,
    a_kind_that_only_a_newer_version_knows_is_passed_over,
    a_commit_wakes_the_others,
    only_what_this_very_store_wrote_is_its_own,
}

/// No row.
const NOTHING: [u8; 0] = [];

/// A session that does what no Keystead does.
async fn session(store: &TestStore) -> PgConnection {
    let Database::Postgres(url) = &store.database else { panic!("not on PostgreSQL") };
    PgConnectOptions::from_str(url).unwrap().connect().await.unwrap()
}

async fn run(session: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await.unwrap();
}

/// The statement of a change of the role with that number.
fn insert(n: u8) -> String {
    let hex = |n: u8| format!("{n:02x}").repeat(16);
    format!(
        "INSERT INTO feed (at, organization_id, kind, target) VALUES (0, '\\x{}', 'role', '\\x{}')",
        hex(1),
        hex(n)
    )
}

fn event() -> AuditRow {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    AuditRow {
        id: AuditId(id.to_be_bytes()),
        organization_id: OrganizationId([1; 16]),
        at: START,
        actor_kind: "system".to_owned(),
        actor_key: None,
        actor_owner: None,
        actor_member: None,
        actor_team: None,
        actor_session: None,
        actor_lineage: None,
        target_lineage: None,
        address: None,
        action: "test".to_owned(),
        target_kind: "test".to_owned(),
        target_id: "test".to_owned(),
        target_name: "test".to_owned(),
        project_id: None,
        before_body: None,
        after_body: None,
        request_id: None,
    }
}

/// Changes the role with that number, as a node does.
async fn change(store: &Store, n: u8) {
    let acted: Result<(), StoreError> = store
        .act(move |_| {
            let changes = vec![Change::new(OrganizationId([1; 16]), ChangeKind::Role, [n; 16])];
            Box::pin(async move { Ok(Acted { value: (), events: vec![event()], changes }) })
        })
        .await;
    acted.unwrap();
}

async fn reader(store: &TestStore) -> FeedReader {
    store.store.feed_reader().await.unwrap().unwrap()
}

/// The numbers of the changed roles that one poll gives.
async fn poll(reader: &mut FeedReader) -> Vec<u8> {
    let Polled::Rows { rows, more } = reader.poll().await.unwrap() else { panic!("lost") };
    assert!(!more);
    rows.iter().map(|row| *row.target.first().unwrap()).collect()
}

/// The same, applied.
async fn next(reader: &mut FeedReader) -> Vec<u8> {
    let found = poll(reader).await;
    reader.applied();
    found
}

/// Polls, and finds nothing, until the mark is there: transactions of other tests hold it back too.
async fn until_mark(reader: &mut FeedReader, mark: i64) {
    while reader.mark() < mark {
        assert_eq!(next(reader).await, NOTHING);
        reader.wait().await;
    }
    assert_eq!(reader.mark(), mark);
}

mod tests {
    use super::*;

    pub(super) async fn lesson_12_a_late_committer_is_never_skipped(store: TestStore) {
        let mut reader = reader(&store).await;
        let mut late = session(&store).await;
        run(&mut late, &format!("BEGIN; {}", insert(1))).await;
        change(&store.store, 2).await;
        change(&store.store, 3).await;
        assert_eq!(next(&mut reader).await, [2, 3], "they do not wait for the one before them");
        let mark = reader.mark();
        for _ in 0..3 {
            assert_eq!(next(&mut reader).await, NOTHING);
            assert_eq!(reader.mark(), mark, "what has not committed may still come");
        }
        run(&mut late, "COMMIT").await;
        assert_eq!(next(&mut reader).await, [1]);
        assert_eq!(reader.mark(), mark + 3);
        assert_eq!(next(&mut reader).await, NOTHING);
    }

    pub(super) async fn lesson_12_what_was_under_way_at_the_start_is_heard(store: TestStore) {
        let mut late = session(&store).await;
        change(&store.store, 1).await;
        run(&mut late, &format!("BEGIN; {}", insert(2))).await;
        change(&store.store, 3).await;
        let mut reader = reader(&store).await;
        assert_eq!(next(&mut reader).await, NOTHING, "what was committed before is loaded, not read");
        run(&mut late, "COMMIT").await;
        assert_eq!(next(&mut reader).await, [2]);
    }

    pub(super) async fn a_change_that_was_rolled_back_holds_the_mark_for_a_moment_only(store: TestStore) {
        let mut reader = reader(&store).await;
        let mut undone = session(&store).await;
        run(&mut undone, &format!("BEGIN; {}; ROLLBACK", insert(1))).await;
        change(&store.store, 2).await;
        assert_eq!(next(&mut reader).await, [2]);
        let mark = reader.mark();
        until_mark(&mut reader, mark + 2).await;
    }

    pub(super) async fn a_long_foreign_transaction_holds_no_row_back(store: TestStore) {
        let mut reader = reader(&store).await;
        let (mut foreign, mut undone) = (session(&store).await, session(&store).await);
        run(&mut foreign, "BEGIN; SELECT pg_current_xact_id()").await;
        run(&mut undone, &format!("BEGIN; {}; ROLLBACK", insert(1))).await;
        let before = reader.mark();
        for n in 2..6 {
            change(&store.store, n).await;
            assert_eq!(next(&mut reader).await, [n], "each of them once, at once");
        }
        assert_eq!(reader.mark(), before, "nobody can tell that the first number never comes");
        run(&mut foreign, "COMMIT").await;
        until_mark(&mut reader, before + 5).await;
    }

    pub(super) async fn rows_that_were_not_applied_are_given_again(store: TestStore) {
        let mut reader = reader(&store).await;
        change(&store.store, 1).await;
        assert_eq!(poll(&mut reader).await, [1]);
        change(&store.store, 2).await;
        assert_eq!(next(&mut reader).await, [1, 2]);
        assert_eq!(next(&mut reader).await, NOTHING);
    }

    pub(super) async fn a_reader_that_was_left_behind_by_the_trim_is_told(store: TestStore) {
        let (mut behind, mut reader) = (reader(&store).await, reader(&store).await);
        for n in 1..4 {
            change(&store.store, n).await;
        }
        assert_eq!(next(&mut reader).await, [1, 2, 3]);
        let mark = reader.mark();
        let trim = async |up_to: i64| -> u64 {
            let trimmed: Result<u64, StoreError> = store
                .store
                .bookkeeping(move |ledger| {
                    Box::pin(async move { ledger.trim_feed(Micros(i64::MAX), up_to).await })
                })
                .await;
            trimmed.unwrap()
        };
        assert_eq!(trim(0).await, 0);
        assert_eq!(next(&mut behind).await, [1, 2, 3], "nothing is trimmed above the mark of who trims");
        change(&store.store, 4).await;
        assert_eq!(next(&mut reader).await, [4]);
        assert_eq!(trim(mark + 1).await, 4);
        assert!(matches!(behind.poll().await, Ok(Polled::Lost)));
        change(&store.store, 5).await;
        assert_eq!((next(&mut behind).await, next(&mut reader).await), (vec![5], vec![5]));
    }

    pub(super) async fn a_kind_that_only_a_newer_version_knows_is_passed_over(store: TestStore) {
        let mut reader = reader(&store).await;
        let unknown = insert(1).replace("role", "what comes later");
        run(&mut session(&store).await, &unknown).await;
        change(&store.store, 2).await;
        assert_eq!(next(&mut reader).await, [2]);
        assert_eq!(next(&mut reader).await, NOTHING);
    }

    pub(super) async fn a_commit_wakes_the_others(store: TestStore) {
        let Database::Postgres(url) = &store.database else { panic!("not on PostgreSQL") };
        let mut reader = reader(&store).await;
        let (schema,): (String,) =
            sqlx::query_as("SELECT current_schema()").fetch_one(&mut session(&store).await).await.unwrap();
        let mut other = PgListener::connect(url).await.unwrap();
        other.listen(&format!("keystead_{schema}")).await.unwrap();
        change(&store.store, 1).await;
        let waiting = async {
            loop {
                reader.wait().await;
            }
        };
        tokio::select! {
            () = waiting => {}
            woken = other.recv() => assert_eq!(woken.unwrap().payload(), ""),
        }
    }

    pub(super) async fn only_what_this_very_store_wrote_is_its_own(store: TestStore) {
        let mut reader = reader(&store).await;
        let other = Store::open(store.options(), store.clock.clone()).await.unwrap();
        change(&store.store, 1).await;
        change(&other, 2).await;
        // An older binary names no origin.
        run(&mut session(&store).await, &insert(3)).await;
        let Polled::Rows { rows, .. } = reader.poll().await.unwrap() else { panic!("lost") };
        let own: Vec<bool> = rows.iter().map(|row| reader.is_own(row)).collect();
        assert_eq!(own, [true, false, false]);
        other.close().await;
    }
}
