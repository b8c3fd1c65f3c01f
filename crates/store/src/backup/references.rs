//! References between rows, out of the way while rows come in any order, and checked at the end.

use super::fault::BackupError;
use crate::conn::{Conn, Engine};
use crate::error::StoreError;
use sqlx::AssertSqlSafe;

const EVERY: &str = "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) \
    FROM pg_constraint WHERE contype = 'f' \
    AND connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";

/// What was taken out of the way: PostgreSQL's constraints, by table, name and definition. They
/// come back in the same transaction. SQLite's are switched off with the connection.
pub(super) struct References(Vec<(String, String, String)>);

impl References {
    pub(super) async fn off(conn: &mut Conn) -> Result<Self, BackupError> {
        let Engine::Postgres(connection) = &mut conn.engine else {
            return Ok(Self(Vec::new()));
        };
        let every: Vec<(String, String, String)> = sqlx::query_as(EVERY).fetch_all(&mut **connection).await?;
        for (table, name, _) in &every {
            let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut **connection).await?;
        }
        Ok(Self(every))
    }

    /// Puts them back, and checks every row.
    pub(super) async fn on(&self, conn: &mut Conn) -> Result<(), BackupError> {
        match &mut conn.engine {
            Engine::Sqlite(connection) => {
                let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut **connection).await?;
                if broken.is_empty() { Ok(()) } else { Err(BackupError::Inconsistent) }
            }
            Engine::Postgres(connection) => {
                for (table, name, definition) in &self.0 {
                    let sql = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}");
                    let added = sqlx::query(AssertSqlSafe(sql)).execute(&mut **connection).await;
                    added.map_err(|error| match StoreError::from(error) {
                        StoreError::Referenced => BackupError::Inconsistent,
                        other => other.into(),
                    })?;
                }
                Ok(())
            }
        }
    }
}
