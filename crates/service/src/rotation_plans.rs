//! A project's rotation plan: how old its keys may become, and how they are rotated.

use crate::accounts::{signed, unsigned};
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{RotationPlan, SetRotationPlan};
use keystead_domain::invalid::Invalid;
use keystead_domain::rotation::{GRACE_SECONDS_DEFAULT, bounded};
use keystead_store::{Acted, RotationPlanRow};
use std::sync::Arc;

const AGE_DAYS_MAX: u32 = 3_650;
const NOTICE_DAYS_MAX: u32 = 365;
const NOTICE_DAYS_DEFAULT: u32 = 14;

impl Keystead {
    /// A project's plan; the one that it begins with while nobody has set another.
    ///
    /// # Errors
    /// When the caller may not see the project.
    pub async fn rotation_plan(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
    ) -> Result<RotationPlan, Refused> {
        let project = self.enter(caller, management::PROJECTS_READ, project).await?;
        let row = self.store.read().await?.rotation_plan(project.organization, project.id).await?;
        Ok(show(row.as_ref()))
    }

    /// Sets a project's whole plan.
    ///
    /// # Errors
    /// When the caller may not, `if_match` names another version, or a field breaks a rule.
    pub async fn set_rotation_plan(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: SetRotationPlan,
        if_match: Option<i64>,
    ) -> Result<RotationPlan, Refused> {
        let cell = self.enter(caller, management::PROJECTS_WRITE, project).await?;
        let set = compile(&input)?;
        let (this, caller, now) = (Arc::clone(self), caller.clone(), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                let project = tx.project(cell.organization, cell.id).await?;
                let project = project.ok_or(Refused::not_found("project"))?;
                let known = tx.rotation_plan(cell.organization, cell.id).await?;
                let before = show(known.as_ref());
                crate::versions::expect(if_match, before.version)?;
                let row = RotationPlanRow {
                    project_id: cell.id,
                    organization_id: cell.organization,
                    max_age_days: set.max_age_days.map(i64::from),
                    notice_days: i64::from(set.notice_days),
                    grace_seconds: signed(set.grace_seconds),
                    revoke_lineage_on_reuse: set.revoke_lineage_on_reuse,
                    updated_at: now,
                    version: before.version + 1,
                };
                if !tx.put_rotation_plan(&row, before.version).await? {
                    return Err(Refused::Changed { current: before.version + 1 });
                }
                let after = show(Some(&row));
                let (id, name) = (project.id.to_string(), project.name.as_str());
                let target = Target { kind: "project", id, name, project: Some(project.id) };
                let event = this.event(&caller, "project.rotation_plan.set", target);
                let event = with_difference(event, Some(&before), Some(&after));
                Ok(Acted { value: after, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}

/// The plan as it is shown; without a row, the one that a project begins with.
pub(crate) fn show(row: Option<&RotationPlanRow>) -> RotationPlan {
    let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    match row {
        Some(row) => RotationPlan {
            max_age_days: row.max_age_days.map(small),
            notice_days: small(row.notice_days),
            grace_seconds: unsigned(row.grace_seconds),
            revoke_lineage_on_reuse: row.revoke_lineage_on_reuse,
            updated_at: Some(row.updated_at.to_timestamp()),
            version: row.version,
        },
        None => RotationPlan {
            max_age_days: None,
            notice_days: NOTICE_DAYS_DEFAULT,
            grace_seconds: GRACE_SECONDS_DEFAULT,
            revoke_lineage_on_reuse: false,
            updated_at: None,
            version: 0,
        },
    }
}

fn compile(input: &SetRotationPlan) -> Result<RotationPlan, Invalid> {
    if input.max_age_days.is_some_and(|days| !(1..=AGE_DAYS_MAX).contains(&days)) {
        let fix = format!("Send 1 to {AGE_DAYS_MAX}, or leave it out.");
        return Err(Invalid::new("/max_age_days", "This is no age that a key can have.", fix));
    }
    let half = input.max_age_days.map_or(NOTICE_DAYS_DEFAULT, |days| days / 2);
    let notice_days = input.notice_days.unwrap_or(NOTICE_DAYS_DEFAULT.min(half));
    if notice_days > NOTICE_DAYS_MAX || input.max_age_days.is_some_and(|days| notice_days >= days) {
        let fix = format!("Send at most {NOTICE_DAYS_MAX}, and less than `max_age_days`.");
        return Err(Invalid::new("/notice_days", "This is announced too early.", fix));
    }
    let grace_seconds = bounded("/grace_seconds", input.grace_seconds.unwrap_or(GRACE_SECONDS_DEFAULT))?;
    Ok(RotationPlan {
        max_age_days: input.max_age_days,
        notice_days,
        grace_seconds,
        revoke_lineage_on_reuse: input.revoke_lineage_on_reuse,
        updated_at: None,
        version: 0,
    })
}
