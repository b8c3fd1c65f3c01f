//! Fresh throw-away stores for tests: a SQLite file in a folder of its own, and a schema of its own
//! in the PostgreSQL database that `KEYSTEAD_TEST_POSTGRES` names, when it names one.
#![allow(clippy::expect_used, reason = "a test that cannot have its store must fail, and say why")]

use crate::statement::RAN;
use crate::{Database, Options, Store};
use keystead_domain::time::{Clock, ManualClock, Micros};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Names the PostgreSQL database: a URL whose user may create schemas in it.
pub const POSTGRES_VARIABLE: &str = "KEYSTEAD_TEST_POSTGRES";

/// Connections that read, of each store.
const READERS: u32 = 4;

/// Where the clock of each store stands at first: 2026-01-01T00:00:00Z.
pub const START: Micros = Micros(1_767_225_600_000_000);

/// A store that goes when it is dropped.
#[derive(Debug)]
pub struct TestStore {
    /// The store.
    pub store: Store,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Where it is: to open it again.
    pub database: Database,
    _place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(#[expect(dead_code, reason = "the folder goes when this is dropped")] tempfile::TempDir),
    Schema { url: String, name: String },
}

impl TestStore {
    /// Opens the same database again; the store before must be closed.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        self.store = open(&self.database, &self.clock).await;
    }

    /// The options that it was opened with.
    #[must_use]
    pub fn options(&self) -> Options {
        Options { database: self.database.clone(), readers: READERS }
    }
}

async fn open(database: &Database, clock: &Arc<ManualClock>) -> Store {
    let options = Options { database: database.clone(), readers: READERS };
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Store::open(options, clock).await.expect("a fresh store opens")
}

/// A place where nothing is yet, and which goes when it is dropped.
#[derive(Debug)]
pub struct TestPlace {
    /// Where it is.
    pub database: Database,
    _place: Place,
}

/// An empty place on each engine that is at hand.
pub async fn empty_places() -> Vec<TestPlace> {
    let mut places = Vec::new();
    for (database, _place) in [Some(new_folder()), new_schema().await].into_iter().flatten() {
        places.push(TestPlace { database, _place });
    }
    places
}

/// A store on each engine that is at hand.
pub async fn stores() -> Vec<TestStore> {
    let mut stores = vec![sqlite().await];
    stores.extend(postgres().await);
    stores
}

/// A store in a new file.
pub async fn sqlite() -> TestStore {
    let (database, place) = new_folder();
    finish(database, place).await
}

fn new_folder() -> (Database, Place) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (Database::Sqlite(folder.path().join("keystead.db")), Place::Folder(folder))
}

/// A store in a new schema, when [`POSTGRES_VARIABLE`] is set.
pub async fn postgres() -> Option<TestStore> {
    let (database, place) = new_schema().await?;
    Some(finish(database, place).await)
}

async fn new_schema() -> Option<(Database, Place)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var(POSTGRES_VARIABLE).ok()?;
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&url, format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
    let separator = if url.contains('?') { '&' } else { '?' };
    let database = Database::Postgres(format!("{url}{separator}options[search_path]={name}"));
    Some((database, Place::Schema { url, name }))
}

async fn finish(database: Database, place: Place) -> TestStore {
    let clock = Arc::new(ManualClock::new(START));
    let store = open(&database, &clock).await;
    TestStore { store, clock, database, _place: place }
}

async fn run(url: &str, sql: String) {
    let options = PgConnectOptions::from_str(url).expect("the URL in KEYSTEAD_TEST_POSTGRES");
    let mut connection = options.connect().await.expect("the server in KEYSTEAD_TEST_POSTGRES");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("its user may create schemas, and the SQL runs");
    connection.close().await.expect("a connection closes");
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Schema { url, name } = self else {
            return;
        };
        let (url, sql) = (std::mem::take(url), format!("DROP SCHEMA IF EXISTS {name} CASCADE"));
        // A runtime of its own: the test's may be ending, and cannot be waited for here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(run(&url, sql));
            }
        });
        // A schema that stays behind is no failure of the test.
        let _ = dropped.join();
    }
}

/// Does to a database what no Keystead does.
pub async fn tamper(database: &Database, sql: &str) {
    match database {
        Database::Sqlite(path) => {
            let options = SqliteConnectOptions::new().filename(path);
            let mut connection = options.connect().await.expect("the file opens");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the SQL runs");
            connection.close().await.expect("a connection closes");
        }
        Database::Postgres(url) => run(url, sql.to_owned()).await,
    }
}

/// Every statement and fragment that the store declares.
#[must_use]
pub fn declared() -> BTreeSet<&'static str> {
    crate::tables::declared().into_iter().collect()
}

/// Every statement and fragment that ran in this process on one engine.
#[must_use]
pub fn ran(on_postgres: bool) -> BTreeSet<&'static str> {
    let ran = RAN.lock().expect("no test panics while it records");
    ran.iter().filter(|(postgres, _)| *postgres == on_postgres).map(|(_, sql)| *sql).collect()
}
