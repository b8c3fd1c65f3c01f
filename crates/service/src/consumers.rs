//! Consumers: the outside parties that keys are issued to.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, rows, to_json};
use crate::refused::Refused;
use crate::{Keystead, management, patterns, versions};
use keystead_api::{Consumer, CreateConsumer, LimitSpec, Page, PageQuery, QuotaSpec, UpdateConsumer};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::{ConsumerId, OwnerId};
use keystead_domain::meter::MeterRules;
use keystead_domain::name;
use keystead_domain::pattern::PermissionSet;
use keystead_store::{Acted, Change, ChangeKind, ConsumerRow, MeterId, StoreError, Tx, Unique};
use std::sync::Arc;

impl Keystead {
    /// Creates a consumer.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the external id is
    /// taken, or a system project's consumer would let more through than the caller has.
    pub async fn create_consumer(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: CreateConsumer,
    ) -> Result<Consumer, Refused> {
        let project = self.enter(caller, management::CONSUMERS_WRITE, project).await?;
        let now = self.clock.now();
        let mut row = ConsumerRow {
            id: self.entropy.with(|rng| ConsumerId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            name: String::new(),
            external_id: None,
            contact: None,
            ceiling: None,
            limits: "[]".into(),
            quota: None,
            disabled: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let set = merge(&mut row, whole(input))?;
        if project.system {
            patterns::ceiling_not_wider(caller, None, row.ceiling.as_deref())?;
        }
        let shown = rows::consumer(&row)?;
        let event = self.event(caller, "consumer.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                patterns::ground_ceiling(tx, &project, set.as_ref()).await?;
                tx.insert_consumer(&row).await.map_err(taken)?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// A project's consumers, newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see them.
    pub async fn list_consumers(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<Consumer>, Refused> {
        let project = self.enter(caller, management::CONSUMERS_READ, project).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.consumers(project.organization, project.id, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| rows::consumer(&row))
    }

    /// One consumer of a project, by id or external id.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn consumer(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_external_id: &str,
    ) -> Result<Consumer, Refused> {
        let project = self.enter(caller, management::CONSUMERS_READ, project).await?;
        rows::consumer(&self.consumer_row(&project, id_or_external_id).await?)
    }

    /// Changes a consumer; all of its keys follow on their next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule or names no permission, the external id is
    /// taken, the version is another, or a system project's consumer would let more through than
    /// the caller has.
    pub async fn update_consumer(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_external_id: &str,
        input: UpdateConsumer,
        if_match: Option<i64>,
    ) -> Result<Consumer, Refused> {
        let project = self.enter(caller, management::CONSUMERS_WRITE, project).await?;
        let before = self.consumer_row(&project, id_or_external_id).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        let set = merge(&mut row, input)?;
        if row == before {
            return rows::consumer(&row);
        }
        if project.system {
            let switched_on = before.disabled && !row.disabled;
            let was = (!switched_on).then_some(before.ceiling.as_deref());
            patterns::ceiling_not_wider(caller, was, row.ceiling.as_deref())?;
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::consumer(&row)?;
        let event = self.event(caller, "consumer.update", target(&row));
        let event = with_difference(event, Some(&rows::consumer(&before)?), Some(&shown));
        self.act(move |tx| {
            Box::pin(async move {
                patterns::ground_ceiling(tx, &project, set.as_ref()).await?;
                let updated = tx.update_consumer(&row, before.version).await;
                if !updated.map_err(taken)? {
                    let now = tx.consumer(row.organization_id, row.id).await?;
                    return Err(versions::overtaken(now.map(|row| row.version), "consumer"));
                }
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// Deletes a consumer that no key is issued to or owned by.
    ///
    /// # Errors
    /// When the caller may not, it has keys, or the version is another.
    pub async fn delete_consumer(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_external_id: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let project = self.enter(caller, management::CONSUMERS_WRITE, project).await?;
        let id = self.consumer_row(&project, id_or_external_id).await?.id;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.consumer(project.organization, id).await?;
                let row = row.ok_or(Refused::not_found("consumer"))?;
                versions::expect(if_match, row.version)?;
                unused(tx, id).await?;
                let deleted = tx.delete_consumer(row.organization_id, id).await;
                deleted.map_err(|error| match error {
                    StoreError::Referenced => in_use("A key was just issued to it.".into()),
                    other => other.into(),
                })?;
                tx.delete_meter(MeterId::Consumer(id)).await?;
                let event = this.event(&caller, "consumer.delete", target(&row));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&rows::consumer(&row)?), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    async fn consumer_row(
        &self,
        project: &ProjectCell,
        id_or_external_id: &str,
    ) -> Result<ConsumerRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match id_or_external_id.parse::<ConsumerId>() {
            Ok(id) => {
                reader.consumer(project.organization, id).await?.filter(|row| row.project_id == project.id)
            }
            Err(_) => reader.consumer_by_external_id(project.id, id_or_external_id).await?,
        };
        row.ok_or(Refused::not_found("consumer"))
    }
}

/// A creation is the change of everything.
fn whole(input: CreateConsumer) -> UpdateConsumer {
    UpdateConsumer {
        name: Some(input.name),
        external_id: Some(input.external_id),
        contact: Some(input.contact),
        ceiling: Some(input.ceiling),
        limits: Some(input.limits),
        quota: Some(input.quota),
        disabled: None,
    }
}

/// Writes what was sent into the row. Answers the patterns of a new ceiling, to be grounded.
fn merge(row: &mut ConsumerRow, input: UpdateConsumer) -> Result<Option<PermissionSet>, Refused> {
    if let Some(name) = input.name {
        name::display_name("/name", &name)?;
        row.name = name;
    }
    if let Some(external_id) = input.external_id {
        if let Some(external_id) = &external_id {
            name::external_id("/external_id", external_id)?;
        }
        row.external_id = external_id;
    }
    if let Some(contact) = input.contact {
        if let Some(contact) = &contact {
            name::contact("/contact", contact)?;
        }
        row.contact = contact;
    }
    if input.limits.is_some() || input.quota.is_some() {
        merge_rules(row, input.limits, input.quota)?;
    }
    row.disabled = input.disabled.unwrap_or(row.disabled);
    let Some(ceiling) = input.ceiling else {
        return Ok(None);
    };
    row.ceiling = ceiling.as_ref().map(to_json).transpose()?;
    let set = ceiling.map(|ceiling| patterns::read(patterns::CEILING, &ceiling));
    Ok(set.transpose()?)
}

fn merge_rules(
    row: &mut ConsumerRow,
    limits: Option<Vec<LimitSpec>>,
    quota: Option<Option<QuotaSpec>>,
) -> Result<(), Refused> {
    let limits = match limits {
        Some(limits) => limits,
        None => json(&row.limits)?,
    };
    let quota = match quota {
        Some(quota) => quota,
        None => row.quota.as_deref().map(json).transpose()?,
    };
    MeterRules::compile(&limits, quota.as_ref(), None)?;
    row.limits = to_json(&limits)?;
    row.quota = quota.as_ref().map(to_json).transpose()?;
    Ok(())
}

async fn unused(tx: &mut Tx, id: ConsumerId) -> Result<(), Refused> {
    let issued = tx.keys_of_consumer(id).await?;
    let owned = tx.keys_of_owner(OwnerId::Consumer(id)).await?;
    if issued > 0 || owned > 0 {
        return Err(in_use(format!("Keys issued to it: {issued}. Keys that it owns: {owned}.")));
    }
    Ok(())
}

fn in_use(detail: String) -> Refused {
    Refused::conflict(
        format!("The consumer is still in use. {detail}"),
        "Revoke and delete its keys first (a revoked key counts until it is deleted), or disable it.",
    )
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::ConsumerExternalId) => Refused::conflict(
            "The project has a consumer with this external id.",
            "Send another external id, or change that consumer.",
        ),
        other => other.into(),
    }
}

fn target(row: &ConsumerRow) -> Target<'_> {
    Target { kind: "consumer", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

fn change(row: &ConsumerRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Consumer, row.id.0)
}
