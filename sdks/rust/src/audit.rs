//! The audit: who did what, when, from where.

use crate::{Client, Error};
use keystead_api::{AuditQuery, AuditRecord, Page};

impl Client {
    /// Records that match, newest first, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_audit(&self, query: &AuditQuery) -> Result<Page<AuditRecord>, Error> {
        self.get(&["v1", "audit"], query).await
    }
}
