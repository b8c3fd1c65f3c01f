//! Opening: one owner, a known schema.

use crate::world::*;
use keystead_domain::time::ManualClock;
use keystead_store::testing::{self, TestStore};
use keystead_store::*;
use sqlx::ConnectOptions;
use std::str::FromStr;
use std::sync::Arc;

async fn open(store: &TestStore) -> Result<Store, OpenError> {
    Store::open(store.options(), Arc::new(ManualClock::default())).await
}

/// Does what no Keystead does.
pub(crate) async fn tamper(store: &TestStore, sql: &str) {
    testing::tamper(&store.database, sql).await;
}

/// The texts that a question answers, one a row.
pub(crate) async fn ask(store: &TestStore, sql: &'static str) -> Vec<String> {
    ask_of(&store.database, sql).await
}

async fn ask_of(database: &Database, sql: &'static str) -> Vec<String> {
    let rows: Vec<(String,)> = match database {
        Database::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            sqlx::query_as(sql).fetch_all(&mut options.connect().await.unwrap()).await.unwrap()
        }
        Database::Postgres(url) => {
            let options = sqlx::postgres::PgConnectOptions::from_str(url).unwrap();
            sqlx::query_as(sql).fetch_all(&mut options.connect().await.unwrap()).await.unwrap()
        }
    };
    rows.into_iter().map(|(text,)| text).collect()
}

pub(crate) async fn files_are_for_their_owner_only(store: TestStore) {
    let Database::Sqlite(path) = &store.database else { return };
    settle(&store, 1).await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        }
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    let expected = ["keystead.db", "keystead.db-shm", "keystead.db-wal", "keystead.db.lock"];
    assert_eq!(names, expected);
}

pub(crate) async fn a_folder_that_is_not_there_is_named(store: TestStore) {
    let database = match &store.database {
        Database::Sqlite(path) => Database::Sqlite(path.join("missing/keystead.db")),
        Database::Postgres(_) => Database::Postgres("postgres://me:canary@127.0.0.1:9/none".into()),
    };
    let options = Options { database, readers: 1 };
    let refused = Store::open(options, Arc::new(ManualClock::default())).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused:?}");
    let shown = format!("{refused} {refused:?}");
    assert!(
        shown.contains(if shown.contains("postgres") { "127.0.0.1:9/none" } else { "missing" }),
        "{shown}"
    );
    assert!(!shown.contains("canary"), "{shown}");
}

pub(crate) async fn a_second_owner_of_a_file_is_refused_and_a_second_node_is_not(store: TestStore) {
    settle(&store, 1).await;
    if let Database::Sqlite(_) = &store.database {
        let refused = open(&store).await.unwrap_err();
        assert!(matches!(refused, OpenError::AlreadyOwned { .. }), "{refused:?}");
        assert!(refused.to_string().contains("Stop it first"), "{refused}");
        // Its refusal took nothing from the first.
        settle(&store, 2).await;
        store.store.close().await;
    }
    let second = open(&store).await.unwrap();
    assert!(second.read().await.unwrap().organization(org(1)).await.unwrap().is_some());
    second.close().await;
}

pub(crate) async fn a_newer_schema_is_refused_unless_it_says_that_this_one_works(store: TestStore) {
    settle(&store, 1).await;
    store.store.close().await;
    assert!(judged(&store).await.1, "its own schema");
    tamper(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1; \
         UPDATE installation SET value = '999' WHERE name = 'schema_oldest_binary'",
    )
    .await;
    let refused = open(&store).await.unwrap_err();
    assert!(matches!(refused, OpenError::NewerSchema { found: 999, .. }), "{refused:?}");
    assert_eq!(judged(&store).await, (Some(999), false));
    tamper(&store, "DELETE FROM installation WHERE name = 'schema_oldest_binary'").await;
    assert!(matches!(open(&store).await, Err(OpenError::NewerSchema { .. })));
    tamper(&store, "INSERT INTO installation (name, value) VALUES ('schema_oldest_binary', '1')").await;
    assert_eq!(judged(&store).await, (Some(999), true));
    let opened = open(&store).await.unwrap();
    assert!(opened.read().await.unwrap().organization(org(1)).await.unwrap().is_some());
    opened.close().await;
}

/// What a look tells of the schema: its number, and whether this binary works on it.
async fn judged(store: &TestStore) -> (Option<i64>, bool) {
    let inspection = inspect(&store.database).await.unwrap();
    (inspection.schema, inspection.accepted)
}
