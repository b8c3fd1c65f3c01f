//! Service accounts: principals that are no person.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{rows, to_json};
use crate::refused::Refused;
use crate::{Keystead, management, patterns, versions};
use keystead_api::{CreateServiceAccount, Page, PageQuery, ServiceAccount, UpdateServiceAccount};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::{OwnerId, ServiceAccountId};
use keystead_domain::name;
use keystead_domain::pattern::PermissionSet;
use keystead_store::{Acted, Change, ChangeKind, ServiceAccountRow, StoreError, Unique};
use std::sync::Arc;

impl Keystead {
    /// Creates a service account.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the name is taken, or
    /// a system project's account would let more through than the caller has.
    pub async fn create_service_account(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: CreateServiceAccount,
    ) -> Result<ServiceAccount, Refused> {
        let project = self.enter(caller, management::ACCOUNTS_WRITE, project).await?;
        name::handle("/name", &input.name)?;
        name::description("/description", &input.description)?;
        let ceiling = input.ceiling.as_deref();
        let set = ceiling.map(|ceiling| patterns::read(patterns::CEILING, ceiling)).transpose()?;
        let now = self.clock.now();
        let row = ServiceAccountRow {
            id: self.entropy.with(|rng| ServiceAccountId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            ceiling: input.ceiling.as_ref().map(to_json).transpose()?,
            name: input.name,
            description: input.description,
            disabled: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        if project.system {
            patterns::ceiling_not_wider(caller, None, row.ceiling.as_deref())?;
        }
        let shown = rows::service_account(&row)?;
        let event = self.event(caller, "service_account.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                patterns::ground_ceiling(tx, &project, set.as_ref()).await?;
                tx.insert_service_account(&row).await.map_err(taken)?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// A project's service accounts, newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see them.
    pub async fn list_service_accounts(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<ServiceAccount>, Refused> {
        let project = self.enter(caller, management::ACCOUNTS_READ, project).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.service_accounts(project.organization, project.id, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| rows::service_account(&row))
    }

    /// One service account of a project, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn service_account(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
    ) -> Result<ServiceAccount, Refused> {
        let project = self.enter(caller, management::ACCOUNTS_READ, project).await?;
        rows::service_account(&self.service_account_row(&project, id_or_name).await?)
    }

    /// Changes a service account; all of its keys follow on their next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the version is
    /// another, or a system project's account would let more through than the caller has.
    pub async fn update_service_account(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        input: UpdateServiceAccount,
        if_match: Option<i64>,
    ) -> Result<ServiceAccount, Refused> {
        let project = self.enter(caller, management::ACCOUNTS_WRITE, project).await?;
        let before = self.service_account_row(&project, id_or_name).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        let set = merge(&mut row, input)?;
        if row == before {
            return rows::service_account(&row);
        }
        if project.system {
            let switched_on = before.disabled && !row.disabled;
            let was = (!switched_on).then_some(before.ceiling.as_deref());
            patterns::ceiling_not_wider(caller, was, row.ceiling.as_deref())?;
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::service_account(&row)?;
        let event = self.event(caller, "service_account.update", target(&row));
        let event = with_difference(event, Some(&rows::service_account(&before)?), Some(&shown));
        self.act(move |tx| {
            Box::pin(async move {
                patterns::ground_ceiling(tx, &project, set.as_ref()).await?;
                if !tx.update_service_account(&row, before.version).await? {
                    let now = tx.service_account(row.organization_id, row.id).await?;
                    let version = now.map(|row| row.version);
                    return Err(versions::overtaken(version, "service account"));
                }
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// Deletes a service account that owns no key.
    ///
    /// # Errors
    /// When the caller may not, it owns keys, or the version is another.
    pub async fn delete_service_account(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_name: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let project = self.enter(caller, management::ACCOUNTS_WRITE, project).await?;
        let id = self.service_account_row(&project, id_or_name).await?.id;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.service_account(project.organization, id).await?;
                let row = row.ok_or(Refused::not_found("service account"))?;
                versions::expect(if_match, row.version)?;
                let keys = tx.keys_of_owner(OwnerId::ServiceAccount(id)).await?;
                if keys > 0 {
                    return Err(in_use(format!("Keys that it owns: {keys}.")));
                }
                let deleted = tx.delete_service_account(row.organization_id, id).await;
                deleted.map_err(|error| match error {
                    StoreError::Referenced => in_use("A key was just given to it.".into()),
                    other => other.into(),
                })?;
                let event = this.event(&caller, "service_account.delete", target(&row));
                let shown = rows::service_account(&row)?;
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&shown), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    async fn service_account_row(
        &self,
        project: &ProjectCell,
        id_or_name: &str,
    ) -> Result<ServiceAccountRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match id_or_name.parse::<ServiceAccountId>() {
            Ok(id) => reader
                .service_account(project.organization, id)
                .await?
                .filter(|row| row.project_id == project.id),
            Err(_) => reader.service_account_by_name(project.id, id_or_name).await?,
        };
        row.ok_or(Refused::not_found("service account"))
    }
}

/// Writes what was sent into the row. Answers the patterns of a new ceiling, to be grounded.
fn merge(row: &mut ServiceAccountRow, input: UpdateServiceAccount) -> Result<Option<PermissionSet>, Refused> {
    if let Some(description) = input.description {
        name::description("/description", &description)?;
        row.description = description;
    }
    row.disabled = input.disabled.unwrap_or(row.disabled);
    let Some(ceiling) = input.ceiling else {
        return Ok(None);
    };
    row.ceiling = ceiling.as_ref().map(to_json).transpose()?;
    let set = ceiling.map(|ceiling| patterns::read(patterns::CEILING, &ceiling));
    Ok(set.transpose()?)
}

fn in_use(detail: String) -> Refused {
    Refused::conflict(
        format!("The service account is still in use. {detail}"),
        "Revoke and delete its keys first (a revoked key counts until it is deleted), or disable it.",
    )
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::ServiceAccountName) => Refused::conflict(
            "The project has a service account with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}

fn target(row: &ServiceAccountRow) -> Target<'_> {
    Target { kind: "service_account", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

fn change(row: &ServiceAccountRow) -> Change {
    Change::new(row.organization_id, ChangeKind::ServiceAccount, row.id.0)
}
