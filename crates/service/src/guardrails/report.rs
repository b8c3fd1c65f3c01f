//! Which keys that exist are other than the guardrails allow.

use super::enforce::guard_of;
use super::judge::Judge;
use crate::Keystead;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present;
use crate::refused::Refused;
use crate::{find_keys, management};
use keystead_api::{GuardrailViolation, Page, PageQuery, ViolatingKey};
use keystead_domain::cells::ProjectCell;
use keystead_domain::guardrails::{Guard, new_or_worse};
use keystead_domain::ids::OwnerId;
use keystead_store::{KeyFilter, KeyRow, Reader};
use std::sync::Arc;

/// Keys read at once.
pub(super) const CHUNK: u32 = 1_000;
/// Keys looked at for one page: a page may hold fewer than asked, and say where the next begins.
const SCAN_MAX: usize = 20_000;

impl Keystead {
    /// A project's keys, neither revoked nor expired, that violate a guardrail now; newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see its keys.
    pub async fn guardrails_report(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<ViolatingKey>, Refused> {
        let project = self.enter(caller, management::KEYS_READ, project).await?;
        let cut = Cut::<12>::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let guard = guard_of(&mut reader, &project).await?;
        self.scan(&mut reader, &project, &guard, &cut).await
    }

    async fn scan(
        &self,
        reader: &mut Reader,
        project: &ProjectCell,
        guard: &Guard,
        cut: &Cut<12>,
    ) -> Result<Page<ViolatingKey>, Refused> {
        let now = self.clock.now();
        let filter = KeyFilter::of(project.organization, project.id, now);
        let mut judge = Judge::new(guard.counts_keys(), now);
        let mut after = find_keys::after(cut)?;
        let (mut items, mut page_end, mut looked_at) = (Vec::new(), after, 0_usize);
        loop {
            let rows = reader.find_keys(&filter, after, CHUNK).await?;
            let is_last = rows.len() < CHUNK as usize;
            looked_at = looked_at.saturating_add(rows.len());
            for (row, _) in rows {
                after = Some((row.created_at, row.id));
                let found = judge.on(self, reader, &row, |facts| guard.violations(facts)).await?;
                let mut violations = new_or_worse(&[], found);
                if violations.iter().any(|one| one.guardrail.is_approval())
                    && reader.is_approved(row.organization_id, row.lineage_id).await?
                {
                    violations.retain(|one| !one.guardrail.is_approval());
                }
                if violations.is_empty() {
                    continue;
                }
                if items.len() == cut.limit() {
                    return Ok(Page { items, next_cursor: page_end.map(find_keys::cursor) });
                }
                items.push(self.violating(&row, violations)?);
                page_end = after;
            }
            if is_last {
                return Ok(Page { items, next_cursor: None });
            }
            if looked_at >= SCAN_MAX {
                let end = if items.len() == cut.limit() { page_end } else { after };
                return Ok(Page { items, next_cursor: end.map(find_keys::cursor) });
            }
        }
    }

    fn violating(&self, row: &KeyRow, violations: Vec<GuardrailViolation>) -> Result<ViolatingKey, Refused> {
        let directory = &self.keyring.directory;
        let missing = |what| Refused::Internal(format!("{} refers to a missing {what}", row.id));
        let place = directory.place_by_id(row.environment_id).ok_or_else(|| missing("environment"))?;
        let owner = directory.principal(row.owner).ok_or_else(|| missing("owner"))?;
        let consumer = match row.consumer_id {
            Some(id) => Some(directory.principal(OwnerId::Consumer(id)).ok_or_else(|| missing("consumer"))?),
            None => None,
        };
        Ok(ViolatingKey {
            id: row.id.to_string(),
            name: row.name.clone(),
            start: row.start.clone(),
            environment: place.slug.to_string(),
            kind: super::enforce::kind_of(&row.kind)?,
            owner: present::owner(&owner),
            consumer: consumer.as_deref().map(present::consumer),
            created_at: row.created_at.to_timestamp(),
            expires_at: row.expires_at.map(keystead_domain::time::Micros::to_timestamp),
            violations,
        })
    }
}
