//! Listing the nodes: the servers that share one database.

use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Node, Page};
use keystead_store::NodeRow;
use std::sync::Arc;

impl Keystead {
    /// The nodes that share the database, the oldest first, all in one page. For the installation's
    /// operator.
    ///
    /// # Errors
    /// When the caller is not the operator.
    pub async fn list_nodes(self: &Arc<Self>, caller: &Caller) -> Result<Page<Node>, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let mut rows = self.store.read().await?.nodes().await?;
        // The owner of a SQLite file gives nobody a sign of life.
        let own = self.own_row();
        rows.retain(|row| row.id != own.id);
        let at = rows.partition_point(|row| (row.started_at, row.id.0) < (own.started_at, own.id.0));
        let id = own.id;
        rows.insert(at, own);
        let furthest = rows.iter().map(|row| row.feed_mark).max().unwrap_or_default();
        let item = |row: NodeRow| Node {
            id: row.id.to_string(),
            is_this: row.id == id,
            name: row.name,
            version: row.version,
            started_at: row.started_at.to_timestamp(),
            seen_at: row.seen_at.to_timestamp(),
            feed_mark: row.feed_mark,
            feed_behind: furthest.saturating_sub(row.feed_mark),
        };
        Ok(Page { items: rows.into_iter().map(item).collect(), next_cursor: None })
    }
}
