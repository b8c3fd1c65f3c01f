//! Guarding APIs that exist: how they are guarded, and what becomes of the requests that a proxy asks about.

mod ask;
mod audit;
pub(crate) mod force;
mod identity;
mod import;
mod observe;
mod own;
mod set;

pub use ask::Door;
pub(crate) use identity::IdentityHeaders;
use observe::Observed;
pub(crate) use observe::Waiting;

use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::present::json;
use crate::refused::Refused;
use crate::signed_identity::{audience, issuer};
use keystead_api::{Guard, GuardMode, GuardView};
use keystead_domain::cells::ProjectCell;
use keystead_guard::label;
use keystead_store::{Change, ChangeKind, GuardRow};
use std::sync::Arc;

impl Keystead {
    /// How a project's API is guarded. While nobody has guarded it, nothing passes: version 0 says so.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see it.
    pub async fn project_guard(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
    ) -> Result<GuardView, Refused> {
        let project = self.enter(caller, crate::management::GUARDS_READ, project).await?;
        match self.guard_row(&project).await? {
            Some(row) => show(&project, &row),
            None => Ok(view(&project, Guard::new(GuardMode::Enforce), None)),
        }
    }

    async fn guard_row(&self, project: &ProjectCell) -> Result<Option<GuardRow>, Refused> {
        Ok(self.store.read().await?.guard(project.organization, project.id).await?)
    }

    /// A project whose guard the caller may change.
    async fn enter_to_guard(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
    ) -> Result<Arc<ProjectCell>, Refused> {
        let project = self.enter(caller, crate::management::GUARDS_WRITE, project).await?;
        if project.system {
            return Err(Refused::conflict(
                "The system project is Keystead's own API, which guards itself.",
                "Guard one of your own projects.",
            ));
        }
        Ok(project)
    }
}

fn rules(row: &GuardRow) -> Result<Guard, Refused> {
    json(&row.body)
}

/// The first of a guard's routes that names a permission.
pub(crate) fn route_that_needs(row: &GuardRow, permission: &str) -> Result<Option<String>, Refused> {
    for route in rules(row)?.routes {
        let mut needs = false;
        set::each_name(route.permissions.as_ref(), &mut |name| needs |= name == permission)?;
        if needs {
            return Ok(Some(label(&route)));
        }
    }
    Ok(None)
}

fn show(project: &ProjectCell, row: &GuardRow) -> Result<GuardView, Refused> {
    Ok(view(project, rules(row)?, Some(row)))
}

fn view(project: &ProjectCell, rules: Guard, row: Option<&GuardRow>) -> GuardView {
    GuardView {
        identity_issuer: issuer(project),
        identity_audience: audience(project, rules.audience.as_deref()),
        rules,
        updated_at: row.map(|row| row.updated_at.to_timestamp()),
        version: row.map_or(0, |row| row.version),
    }
}

fn unguarded() -> Refused {
    let fix = "Guard it first: keystead guard import, or keystead guard set.";
    Refused::conflict("The project is not guarded.", fix)
}

fn target(project: &ProjectCell) -> Target<'_> {
    Target { kind: "guard", id: project.id.to_string(), name: &project.slug, project: Some(project.id) }
}

fn change(row: &GuardRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Guard, row.project_id.0)
}
