//! Environments of a project: a key belongs to exactly one.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::rows;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{CreateEnvironment, Environment, Page, PageQuery, UpdateEnvironment};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::EnvironmentId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_store::{Acted, Change, ChangeKind, EnvironmentRow, StoreError, Tx, Unique};
use std::sync::Arc;

/// The longest tag.
const TAG_BYTES_MAX: usize = 16;

impl Keystead {
    /// Creates an environment of a project.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or slug or tag are taken.
    pub async fn create_environment(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        input: CreateEnvironment,
    ) -> Result<Environment, Refused> {
        let project = self.enter(caller, management::PROJECTS_WRITE, project).await?;
        if project.system {
            return Err(Refused::conflict(
                "The system project has one environment, which is managed by Keystead.",
                "Create the environment in one of your own projects.",
            ));
        }
        name::display_name("/name", &input.name)?;
        name::slug("/slug", &input.slug)?;
        let now = self.clock.now();
        let row = EnvironmentRow {
            id: self.entropy.with(|rng| EnvironmentId::random(rng)),
            organization_id: project.organization,
            project_id: project.id,
            tag: tag(input.tag, &input.slug)?,
            name: input.name,
            slug: input.slug,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let shown = rows::environment(&row);
        let event = self.event(caller, "environment.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                insert(tx, &row).await?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// A project's environments, newest first.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see it.
    pub async fn list_environments(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<Environment>, Refused> {
        let project = self.enter(caller, management::PROJECTS_READ, project).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.environments(project.organization, project.id, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(rows::environment(&row)))
    }

    /// One environment of a project, by id or slug.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn environment(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_slug: &str,
    ) -> Result<Environment, Refused> {
        let project = self.enter(caller, management::PROJECTS_READ, project).await?;
        let row = self.environment_row(&project, id_or_slug).await?;
        Ok(rows::environment(&row))
    }

    /// Changes an environment. Its slug and tag never change.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or the version is another.
    pub async fn update_environment(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_slug: &str,
        input: UpdateEnvironment,
        if_match: Option<i64>,
    ) -> Result<Environment, Refused> {
        let project = self.enter(caller, management::PROJECTS_WRITE, project).await?;
        let before = self.environment_row(&project, id_or_slug).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        if let Some(name) = input.name {
            name::display_name("/name", &name)?;
            row.name = name;
        }
        if row == before {
            return Ok(rows::environment(&row));
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::environment(&row);
        let event = self.event(caller, "environment.update", target(&row));
        let event = with_difference(event, Some(&rows::environment(&before)), Some(&shown));
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.update_environment(&row, before.version).await? {
                    let now = tx.environment(row.organization_id, row.id).await?;
                    let version = now.map(|row| row.version);
                    return Err(versions::overtaken(version, "environment"));
                }
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// Deletes an environment that has no key.
    ///
    /// # Errors
    /// When the caller may not, it still has keys, or the version is another.
    pub async fn delete_environment(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        id_or_slug: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let project = self.enter(caller, management::PROJECTS_WRITE, project).await?;
        let id = self.environment_row(&project, id_or_slug).await?.id;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.environment(project.organization, id).await?;
                let row = row.ok_or(Refused::not_found("environment"))?;
                versions::expect(if_match, row.version)?;
                let keys = tx.keys_in_environment(id).await?;
                if keys > 0 {
                    return Err(in_use(format!("Keys in this environment: {keys}.")));
                }
                let deleted = tx.delete_environment(row.organization_id, id).await;
                deleted.map_err(|error| match error {
                    StoreError::Referenced => in_use("A key was just made in it.".into()),
                    other => other.into(),
                })?;
                let event = this.event(&caller, "environment.delete", target(&row));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&rows::environment(&row)), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    async fn environment_row(
        &self,
        project: &ProjectCell,
        id_or_slug: &str,
    ) -> Result<EnvironmentRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match id_or_slug.parse::<EnvironmentId>() {
            Ok(id) => {
                reader.environment(project.organization, id).await?.filter(|row| row.project_id == project.id)
            }
            Err(_) => reader.environment_by_slug(project.id, id_or_slug).await?,
        };
        row.ok_or(Refused::not_found("environment"))
    }
}

/// The tag as sent, else the usual one, else the slug's letters and digits.
fn tag(sent: Option<String>, slug: &str) -> Result<String, Invalid> {
    if let Some(tag) = sent {
        name::environment_tag("/tag", &tag)?;
        return Ok(tag);
    }
    Ok(match slug {
        "production" => "live".into(),
        "staging" => "test".into(),
        "development" => "dev".into(),
        _ => slug.chars().filter(char::is_ascii_alphanumeric).take(TAG_BYTES_MAX).collect(),
    })
}

fn in_use(detail: String) -> Refused {
    Refused::conflict(
        format!("The environment is still in use. {detail}"),
        "Revoke and delete its keys first; a revoked key counts until it is deleted.",
    )
}

/// Looked up first: where slug and tag are both taken, the engines would name one or the other.
async fn insert(tx: &mut Tx, row: &EnvironmentRow) -> Result<(), Refused> {
    let other = tx.environment_by_slug(row.project_id, &row.slug).await?;
    if other.is_some() {
        return Err(taken(StoreError::Unique(Unique::EnvironmentSlug), row));
    }
    let inserted = tx.insert_environment(row).await;
    inserted.map_err(|error| taken(error, row))
}

fn taken(error: StoreError, row: &EnvironmentRow) -> Refused {
    match error {
        StoreError::Unique(Unique::EnvironmentSlug) => {
            Refused::conflict("The project has an environment with this slug.", "Choose another slug.")
        }
        StoreError::Unique(Unique::EnvironmentTag) => Refused::conflict(
            format!("The project has an environment with the tag {}.", row.tag),
            "Send another `tag`.",
        ),
        other => other.into(),
    }
}

fn target(row: &EnvironmentRow) -> Target<'_> {
    Target { kind: "environment", id: row.id.to_string(), name: &row.name, project: Some(row.project_id) }
}

fn change(row: &EnvironmentRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Environment, row.id.0)
}
