//! Deleting a policy: what it forbade is possible again.

use super::{change, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// Deletes a policy.
    ///
    /// # Errors
    /// When there is none, the caller may not, or the version is another.
    pub async fn delete_policy(
        self: &Arc<Self>,
        caller: &Caller,
        policy: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let row = self.access_policy_row(caller, management::POLICIES_WRITE, policy).await?;
        versions::expect(if_match, row.version)?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.delete_access_policy(row.organization_id, row.id, row.version).await? {
                    let now = tx.access_policy(row.organization_id, row.id).await?;
                    return Err(versions::overtaken(now.map(|row| row.version), "policy"));
                }
                let event = this.event(&by, "policy.delete", target(&row));
                let event = with_difference(event, Some(&this.show_access_policy(&row)), None);
                Ok(Acted { value: (), events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }
}
