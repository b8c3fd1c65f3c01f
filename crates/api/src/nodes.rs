//! Nodes: the servers that share one database.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its id, `node_…`, drawn at its start.
    pub id: String,
    /// Its host and the address that it listens on.
    pub name: String,
    /// Which Keystead it runs.
    pub version: String,
    /// When it started, by its own clock.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub started_at: Timestamp,
    /// When it was last there, by its own clock. Rows of nodes that are gone vanish after a minute.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub seen_at: Timestamp,
    /// Up to which row of the change feed it knew of everything when it was last there.
    pub feed_mark: i64,
    /// How many rows of the change feed the furthest node was ahead of it.
    pub feed_behind: i64,
    /// Whether it is the one that answers.
    pub is_this: bool,
}
