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

impl Ledger {
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
