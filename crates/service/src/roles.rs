//! Roles: named sets of permissions. Every key that holds one follows it on its next request.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::guardrails::enforce;
use crate::present::{rows, to_json};
use crate::projects::hold;
use crate::refused::Refused;
use crate::{Keystead, cells, management, patterns, versions};
use keystead_api::{CreateRole, Page, PageQuery, Role, UpdateRole};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::RoleId;
use keystead_domain::name;
use keystead_domain::pattern::PermissionSet;
use keystead_store::{Acted, Change, ChangeKind, RoleRow, StoreError, Tx, Unique};
use std::sync::Arc;

/// Where a request has the patterns.
const FIELD: &str = "/permissions";

impl Keystead {
    /// Creates a role.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the name is taken, or
    /// a system project's role would have more than the caller.
    pub async fn create_role(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: CreateRole,
    ) -> Result<Role, Refused> {
        let project = self.enter(caller, management::CATALOGUE_WRITE, project).await?;
        name::handle("/name", &input.name)?;
        name::description("/description", &input.description)?;
        let set = read(caller, &project, &input.permissions)?;
        let now = self.clock.now();
        let row = RoleRow {
            id: self.entropy.with(|rng| RoleId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            name: input.name,
            description: input.description,
            permissions: to_json(&input.permissions)?,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let shown = rows::role(&row)?;
        let event = self.event(caller, "role.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                hold(tx, &project).await?;
                patterns::ground(tx, project.id, FIELD, &set).await?;
                tx.insert_role(&row).await.map_err(taken)?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// A project's roles, newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see its catalogue.
    pub async fn list_roles(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<Role>, Refused> {
        let project = self.enter(caller, management::CATALOGUE_READ, project).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.roles(project.organization, project.id, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| rows::role(&row))
    }

    /// One role of a project, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn role(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
    ) -> Result<Role, Refused> {
        let project = self.enter(caller, management::CATALOGUE_READ, project).await?;
        rows::role(&self.role_row(&project, id_or_name).await?)
    }

    /// Changes a role. Its name never changes.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the version is
    /// another, or a system project's role would have more than the caller.
    pub async fn update_role(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        input: UpdateRole,
        if_match: Option<i64>,
    ) -> Result<Role, Refused> {
        let project = self.enter(caller, management::CATALOGUE_WRITE, project).await?;
        let before = self.role_row(&project, id_or_name).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        if let Some(description) = input.description {
            name::description("/description", &description)?;
            row.description = description;
        }
        let mut set = None;
        if let Some(permissions) = input.permissions {
            set = Some(read(caller, &project, &permissions)?);
            row.permissions = to_json(&permissions)?;
        }
        if row == before {
            return rows::role(&row);
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::role(&row)?;
        let event = self.event(caller, "role.update", target(&row));
        let event = with_difference(event, Some(&rows::role(&before)?), Some(&shown));
        let caller = caller.clone();
        self.act(move |tx| {
            Box::pin(async move {
                write(tx, &caller, &project, (&row, &before), set.as_ref()).await?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// Deletes a role that no key holds.
    ///
    /// # Errors
    /// When the caller may not, a key holds it, or the version is another.
    pub async fn delete_role(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let project = self.enter(caller, management::CATALOGUE_WRITE, project).await?;
        let id = self.role_row(&project, id_or_name).await?.id;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.role(project.organization, id).await?;
                let row = row.ok_or(Refused::not_found("role"))?;
                versions::expect(if_match, row.version)?;
                let (keys, people) = (tx.keys_with_role(id).await?, tx.holders_of_role(id).await?);
                if keys + people > 0 {
                    return Err(in_use(format!("Keys that hold it: {keys}; members and teams: {people}.")));
                }
                let deleted = tx.delete_role(row.organization_id, id).await;
                deleted.map_err(|error| match error {
                    StoreError::Referenced => in_use("A key, member or team was just given it.".into()),
                    other => other.into(),
                })?;
                let event = this.event(&caller, "role.delete", target(&row));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&rows::role(&row)?), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    async fn role_row(&self, project: &ProjectCell, id_or_name: &str) -> Result<RoleRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match id_or_name.parse::<RoleId>() {
            Ok(id) => reader.role(project.organization, id).await?.filter(|row| row.project_id == project.id),
            Err(_) => reader.role_by_name(project.id, id_or_name).await?,
        };
        row.ok_or(Refused::not_found("role"))
    }
}

/// Reads a role's permissions; in a system project none that the caller does not have.
fn read(caller: &Caller, project: &ProjectCell, permissions: &[String]) -> Result<PermissionSet, Refused> {
    let set = patterns::read(FIELD, permissions)?;
    if project.system {
        patterns::role_not_wider(caller, &set)?;
    }
    Ok(set)
}

/// `set`: the permissions, where they change.
async fn write(
    tx: &mut Tx,
    caller: &Caller,
    project: &ProjectCell,
    (row, before): (&RoleRow, &RoleRow),
    set: Option<&PermissionSet>,
) -> Result<(), Refused> {
    if let Some(set) = set {
        hold(tx, project).await?;
        patterns::ground(tx, project.id, FIELD, set).await?;
    }
    if !tx.update_role(row, before.version).await? {
        let now = tx.role(row.organization_id, row.id).await?;
        return Err(versions::overtaken(now.map(|row| row.version), "role"));
    }
    if let Some(set) = set {
        enforce::check_role(tx, project, before, set).await?;
        people_get_no_more(tx, caller, project, before, set).await?;
    }
    Ok(())
}

/// Whoever keeps the catalogue gives people no more than they were granted: a role that somebody has grows only by
/// who may grant. In a system project nobody makes a role wider than they are themselves.
async fn people_get_no_more(
    tx: &mut Tx,
    caller: &Caller,
    project: &ProjectCell,
    before: &RoleRow,
    set: &PermissionSet,
) -> Result<(), Refused> {
    let was = cells::role_permissions(before)?;
    let is_wider = set.iter().any(|pattern| !was.covers(pattern));
    if project.system
        || !is_wider
        || caller.may(management::AUTHORITY_GRANT, Some(&project.resource))
        || tx.holders_of_role(before.id).await? == 0
    {
        return Ok(());
    }
    Err(Refused::Forbidden {
        permission: management::AUTHORITY_GRANT,
        resource: format!("{}, because people have this role", project.resource),
    })
}

fn in_use(detail: String) -> Refused {
    Refused::conflict(
        format!("The role is still in use. {detail}"),
        "Take it from its keys, members and teams first; a revoked key counts until it is deleted.",
    )
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::RoleName) => Refused::conflict(
            "The project has a role with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}

fn target(row: &RoleRow) -> Target<'_> {
    Target { kind: "role", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

fn change(row: &RoleRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Role, row.id.0)
}
