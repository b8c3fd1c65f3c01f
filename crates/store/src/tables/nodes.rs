//! Nodes: the processes that share a database.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::NodeId;
use keystead_domain::time::Micros;

row! {
    /// A node.
    #[derive(Debug)]
    NodeRow {
        /// Its id, drawn at its start.
        id: NodeId,
        /// What people call it: its host and address.
        name: String,
        /// Which Keystead it runs.
        version: String,
        /// When it started, by its own clock.
        started_at: Micros,
        /// When it was last there, by its own clock.
        seen_at: Micros,
        /// Counts its signs of life: who watches it needs no clock but its own.
        beat: i64,
        /// How far it has applied the feed.
        feed_mark: i64,
    }
}

macro_rules! columns {
    () => {
        "id, name, version, started_at, seen_at, beat, feed_mark"
    };
}

statements! {
    ALL(0) = concat!("SELECT ", columns!(), " FROM nodes ORDER BY started_at, id");
    PUT(7) = concat!(
        "INSERT INTO nodes (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7) ",
        "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, beat = excluded.beat, ",
        "feed_mark = excluded.feed_mark",
    );
    COUNTING(0) = "SELECT value FROM installation WHERE name = 'rates_counted_by'";
    // Writes nothing new, and so locks the row until the transaction's end on both engines.
    LOCK_COUNTING(0) =
        "UPDATE installation SET value = value WHERE name = 'rates_counted_by' RETURNING value";
    SET_COUNTING(1) = "UPDATE installation SET value = $1 WHERE name = 'rates_counted_by'";
    DELETE(2) = "DELETE FROM nodes WHERE id = $1 AND beat = $2";
}

impl Conn {
    /// Every node that has not left.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn nodes(&mut self) -> Result<Vec<NodeRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Conn {
    /// Which node counts rate limits alone, if one does.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn counting_node(&mut self) -> Result<Option<NodeId>, StoreError> {
        Ok(node(self.row(&COUNTING, []).await?))
    }
}

/// No node, where nothing or nonsense is written.
fn node(row: Option<(String,)>) -> Option<NodeId> {
    row.and_then(|(id,)| id.parse().ok())
}

impl Ledger {
    /// The same; it does not change before this transaction ends.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_counting_node(&mut self) -> Result<Option<NodeId>, StoreError> {
        Ok(node(self.row(&LOCK_COUNTING, []).await?))
    }

    /// Says which node counts rate limits alone.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn set_counting_node(&mut self, id: Option<NodeId>) -> Result<(), StoreError> {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        self.execute(&SET_COUNTING, [id.value()]).await.map(|_| ())
    }

    /// A node's sign of life.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_node(&mut self, row: &NodeRow) -> Result<(), StoreError> {
        self.execute(&PUT, row.values()).await.map(|_| ())
    }

    /// Takes a node off that gave no sign of life since this one; `false` when it did.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn remove_node(&mut self, id: NodeId, beat: i64) -> Result<bool, StoreError> {
        self.execute(&DELETE, [id.value(), beat.value()]).await.map(|rows| rows > 0)
    }
}
