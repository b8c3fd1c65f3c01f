//! The audit: who did what, when, from where.

use crate::{Client, Error, Lines};
use keystead_api::{AuditCheckpoint, AuditExportLine, AuditQuery, AuditRecord, Page, PageQuery};

impl Client {
    /// Records that match, newest first, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_audit(&self, query: &AuditQuery) -> Result<Page<AuditRecord>, Error> {
        self.get(&["v1", "audit"], query).await
    }

    /// The signed checkpoints of the audit's tree, newest first, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_audit_checkpoints(&self, query: &PageQuery) -> Result<Page<AuditCheckpoint>, Error> {
        self.get(&["v1", "audit", "checkpoints"], query).await
    }

    /// Begins an export of the whole audit, with what is needed to verify it.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn export_audit(&self) -> Result<Lines<AuditExportLine>, Error> {
        self.lines(&["v1", "audit", "export"], &()).await
    }
}
