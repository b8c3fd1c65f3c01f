//! Writing a policy.

use super::{POLICIES_MAX, change, named, taken, target};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{CreatePolicy, Policy};
use keystead_domain::ids::AccessPolicyId;
use keystead_domain::name;
use keystead_store::{AccessPolicyRow, Acted};
use std::sync::Arc;

impl Keystead {
    /// Writes a policy; in force, it holds for the next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the text is no policy, the name is taken, or there are as many
    /// as there may be.
    pub async fn create_policy(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreatePolicy,
    ) -> Result<Policy, Refused> {
        let project = self.project_for_policy(caller, input.project.as_deref())?;
        let resource = project.as_ref().map(|project| &*project.resource);
        self.authorise(caller, management::POLICIES_WRITE, resource).await?;
        named("/name", &input.name)?;
        name::description("/description", &input.description)?;
        let now = self.clock.now();
        let row = AccessPolicyRow {
            id: self.entropy.with(|rng| AccessPolicyId::random(rng)),
            organization_id: caller.organization(),
            project_id: project.as_ref().map(|project| project.id),
            name: input.name,
            description: input.description,
            body: input.text,
            enabled: input.enabled,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        self.leaves_the_caller(caller, &row).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                tx.hold_access_policies(row.organization_id).await?;
                if tx.count_access_policies(row.organization_id, row.project_id).await? >= POLICIES_MAX {
                    return Err(Refused::conflict(
                        format!("There are {POLICIES_MAX} policies already."),
                        "Delete one that nobody needs, or write several `forbid`s in one.",
                    ));
                }
                tx.insert_access_policy(&row).await.map_err(taken)?;
                let shown = this.show_access_policy(&row);
                let event = this.event(&by, "policy.create", target(&row));
                let event = with_difference(event, None, Some(&shown));
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }
}
