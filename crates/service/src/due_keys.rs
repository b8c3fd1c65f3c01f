//! Which keys are due to be rotated, by their project's plan.

use crate::caller::Caller;
use crate::cursor::Cut;
use crate::find_keys::after;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{DueKey, DueState, Page, PageQuery};
use keystead_domain::time::{DAY, Micros};
use keystead_store::RotationPlanRow;
use std::sync::Arc;

impl Keystead {
    /// A page of a project's usable keys that are due to be rotated, or will be within the plan's
    /// notice; the oldest first.
    ///
    /// # Errors
    /// When the caller may not see the project's keys.
    pub async fn due_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<DueKey>, Refused> {
        let project = self.enter(caller, management::KEYS_READ, project).await?;
        let cut = Cut::<12>::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let plan = reader.rotation_plan(project.organization, project.id).await?;
        let (Some(plan), now) = (plan, self.clock.now()) else {
            return Ok(Page { items: Vec::new(), next_cursor: None });
        };
        let Some(made_by) = announced(&plan, now) else {
            return Ok(Page { items: Vec::new(), next_cursor: None });
        };
        let used = reader.keys_made_by(project.id, made_by, now, after(&cut)?, cut.rows()).await?;
        let mut shown = self.views(&mut reader, &used).await?;
        cut.page(
            used,
            |(row, _)| (row.created_at, *row.id.as_bytes()),
            |(row, _)| {
                let key = shown.remove(&row.id);
                let key = key.ok_or_else(|| Refused::Internal("a listed key was not shown".into()))?;
                let due_at = due(&plan, row.created_at);
                let state = if due_at <= now { DueState::Due } else { DueState::Soon };
                let (age, most) = (now.since(row.created_at) / DAY, plan.max_age_days.unwrap_or(0));
                let why = format!("It is {age} days old, and may become {most} days old.");
                Ok(DueKey { state, due_at: due_at.to_timestamp(), why, key })
            },
        )
    }
}

/// When a key that was made then is due.
pub(crate) fn due(plan: &RotationPlanRow, created_at: Micros) -> Micros {
    created_at.plus(plan.max_age_days.unwrap_or(0).saturating_mul(DAY))
}

/// Keys made by then are due, or announced to be. Nothing where nobody says how old they may become.
pub(crate) fn announced(plan: &RotationPlanRow, now: Micros) -> Option<Micros> {
    let days = plan.max_age_days?.saturating_sub(plan.notice_days);
    Some(now.plus(days.saturating_mul(-DAY)))
}
