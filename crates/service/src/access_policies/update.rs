//! Changing a policy.

use super::{change, named, taken, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{Policy, UpdatePolicy};
use keystead_domain::name;
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// Changes a policy; what it says holds for the next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the text is no policy, the name is taken, or the version is
    /// another.
    pub async fn update_policy(
        self: &Arc<Self>,
        caller: &Caller,
        policy: &str,
        input: UpdatePolicy,
        if_match: Option<i64>,
    ) -> Result<Policy, Refused> {
        let before = self.access_policy_row(caller, management::POLICIES_WRITE, policy).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        if let Some(new) = input.name {
            named("/name", &new)?;
            row.name = new;
        }
        if let Some(description) = input.description {
            name::description("/description", &description)?;
            row.description = description;
        }
        row.body = input.text.unwrap_or(row.body);
        row.enabled = input.enabled.unwrap_or(row.enabled);
        if row == before {
            return Ok(self.show_access_policy(&row));
        }
        (row.version, row.updated_at) = (before.version + 1, self.clock.now());
        if row.body != before.body || (row.enabled && !before.enabled) {
            self.leaves_the_caller(caller, &row).await?;
        }
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.update_access_policy(&row, before.version).await.map_err(taken)? {
                    let now = tx.access_policy(row.organization_id, row.id).await?;
                    return Err(versions::overtaken(now.map(|row| row.version), "policy"));
                }
                let (was, shown) = (this.show_access_policy(&before), this.show_access_policy(&row));
                let event = this.event(&by, "policy.update", target(&row));
                let event = with_difference(event, Some(&was), Some(&shown));
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }
}
