//! A connection to either engine, and the one place where a statement meets a driver. What can be
//! read hangs on [`Conn`], what may be written on [`Ledger`] or [`Tx`]: see each table's file.

use crate::error::StoreError;
use crate::later::{Joined, Later};
use crate::log::Touched;
use crate::statement::{Filtered, Statement};
use crate::value::Value;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// How long PostgreSQL gets to answer a statement: longer than its own `statement_timeout`, so that
/// only a server or a network that is silent is given up.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(12);

/// That nothing came back.
pub(crate) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// The answer of the database, or that none came in time. A file's comes always.
pub(crate) async fn answered<T>(
    on_postgres: bool,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    if !on_postgres {
        return answer.await;
    }
    tokio::time::timeout(ANSWER_TIME_MAX, answer).await.unwrap_or_else(|_| Err(no_answer()))
}

/// The driver's connection.
pub(crate) enum Engine {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Expands one typed body for each driver; in it, `$connection` is that driver's connection.
macro_rules! on_engine {
    ($conn:expr, $connection:ident => $body:expr) => {
        match &mut $conn.engine {
            $crate::conn::Engine::Sqlite(connection) => {
                let $connection = &mut **connection;
                $body
            }
            $crate::conn::Engine::Postgres(connection) => {
                let $connection = &mut **connection;
                $body
            }
        }
    };
}
pub(crate) use on_engine;

macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(*value),
                Value::Text(value) => query.bind(*value),
                Value::Bytes(value) => query.bind(*value),
                Value::Owner(value) => query.bind(value.as_slice()),
                Value::Bool(value) => query.bind(*value),
            };
        }
        query
    }};
}

/// A row that both drivers can read.
pub(crate) trait AnyRow:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> AnyRow for T {}

/// A connection, for reading.
pub struct Conn {
    pub(crate) engine: Engine,
    /// In a transaction: the first statement that failed. After it nothing more runs and the
    /// transaction is rolled back, on both engines alike. PostgreSQL would answer a COMMIT after
    /// a swallowed error with a silent rollback; SQLite may have ended the transaction already.
    failed: Option<StoreError>,
    in_transaction: bool,
    later: Later,
    joined: Joined,
    /// Rows that were written and that the log beside the database must have.
    touched: Vec<Touched>,
}

impl Conn {
    pub(crate) fn new(engine: Engine, in_transaction: bool) -> Self {
        Self {
            engine,
            failed: None,
            in_transaction,
            later: Later::default(),
            joined: Joined::default(),
            touched: Vec::new(),
        }
    }

    pub(crate) const fn is_on_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Remembers a row that this transaction has written, and so locked, for the log beside the database.
    pub(crate) fn touch(&mut self, table: &'static str, target: impl AsRef<[u8]>) {
        self.touched.push(Touched { table, target: target.as_ref().to_vec() });
    }

    /// Takes what was written since the last call.
    pub(crate) fn take_touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// How many rows were written so far.
    pub(crate) fn touched(&self) -> usize {
        self.touched.len()
    }

    /// Forgets the rows that were written after the first so many.
    pub(crate) fn forget_touched(&mut self, kept: usize) {
        self.touched.truncate(kept);
    }

    /// Takes what failed since the last call. What still waits to be written is forgotten.
    pub(crate) fn take_failure(&mut self) -> Option<StoreError> {
        self.later = Later::default();
        self.joined = Joined::default();
        self.failed.take()
    }

    /// Runs a statement whose answer nobody needs, together with the next one that must be answered where it can:
    /// what it fails for is told then, or at [`Self::flush`].
    pub(crate) async fn later<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<(), StoreError> {
        if self.is_on_postgres() {
            return self.later_on_postgres(statement, values).await;
        }
        self.before(&[statement.sql()])?;
        let added = self.later.add(statement, &values).map_err(sqlx::Error::Encode);
        self.after(added)?;
        if self.later.is_full() { self.flush().await } else { Ok(()) }
    }

    async fn later_on_postgres<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<(), StoreError> {
        if !Joined::takes(statement.sql()) {
            return self.execute(statement, values).await.map(|_| ());
        }
        if !self.joined.has_room_for(statement.sql()) {
            self.flush().await?;
        }
        self.before(&[statement.sql()])?;
        let added = self.joined.add(statement, &values).map_err(sqlx::Error::Encode);
        self.after(added)
    }

