//! Changing how a project's API is guarded.

use super::{audit, change, rules, show, target, unguarded};
use crate::act::with_difference;
use crate::caller::Caller;
use crate::present::to_json;
use crate::projects::hold;
use crate::refused::Refused;
use crate::{Keystead, versions};
use keystead_api::{Guard, GuardRoute, GuardView, PermissionQuery, SetGuardMode};
use keystead_domain::cells::ProjectCell;
use keystead_domain::invalid::Invalid;
use keystead_domain::query::Query;
use keystead_guard::{Compiled, label};
use keystead_store::{Acted, Event, GuardRow};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Keystead {
    /// Replaces how a project's API is guarded, or guards it from now on.
    ///
    /// # Errors
    /// When there is no such project, the caller may not, a field breaks a rule or names a permission that the
    /// catalogue does not have, or the version is another.
    pub async fn set_guard(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        guard: Guard,
        if_match: Option<i64>,
    ) -> Result<GuardView, Refused> {
        let project = self.enter_to_guard(caller, project).await?;
        let before = self.guard_row(&project).await?;
        versions::expect(if_match, before.as_ref().map_or(0, |row| row.version))?;
        Compiled::new(&guard)?;
        known(&project, &guard.routes)?;
        self.replace_guard(caller, project, before, guard).await
    }

    /// Sets the mode of a guard, or of some of its routes: to observe, or to enforce.
    ///
    /// # Errors
    /// When the project is not guarded, the caller may not, a route is named that there is not, or the version is
    /// another.
    pub async fn set_guard_mode(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: &SetGuardMode,
        if_match: Option<i64>,
    ) -> Result<GuardView, Refused> {
        let project = self.enter_to_guard(caller, project).await?;
        let before = self.guard_row(&project).await?.ok_or_else(unguarded)?;
        versions::expect(if_match, before.version)?;
        let mut guard = rules(&before)?;
        match (input.mode, input.routes.as_slice()) {
            (Some(mode), []) => guard.mode = mode,
            (None, []) => {
                let fix = "Send `mode`, `observe` or `enforce`; without it, name routes that follow the guard again.";
                return Err(Invalid::new("/mode", "There is nothing to change.", fix).into());
            }
            (mode, named) => {
                for (at, named) in named.iter().enumerate() {
                    let found = guard.routes.iter_mut().filter(|route| is_named(route, named));
                    if found.map(|route| route.mode = mode).count() == 0 {
                        let fix =
                            "Name it as its operation or as `GET /orders/*`; keystead guard show lists them.";
                        return Err(Refused::unknown(
                            format!("/routes/{at}"),
                            "There is no such route.",
                            fix,
                        ));
                    }
                }
            }
        }
        self.replace_guard(caller, project, Some(before), guard).await
    }

    async fn replace_guard(
        self: &Arc<Self>,
        caller: &Caller,
        project: Arc<ProjectCell>,
        before: Option<GuardRow>,
        guard: Guard,
    ) -> Result<GuardView, Refused> {
        let old = before.as_ref().map(rules).transpose()?;
        if let (Some(row), Some(old)) = (&before, &old)
            && *old == guard
        {
            return show(&project, row);
        }
        let event = self.guard_event(caller, "guard.update", &project, (old.as_ref(), &guard));
        let needed = newly_needed(old.as_ref(), &guard)?;
        let row = self.next_guard_row(&project, before.as_ref(), &guard)?;
        self.act(move |tx| {
            Box::pin(async move {
                still_there(tx, &project, &needed).await?;
                write(tx, &row, before.map(|row| row.version)).await?;
                Ok(Acted { value: show(&project, &row)?, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    pub(super) fn guard_event(
        &self,
        caller: &Caller,
        action: &'static str,
        project: &ProjectCell,
        (before, after): (Option<&Guard>, &Guard),
    ) -> Event {
        let (before, after) = audit::both(before, after);
        with_difference(self.event(caller, action, target(project)), before.as_ref(), Some(&after))
    }

    pub(super) fn next_guard_row(
        &self,
        project: &ProjectCell,
        before: Option<&GuardRow>,
        guard: &Guard,
    ) -> Result<GuardRow, Refused> {
        Ok(GuardRow {
            project_id: project.id,
            organization_id: project.organization,
            body: to_json(guard)?,
            updated_at: self.clock.now(),
            version: before.map_or(0, |row| row.version) + 1,
        })
    }
}

/// Writes a guard in place of the version that was read.
pub(super) async fn write(
    tx: &mut keystead_store::Tx,
    row: &GuardRow,
    before: Option<i64>,
) -> Result<(), Refused> {
    let written = match before {
        None => tx.insert_guard(row).await?,
        Some(version) => tx.update_guard(row, version).await?,
    };
    if written {
        return Ok(());
    }
    let now = tx.guard(row.organization_id, row.project_id).await?;
    Err(versions::overtaken(now.map(|row| row.version), "guard"))
}

fn is_named(route: &GuardRoute, named: &str) -> bool {
    route.operation.as_deref() == Some(named) || label(route) == named
}

/// Refuses permissions that the catalogue does not have: nobody could ever hold them.
fn known(project: &ProjectCell, routes: &[GuardRoute]) -> Result<(), Refused> {
    let catalogue = project.catalogue.load();
    for (at, route) in routes.iter().enumerate() {
        let mut missing = None;
        each_name(route.permissions.as_ref(), &mut |name| {
            if !catalogue.knows(name) && missing.is_none() {
                missing = Some(name.to_owned());
            }
        })?;
        if let Some(name) = missing {
            let what = format!("The project's catalogue has no permission {name}.");
            let fix = "Create it first (keystead permissions create), or correct the name.";
            return Err(Refused::unknown(format!("/routes/{at}/permissions"), what, fix));
        }
    }
    Ok(())
}

/// The permissions that a guard's routes need and those of the one before did not: until it is written, nothing keeps
/// anybody from deleting them.
pub(super) fn newly_needed(before: Option<&Guard>, after: &Guard) -> Result<BTreeSet<String>, Invalid> {
    let mut needed = BTreeSet::new();
    for route in &after.routes {
        each_name(route.permissions.as_ref(), &mut |name| {
            needed.insert(name.to_owned());
        })?;
    }
    for route in before.iter().flat_map(|before| &before.routes) {
        each_name(route.permissions.as_ref(), &mut |name| {
            needed.remove(name);
        })?;
    }
    Ok(needed)
}

/// Refuses what somebody has deleted since it was looked for, and keeps them from it until the end of the transaction.
pub(super) async fn still_there(
    tx: &mut keystead_store::Tx,
    project: &ProjectCell,
    needed: &BTreeSet<String>,
) -> Result<(), Refused> {
    if needed.is_empty() {
        return Ok(());
    }
    hold(tx, project).await?;
    let there: BTreeSet<String> =
        tx.permissions_in(project.id).await?.into_iter().map(|row| row.name).collect();
    match needed.difference(&there).next() {
        None => Ok(()),
        Some(name) => Err(Refused::conflict(
            format!("The permission {name} has just been deleted."),
            "Create it again, or change what the route needs.",
        )),
    }
}

/// Every name in a requirement.
pub(super) fn each_name(query: Option<&PermissionQuery>, each: &mut dyn FnMut(&str)) -> Result<(), Invalid> {
    if let Some(query) = query {
        Query::parse(query)?.names(each);
    }
    Ok(())
}
