//! A project's catalogue of permissions. A system project's is Keystead's own.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, rows};
use crate::projects::hold;
use crate::refused::Refused;
use crate::{Keystead, guard, management, versions};
use keystead_api::{CreatePermission, Page, PageQuery, Permission, UpdatePermission};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::PermissionId;
use keystead_domain::name;
use keystead_store::{Acted, Change, ChangeKind, PermissionRow, StoreError, Tx, Unique};
use std::sync::Arc;

/// Permissions of one project. A report looks at each that a key has, and at thousands of keys.
const PERMISSIONS_MAX: i64 = 5_000;

impl Keystead {
    /// Adds a permission to a project's catalogue.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the name is taken, or there are [`PERMISSIONS_MAX`].
    pub async fn create_permission(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: CreatePermission,
    ) -> Result<Permission, Refused> {
        let project = self.enter_catalogue(caller, project).await?;
        name::permission_name("/name", &input.name)?;
        name::description("/description", &input.description)?;
        let now = self.clock.now();
        let row = PermissionRow {
            id: self.entropy.with(|rng| PermissionId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            name: input.name,
            description: input.description,
            public_safe: input.public_safe,
            sensitive: input.sensitive,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let shown = rows::permission(&row);
        let event = self.event(caller, "permission.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                room_for_another(tx.permissions_count(row.project_id).await?)?;
                tx.insert_permission(&row).await.map_err(taken)?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// A project's permissions, newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see its catalogue.
    pub async fn list_permissions(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<Permission>, Refused> {
        let project = self.enter(caller, management::CATALOGUE_READ, project).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.permissions(project.organization, project.id, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(rows::permission(&row)))
    }

    /// One permission of a project, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn permission(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
    ) -> Result<Permission, Refused> {
        let project = self.enter(caller, management::CATALOGUE_READ, project).await?;
        let row = self.permission_row(&project, id_or_name).await?;
        Ok(rows::permission(&row))
    }

    /// Changes a permission. Its name never changes.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or the version is another.
    pub async fn update_permission(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        input: UpdatePermission,
        if_match: Option<i64>,
    ) -> Result<Permission, Refused> {
        let project = self.enter_catalogue(caller, project).await?;
        let before = self.permission_row(&project, id_or_name).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        if let Some(description) = input.description {
            name::description("/description", &description)?;
            row.description = description;
        }
        row.public_safe = input.public_safe.unwrap_or(row.public_safe);
        row.sensitive = input.sensitive.unwrap_or(row.sensitive);
        if row == before {
            return Ok(rows::permission(&row));
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::permission(&row);
        let event = self.event(caller, "permission.update", target(&row));
        let event = with_difference(event, Some(&rows::permission(&before)), Some(&shown));
        self.act(move |tx| {
            Box::pin(async move {
                if before.public_safe && !row.public_safe {
                    hold(tx, &project).await?;
                    not_public(tx, &row).await?;
                }
                if !tx.update_permission(&row, before.version).await? {
                    let now = tx.permission(row.organization_id, row.id).await?;
                    let version = now.map(|row| row.version);
                    return Err(versions::overtaken(version, "permission"));
                }
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// Removes a permission that no key is granted and no role names.
    ///
    /// # Errors
    /// When the caller may not, it is in use, or the version is another.
    pub async fn delete_permission(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let project = self.enter_catalogue(caller, project).await?;
        let id = self.permission_row(&project, id_or_name).await?.id;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                hold(tx, &project).await?;
                let row = tx.permission(project.organization, id).await?;
                let row = row.ok_or(Refused::not_found("permission"))?;
                versions::expect(if_match, row.version)?;
                unused(tx, &project, &row.name).await?;
                let deleted = tx.delete_permission(row.organization_id, id).await;
                deleted.map_err(|error| match error {
                    StoreError::Referenced => in_use("A key was just granted it."),
                    other => other.into(),
                })?;
                let event = this.event(&caller, "permission.delete", target(&row));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&rows::permission(&row)), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    /// The project whose catalogue the caller may write.
    async fn enter_catalogue(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
    ) -> Result<Arc<ProjectCell>, Refused> {
        let project = self.enter(caller, management::CATALOGUE_WRITE, project).await?;
        if project.system {
            return Err(Refused::conflict(
                "The system project's permissions are managed by Keystead.",
                "Make roles of them, or change the catalogue of one of your own projects.",
            ));
        }
        Ok(project)
    }

    async fn permission_row(
        &self,
        project: &ProjectCell,
        id_or_name: &str,
    ) -> Result<PermissionRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match id_or_name.parse::<PermissionId>() {
            Ok(id) => {
                reader.permission(project.organization, id).await?.filter(|row| row.project_id == project.id)
            }
            Err(_) => reader.permission_by_name(project.id, id_or_name).await?,
        };
        row.ok_or(Refused::not_found("permission"))
    }
}

/// Refuses when a key is granted the permission or a role names it. What only a pattern stands for
/// goes with it.
async fn unused(tx: &mut Tx, project: &ProjectCell, name: &str) -> Result<(), Refused> {
    let keys = tx.keys_granted(project.id, name).await?;
    if keys > 0 {
        return Err(in_use(&format!("Keys that are granted it: {keys}.")));
    }
    for role in tx.roles_in(project.id).await? {
        let permissions: Vec<String> = json(&role.permissions)?;
        if permissions.iter().any(|permission| permission == name) {
            return Err(Refused::conflict(
                format!("The role {} has this permission.", role.name),
                "Take it from the role first.",
            ));
        }
    }
    let guard = tx.guard(project.organization, project.id).await?;
    if let Some(route) = guard.map(|row| guard::route_that_needs(&row, name)).transpose()?.flatten() {
        return Err(Refused::conflict(
            format!("The guard's route {route} needs this permission: nobody could call it any more."),
            "Change what the route needs first, or take it out of the guard.",
        ));
    }
    Ok(())
}

/// Refuses to take `public_safe` from a permission that public keys name. Those that have it by a
/// role or a pattern lose it on their next request.
async fn not_public(tx: &mut Tx, row: &PermissionRow) -> Result<(), Refused> {
    match tx.public_keys_granted(row.project_id, &row.name).await? {
        0 => Ok(()),
        keys => Err(Refused::conflict(
            format!("Public keys hold this permission: {keys}."),
            "Take it from them first, or disable them; the list of keys can be filtered by kind=public.",
        )),
    }
}

fn in_use(detail: &str) -> Refused {
    Refused::conflict(
        format!("The permission is still in use. {detail}"),
        "Take it from its keys first, or delete them; a revoked key counts until it is deleted.",
    )
}

pub(crate) fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::PermissionName) => Refused::conflict(
            "The project has a permission with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}

pub(crate) fn target(row: &PermissionRow) -> Target<'_> {
    Target { kind: "permission", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

/// A catalogue changes as a whole: the change names the project.
pub(crate) fn change(row: &PermissionRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Permission, row.project_id.0)
}

fn room_for_another(count: i64) -> Result<(), Refused> {
    room_for(count, 1)
}

pub(crate) fn room_for(count: i64, more: i64) -> Result<(), Refused> {
    if count.saturating_add(more) <= PERMISSIONS_MAX {
        return Ok(());
    }
    Err(Refused::conflict(
        format!("This project's catalogue has {count} permissions; {PERMISSIONS_MAX} is the most."),
        "Remove those that nothing uses, or name fewer kinds of things and narrow grants to resources instead.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_that_is_full_says_so() {
        assert!(room_for_another(PERMISSIONS_MAX - 1).is_ok());
        let refused = room_for_another(PERMISSIONS_MAX).unwrap_err();
        assert!(matches!(refused, Refused::Conflict { .. }), "{refused:?}");
    }
}
