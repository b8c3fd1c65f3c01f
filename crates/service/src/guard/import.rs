//! Reading the routes of an OpenAPI document into a guard.

use super::set::{each_name, newly_needed, still_there, write};
use super::{change, rules};
use crate::Keystead;
use crate::act::with_difference;
use crate::caller::Caller;
use crate::permissions;
use crate::present::rows;
use crate::refused::Refused;
use keystead_api::{Guard, GuardDifference, GuardImport};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::PermissionId;
use keystead_domain::invalid::Invalid;
use keystead_guard::{Compiled, Imported, Manner, difference, operations};
use keystead_store::{Acted, GuardRow, PermissionRow};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Keystead {
    /// What an OpenAPI document changes in a guard; applied only where that is asked. Nothing that people set is
    /// lost, and permissions that the routes need join the catalogue.
    ///
    /// # Errors
    /// When there is no such project, the caller may not, or the document is none or breaks a rule.
    pub async fn import_guard(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: &GuardImport,
    ) -> Result<GuardDifference, Refused> {
        let project = self.enter_to_guard(caller, project).await?;
        let before = self.guard_row(&project).await?;
        let read = operations(&input.document, input.base_path.as_deref())?;
        let described = read.permissions.clone();
        let old = before.as_ref().map(rules).transpose()?;
        let start = match (&old, input.mode) {
            (Some(old), None) => old.clone(),
            (None, Some(mode)) => Guard::new(mode),
            (None, None) => {
                let fix = "Send `observe` to see first who would be refused, or `enforce` to refuse at once.";
                return Err(
                    Invalid::new("/mode", "The project is not guarded yet; say how it begins.", fix).into()
                );
            }
            (Some(_), Some(_)) => {
                let fix = "Leave it out; keystead guard mode changes the mode of a guard.";
                return Err(Invalid::new("/mode", "The project is guarded already.", fix).into());
            }
        };
        let manner = Manner { reset: input.reset, remove_absent: input.remove_absent };
        let Imported { guard, mut difference } = difference(start, read, manner);
        Compiled::new(&guard)?;
        let permissions = self.new_permissions(&project, &guard, &described)?;
        difference.permissions = permissions.iter().map(|row| row.name.clone()).collect();
        difference.version = before.as_ref().map_or(0, |row| row.version);
        if !permissions.is_empty() {
            self.authorise(caller, crate::management::CATALOGUE_WRITE, Some(&project.resource)).await?;
        }
        if !input.apply {
            return Ok(difference);
        }
        difference.applied = true;
        if old.as_ref() == Some(&guard) {
            return Ok(difference);
        }
        self.apply_import(caller, project, (before, old), (guard, permissions, difference)).await
    }

    async fn apply_import(
        self: &Arc<Self>,
        caller: &Caller,
        project: Arc<ProjectCell>,
        (before, old): (Option<GuardRow>, Option<Guard>),
        (guard, permissions, mut difference): (Guard, Vec<PermissionRow>, GuardDifference),
    ) -> Result<GuardDifference, Refused> {
        let row = self.next_guard_row(&project, before.as_ref(), &guard)?;
        difference.version = row.version;
        let mut events = vec![self.guard_event(caller, "guard.import", &project, (old.as_ref(), &guard))];
        for permission in &permissions {
            let event = self.event(caller, "permission.create", permissions::target(permission));
            events.push(with_difference(event, None, Some(&rows::permission(permission))));
        }
        let needed = newly_needed(old.as_ref(), &guard)?;
        self.act(move |tx| {
            Box::pin(async move {
                let count = tx.permissions_count(row.project_id).await?;
                let more = i64::try_from(permissions.len()).unwrap_or(i64::MAX);
                permissions::room_for(count, more)?;
                for permission in &permissions {
                    tx.insert_permission(permission).await.map_err(permissions::taken)?;
                }
                still_there(tx, &project, &needed).await?;
                write(tx, &row, before.map(|row| row.version)).await?;
                let catalogue = permissions.first().map(permissions::change);
                let changes = catalogue.into_iter().chain([change(&row)]).collect();
                Ok(Acted { value: difference, events, changes })
            })
        })
        .await
    }

    /// The permissions that a guard's routes need and the catalogue does not have. Only those that the document
    /// gave: what somebody wrote by hand has to exist.
    fn new_permissions(
        &self,
        project: &ProjectCell,
        guard: &Guard,
        described: &BTreeMap<String, String>,
    ) -> Result<Vec<PermissionRow>, Refused> {
        let catalogue = project.catalogue.load();
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for route in &guard.routes {
            each_name(route.permissions.as_ref(), &mut |name| {
                if !catalogue.knows(name) {
                    wanted.insert(name.to_owned(), described.get(name).cloned().unwrap_or_default());
                }
            })?;
        }
        let now = self.clock.now();
        let row = |(name, description)| PermissionRow {
            id: self.entropy.with(|rng| PermissionId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            name,
            description,
            public_safe: false,
            sensitive: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        Ok(wanted.into_iter().map(row).collect())
    }
}
