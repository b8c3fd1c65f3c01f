//! The server's audit, read through its API: what is new since the last look, and all of it.

use anyhow::Result;
use keystead_sdk::api::{AuditQuery, AuditRecord};
use keystead_sdk::{Client, list_all};
use std::collections::HashSet;

/// More records than any run leaves.
const RECORDS_MAX: usize = 100_000_000;
const PAGE: u32 = 500;

/// The ids of the records that were read.
#[derive(Debug, Default)]
pub(crate) struct Audit(HashSet<String>);

impl Audit {
    /// Records that were not read before. All of them are newer than those that were: the server was
    /// dead in between.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn news(&mut self, client: &Client) -> Result<Vec<AuditRecord>> {
        let mut news = Vec::new();
        let mut cursor = None;
        loop {
            let query = AuditQuery { limit: Some(PAGE), cursor: cursor.take(), ..AuditQuery::default() };
            let page = client.list_audit(&query).await?;
            let reached = page.items.iter().any(|record| self.0.contains(&record.id));
            news.extend(page.items.into_iter().filter(|record| !self.0.contains(&record.id)));
            cursor = page.next_cursor;
            if reached || cursor.is_none() {
                break;
            }
        }
        self.0.extend(news.iter().map(|record| record.id.clone()));
        Ok(news)
    }

    /// Reads everything again: records that are gone, and records that came late.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn whole(&self, client: &Client) -> Result<Vec<String>> {
        let all = list_all(RECORDS_MAX, async |page| {
            let query = AuditQuery { limit: page.limit, cursor: page.cursor, ..AuditQuery::default() };
            client.list_audit(&query).await
        })
        .await?;
        let now: HashSet<String> = all.items.into_iter().map(|record| record.id).collect();
        let gone = self.0.difference(&now).map(|id| format!("audit record {id} was read once and is gone"));
        let late = now.difference(&self.0).map(|id| format!("audit record {id} came after a later one"));
        Ok(gone.chain(late).collect())
    }
}
