//! Sessions: which process keeps a log beside the database, since when, and until when.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::time::Micros;

row! {
    /// A session.
    #[derive(Debug)]
    only_read LogSessionRow {
        /// Counts the sessions of one life of the database.
        number: i64,
        /// On which machine, by which file: for people.
        place: String,
        /// The log's id; none when no log is kept.
        log: Option<[u8; 16]>,
        /// When it began.
        began_at: Micros,
        /// When it ended, or was found to have.
        ended_at: Option<Micros>,
    }
}

statements! {
    ALL(0) = "SELECT number, place, log, began_at, ended_at FROM log_sessions ORDER BY number";
    OF_LOG_AFTER(2) = "SELECT number FROM log_sessions WHERE log = $1 AND number > $2 ORDER BY number";
    // Of two that begin at the same moment one meets the other's number, and tries again.
    BEGIN(3) = "INSERT INTO log_sessions (number, place, log, began_at) \
        SELECT coalesce(max(number), 0) + 1, $1, $2, $3 FROM log_sessions RETURNING number";
    END(2) = "UPDATE log_sessions SET ended_at = $1 WHERE number = $2";
    END_OF_LOG(2) = "UPDATE log_sessions SET ended_at = $1 WHERE log = $2 AND ended_at IS NULL";
    END_LEFT(3) = "UPDATE log_sessions SET ended_at = $1 \
        WHERE ended_at IS NULL AND ($2 OR (log IS NULL AND place = $3))";
    KEEP(1) = "UPDATE log_sessions SET ended_at = NULL WHERE number = $1 AND ended_at IS NOT NULL";
    FORGET(0) = "DELETE FROM log_sessions";
}

impl Conn {
    /// Every session, the first one first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn log_sessions(&mut self) -> Result<Vec<LogSessionRow>, StoreError> {
        self.rows(&ALL, []).await
    }

    /// The sessions of one log that came after one of them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(crate) async fn log_sessions_after(
        &mut self,
        log: [u8; 16],
        number: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(&OF_LOG_AFTER, [log.value(), number.value()]).await?;
        Ok(rows.into_iter().map(|(number,)| number).collect())
    }

    /// Deletes every session: another life of the database begins.
    pub(crate) async fn forget_log_sessions(&mut self) -> Result<(), StoreError> {
        self.execute(&FORGET, []).await.map(|_| ())
    }
}

impl Ledger {
    /// Begins a session; its number.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when another began at the same moment, or when the database cannot
    /// answer.
    pub async fn begin_log_session(
        &mut self,
        place: &str,
        log: Option<[u8; 16]>,
        at: Micros,
    ) -> Result<i64, StoreError> {
        self.number(&BEGIN, [Value::Text(Some(place)), log.value(), at.value()]).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_log_session(&mut self, number: i64, at: Micros) -> Result<(), StoreError> {
        self.execute(&END, [at.value(), number.value()]).await.map(|_| ())
    }

    /// Ends what an earlier process with the same log did not. Its file has one writer; a place has not:
    /// machines made from one image share a name and a path.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_log_sessions_of(&mut self, log: [u8; 16], at: Micros) -> Result<(), StoreError> {
        self.execute(&END_OF_LOG, [at.value(), log.value()]).await.map(|_| ())
    }

    /// Ends what else was left open by a process that is no more: a SQLite file has one owner, so that
    /// every earlier one is; on PostgreSQL those of this place that kept no log.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(crate) async fn end_log_sessions_left(&mut self, place: &str, at: Micros) -> Result<(), StoreError> {
        let all = Value::Bool(Some(!self.is_on_postgres()));
        self.execute(&END_LEFT, [at.value(), all, Value::Text(Some(place))]).await.map(|_| ())
    }

    /// Takes a session for open again, whose process lives; whether another had taken it for ended.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(crate) async fn keep_log_session(&mut self, number: i64) -> Result<bool, StoreError> {
        self.execute(&KEEP, [number.value()]).await.map(|rows| rows > 0)
    }
}
