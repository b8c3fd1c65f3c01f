//! Projects: what a team works on.

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::guardrails::enforce;
use crate::present::rows;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{CreateProject, Page, PageQuery, Project, UpdateProject};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::ProjectId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_store::{Acted, After, Change, ChangeKind, ProjectRow, Reader, StoreError, Tx, Unique};
use std::sync::Arc;

/// Rows read at once while looking for those that a caller may see.
const CHUNK: u32 = 1_000;
/// How often a project's row is tried to be held while others write it.
const HOLD_TRIES_MAX: u32 = 8;

impl Keystead {
    /// Creates a project.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or the slug is taken.
    pub async fn create_project(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreateProject,
    ) -> Result<Project, Refused> {
        self.authorise(caller, management::PROJECTS_WRITE, None).await?;
        name::display_name("/name", &input.name)?;
        name::slug("/slug", &input.slug)?;
        let now = self.clock.now();
        let row = ProjectRow {
            id: self.entropy.with(|rng| ProjectId::random(rng)),
            organization_id: caller.organization(),
            prefix: prefix(input.prefix, &input.slug)?,
            name: input.name,
            slug: input.slug,
            system: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let shown = rows::project(&row);
        let event = self.event(caller, "project.create", target(&row));
        let event = with_difference(event, None, Some(&shown));
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let guard = enforce::guard_of_organization(tx, row.organization_id).await?;
                enforce::refuse(guard.prefix_violations(&row.prefix))?;
                tx.insert_project(&row).await.map_err(taken)?;
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// The projects that the caller may see, newest first.
    ///
    /// # Errors
    /// When the caller may see none.
    pub async fn list_projects(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<Project>, Refused> {
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let sees_all = caller.may(management::PROJECTS_READ, None);
        let resource = if sees_all {
            None
        } else {
            let some = visible(&mut self.store.read().await?, caller, None, 1).await?;
            some.first().map(resource_of)
        };
        self.authorise(caller, management::PROJECTS_READ, resource.as_deref()).await?;
        let mut reader = self.store.read().await?;
        let rows = if sees_all {
            reader.projects(caller.organization(), cut.after, cut.rows()).await?
        } else {
            visible(&mut reader, caller, cut.after, cut.rows()).await?
        };
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(rows::project(&row)))
    }

    /// One project, by id or slug.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn project(self: &Arc<Self>, caller: &Caller, id_or_slug: &str) -> Result<Project, Refused> {
        let project = self.enter(caller, management::PROJECTS_READ, id_or_slug).await?;
        self.project_row(&project).await.map(|row| rows::project(&row))
    }

    /// Changes a project. Keys that exist keep their prefix.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or the version is another.
    pub async fn update_project(
        self: &Arc<Self>,
        caller: &Caller,
        id_or_slug: &str,
        input: UpdateProject,
        if_match: Option<i64>,
    ) -> Result<Project, Refused> {
        let project = self.enter(caller, management::PROJECTS_WRITE, id_or_slug).await?;
        if project.system {
            return Err(Refused::conflict(
                "The system project is managed by Keystead.",
                "Change one of your own projects.",
            ));
        }
        let before = self.project_row(&project).await?;
        versions::expect(if_match, before.version)?;
        let mut row = before.clone();
        if let Some(name) = input.name {
            name::display_name("/name", &name)?;
            row.name = name;
        }
        if let Some(prefix) = input.prefix {
            name::key_prefix("/prefix", &prefix)?;
            row.prefix = prefix;
        }
        if row == before {
            return Ok(rows::project(&row));
        }
        row.version += 1;
        row.updated_at = self.clock.now();
        let shown = rows::project(&row);
        let event = self.event(caller, "project.update", target(&row));
        let event = with_difference(event, Some(&rows::project(&before)), Some(&shown));
        self.act(move |tx| {
            Box::pin(async move {
                if row.prefix != before.prefix {
                    let guard = enforce::guard_of(tx, &project).await?;
                    enforce::refuse(guard.prefix_violations(&row.prefix))?;
                }
                if !tx.update_project(&row, before.version).await? {
                    let now = tx.project(row.organization_id, row.id).await?;
                    return Err(versions::overtaken(now.map(|row| row.version), "project"));
                }
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// The caller's project that a path names, once the caller may do this in it.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        caller: &Caller,
        permission: &'static str,
        id_or_slug: &str,
    ) -> Result<Arc<ProjectCell>, Refused> {
        let project = self
            .keyring
            .directory
            .project(caller.organization(), id_or_slug)
            .ok_or(Refused::not_found("project"))?;
        self.authorise(caller, permission, Some(&project.resource)).await?;
        Ok(project)
    }

    async fn project_row(&self, project: &ProjectCell) -> Result<ProjectRow, Refused> {
        let mut reader = self.store.read().await?;
        reader.project(project.organization, project.id).await?.ok_or(Refused::not_found("project"))
    }
}

/// Holds a project's row until the transaction's end, so that of two acts that check each other's
/// rows (a role that names a permission, and that permission's deletion) one waits for the other.
pub(crate) async fn hold(tx: &mut Tx, project: &ProjectCell) -> Result<(), Refused> {
    for _ in 0..HOLD_TRIES_MAX {
        let row = tx.project(project.organization, project.id).await?;
        let row = row.ok_or(Refused::not_found("project"))?;
        // Writes nothing new, and so locks the row on PostgreSQL; SQLite has one writer anyway.
        if tx.update_project(&row, row.version).await? {
            return Ok(());
        }
    }
    Err(StoreError::Conflict.into())
}

/// The next projects that a caller whose grant is narrowed may see, read until there are enough or
/// no more rows.
async fn visible(
    reader: &mut Reader,
    caller: &Caller,
    mut after: After<[u8; 16]>,
    rows_max: u32,
) -> Result<Vec<ProjectRow>, Refused> {
    let rows_max = rows_max as usize;
    let mut found = Vec::new();
    loop {
        let rows = reader.projects(caller.organization(), after, CHUNK).await?;
        let is_last = rows.len() < CHUNK as usize;
        after = rows.last().map(|row| (row.created_at, row.id.0));
        found.extend(
            rows.into_iter().filter(|row| caller.may(management::PROJECTS_READ, Some(&resource_of(row)))),
        );
        if is_last || found.len() >= rows_max {
            found.truncate(rows_max);
            return Ok(found);
        }
    }
}

/// As in [`ProjectCell::resource`].
fn resource_of(row: &ProjectRow) -> String {
    format!("projects/{}", row.id)
}

/// The prefix as sent, else the slug's, where that is one.
fn prefix(sent: Option<String>, slug: &str) -> Result<String, Invalid> {
    if let Some(prefix) = sent {
        name::key_prefix("/prefix", &prefix)?;
        return Ok(prefix);
    }
    let prefix = slug.replace('-', "_");
    name::key_prefix("/prefix", &prefix).map_err(|_| {
        Invalid::new(
            "/prefix",
            "The slug makes no key prefix: that has 1 to 32 characters and begins with a letter.",
            "Send a `prefix` such as `acme`.",
        )
    })?;
    Ok(prefix)
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::ProjectSlug) => {
            Refused::conflict("A project with this slug exists.", "Choose another slug.")
        }
        other => other.into(),
    }
}

fn target(row: &ProjectRow) -> Target<'_> {
    Target { kind: "project", id: row.id.to_string(), name: &row.name, project: Some(row.id) }
}

fn change(row: &ProjectRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Project, row.id.0)
}
