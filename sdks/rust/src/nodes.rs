//! The servers that share one database; for the installation's operator.

use crate::{Client, Error};
use keystead_api::{Node, Page};

impl Client {
    /// The nodes, the oldest first, all in one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_nodes(&self) -> Result<Page<Node>, Error> {
        self.get(&["v1", "nodes"], &()).await
    }
}