    /// Runs what waits to be written.
    pub(crate) async fn flush(&mut self) -> Result<(), StoreError> {
        if self.later.is_empty() && self.joined.is_empty() {
            return Ok(());
        }
        // Only constant texts were joined: see `Later` and `Joined`.
        let result = match &mut self.engine {
            Engine::Sqlite(connection) => {
                let (sql, arguments) = self.later.take();
                let run = sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut **connection);
                run.await.map(|_| ())
            }
            Engine::Postgres(connection) => {
                let (sql, arguments) = self.joined.take();
                let run = sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut **connection);
                answered(true, run).await.map(|_| ())
            }
        };
        self.after(result)
    }

    /// Refuses after a failure in this transaction.
    pub(crate) fn before(&self, texts: &[&'static str]) -> Result<(), StoreError> {
        #[cfg(feature = "testing")]
        if let Ok(mut ran) = crate::statement::RAN.lock() {
            let on_postgres = self.is_on_postgres();
            ran.extend(texts.iter().map(|text| (on_postgres, *text)));
        }
        #[cfg(not(feature = "testing"))]
        let _ = texts;
        self.failed.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn after<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            if matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_)) {
                crate::transaction::discard(self);
            }
            let error = StoreError::from(error);
            if self.in_transaction {
                self.failed.get_or_insert_with(|| error.clone());
            }
            error
        })
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<u64, StoreError> {
        self.flush().await?;
        self.before(&[statement.sql()])?;
        let result = answered(self.is_on_postgres(), async {
            on_engine!(self, connection => {
                bind!(sqlx::query(statement.sql()), &values)
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected())
            })
        })
        .await;
        self.after(result)
    }

    /// Runs a statement that writes a row which the log beside the database has; `false` when it found
    /// none. Such a row is not locked: what is read of it may be older than what another node is about
    /// to commit, and the log would have it as the newer.
    pub(crate) async fn write<const N: usize>(
        &mut self,
        table: &'static str,
        target: &[u8],
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<bool, StoreError> {
        let written = self.execute(statement, values).await? > 0;
        if written {
            self.touch(table, target);
        }
        Ok(written)
    }

    /// Every row of a statement.
    pub(crate) async fn rows<R: AnyRow, const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<Vec<R>, StoreError> {
        self.flush().await?;
        self.before(&[statement.sql()])?;
        self.fetch(statement.sql().into_sql_str(), &values).await
    }

    /// The one row of a statement, or none.
    pub(crate) async fn row<R: AnyRow, const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<Option<R>, StoreError> {
        self.flush().await?;
        self.before(&[statement.sql()])?;
        let result = answered(self.is_on_postgres(), async {
            on_engine!(self, connection => {
                bind!(sqlx::query_as::<_, R>(statement.sql()), &values).fetch_optional(connection).await
            })
        })
        .await;
        self.after(result)
    }

    /// The number that a counting statement answers.
    pub(crate) async fn number<const N: usize>(
        &mut self,
        statement: &Statement<N>,
        values: [Value<'_>; N],
    ) -> Result<i64, StoreError> {
        self.row::<(i64,), N>(statement, values).await.map(|row| row.map_or(0, |(number,)| number))
    }

    /// Every row of a filtered list.
    pub(crate) async fn filtered<R: AnyRow>(&mut self, filtered: Filtered<'_>) -> Result<Vec<R>, StoreError> {
        self.flush().await?;
        self.before(filtered.fragments())?;
        // Only constant fragments and numbers were joined: see `Filtered`.
        self.fetch(AssertSqlSafe(filtered.sql()).into_sql_str(), filtered.values()).await
    }

    async fn fetch<R: AnyRow>(&mut self, sql: SqlStr, values: &[Value<'_>]) -> Result<Vec<R>, StoreError> {
        let result = answered(self.is_on_postgres(), async {
            on_engine!(self, connection => {
                bind!(sqlx::query_as::<_, R>(sql), values).fetch_all(connection).await
            })
        })
        .await;
        self.after(result)
    }
}

/// A connection that only reads.
pub struct Reader(pub(crate) Conn);

/// A transaction that reaches only what no person decides: meters and rates, what was seen, unknown
/// attempts, the feed's tail, kept answers, nodes, jobs and log sessions, notices, when sessions were used, who
/// was wrong how often, sign-ins and ceremonies of passkeys under way, requests for approvals that are over, policies that no key has, the audit's tree and what retention deletes of it, values of the installation that are decided once, and sealed values, which are the same sealed
/// anew.
pub struct Ledger(pub(crate) Conn);

/// A transaction for an act: everything may be written, and an audit record must be left.
pub struct Tx(pub(crate) Ledger);

macro_rules! derefs {
    ($($outer:ty => $inner:ty),*) => {$(
        impl Deref for $outer {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl DerefMut for $outer {
            fn deref_mut(&mut self) -> &mut $inner {
                &mut self.0
            }
        }
    )*};
}

derefs!(Reader => Conn, Ledger => Conn, Tx => Ledger);
