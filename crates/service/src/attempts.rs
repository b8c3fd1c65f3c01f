//! Refusals of keys that could not be tied to one: what brute force looks like.

use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::json;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Page, PageQuery, UnknownKeyAttempts};
use keystead_domain::ids::EnvironmentId;
use keystead_domain::invalid::Invalid;
use keystead_store::UnknownAttemptsRow;
use std::cmp::Reverse;
use std::sync::Arc;

impl Keystead {
    /// The unknown keys that were tried at a project, the latest first. They are few (a row for each
    /// environment and code), so that one page holds all of them and a cursor is refused.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see its keys.
    pub async fn unknown_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<UnknownKeyAttempts>, Refused> {
        let project = self.enter(caller, management::KEYS_READ, project).await?;
        Cut::<16>::read(query.limit, None)?;
        if query.cursor.is_some() {
            return Err(Invalid::new("/cursor", "This list has one page.", "Leave the cursor out.").into());
        }
        let mut rows = self.store.read().await?.unknown_attempts(project.organization, project.id).await?;
        rows.sort_by_key(|row| Reverse(row.last_at));
        let items = rows.into_iter().map(|row| self.attempts(row));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor: None })
    }

    fn attempts(&self, row: UnknownAttemptsRow) -> Result<UnknownKeyAttempts, Refused> {
        let named = row.environment_id != EnvironmentId([0; 16]);
        let place = self.keyring.directory.place_by_id(row.environment_id);
        // An environment that is gone keeps its id.
        let slug = place.map_or_else(|| row.environment_id.to_string(), |place| place.slug.to_string());
        Ok(UnknownKeyAttempts {
            environment: named.then_some(slug),
            code: row.code,
            count: u64::try_from(row.count).unwrap_or_default(),
            first_at: row.first_at.to_timestamp(),
            last_at: row.last_at.to_timestamp(),
            networks: json(&row.body)?,
        })
    }
}
