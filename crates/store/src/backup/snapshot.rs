//! What a PostgreSQL snapshot sees: exactly which transactions' rows a backup has. A clock could
//! not tell: of two nodes' changes around the backup's instant, the older one must not win because
//! only its log was given.

use super::fault::BackupError;
use crate::conn::{Conn, Engine};
use crate::error::StoreError;
use std::collections::BTreeSet;

/// As `pg_current_snapshot()` tells it: `xmin:xmax:xip,xip,…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// No transaction from this on was seen.
    end: i64,
    /// Transactions before it that had not ended.
    running: BTreeSet<i64>,
}

impl Snapshot {
    pub(super) fn parse(text: &str) -> Result<Self, BackupError> {
        let damaged = || BackupError::Damaged("its snapshot cannot be read");
        let mut parts = text.splitn(3, ':').skip(1);
        let end = parts.next().and_then(|end| end.parse().ok()).ok_or_else(damaged)?;
        let running = parts.next().ok_or_else(damaged)?.split(',').filter(|part| !part.is_empty());
        let running: Result<BTreeSet<i64>, _> = running.map(str::parse).collect();
        Ok(Self { end, running: running.map_err(|_| damaged())? })
    }

    pub(super) fn sees(&self, transaction: i64) -> bool {
        transaction < self.end && !self.running.contains(&transaction)
    }
}

/// The snapshot of a PostgreSQL transaction; `None` on SQLite, whose one writer needs none.
pub(super) async fn snapshot(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    let Engine::Postgres(connection) = &mut conn.engine else { return Ok(None) };
    let found: Result<(String,), _> =
        sqlx::query_as("SELECT pg_current_snapshot()::text").fetch_one(&mut **connection).await;
    conn.after(found).map(|(snapshot,)| Some(snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_what_had_ended_before_it() {
        let snapshot = Snapshot::parse("10:20:10,14,19").unwrap();
        let seen: Vec<i64> = (8..23).filter(|transaction| snapshot.sees(*transaction)).collect();
        assert_eq!(seen, [8, 9, 11, 12, 13, 15, 16, 17, 18]);
        assert!(Snapshot::parse("10:10:").unwrap().sees(9));
        for text in ["", "10", "10:20", "10:x:", "10:20:1,x"] {
            assert!(Snapshot::parse(text).is_err(), "{text}");
        }
    }
}
