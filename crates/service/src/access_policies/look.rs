//! Looking at policies, and at what they may speak about.

use super::language;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Page, Policy, PolicyQuery, PolicySchema};
use std::sync::Arc;

impl Keystead {
    /// The organization's policies, or those for a project, newest first.
    ///
    /// # Errors
    /// When the caller may not see them, or the query names what does not exist.
    pub async fn list_policies(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PolicyQuery,
    ) -> Result<Page<Policy>, Refused> {
        let project = self.project_for_policy(caller, query.project.as_deref())?;
        let resource = project.as_ref().map(|project| &*project.resource);
        self.authorise(caller, management::POLICIES_READ, resource).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let project = project.as_ref().map(|project| project.id);
        let rows = reader.access_policies(caller.organization(), project, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(self.show_access_policy(&row)))
    }

    /// One policy, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn policy(self: &Arc<Self>, caller: &Caller, named: &str) -> Result<Policy, Refused> {
        let row = self.access_policy_row(caller, management::POLICIES_READ, named).await?;
        Ok(self.show_access_policy(&row))
    }

    /// What policies may speak about, for everybody who can call.
    ///
    /// # Errors
    /// When the caller's key does not pass.
    pub async fn policy_schema(self: &Arc<Self>, caller: &Caller) -> Result<PolicySchema, Refused> {
        self.admit(caller).await?;
        Ok(PolicySchema { schema: language()?.schema().to_owned() })
    }
}
