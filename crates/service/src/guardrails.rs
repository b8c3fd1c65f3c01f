//! Guardrails: what keys may be at most, of an organization and of each of its projects.

pub(crate) mod enforce;
mod judge;
mod preview;
mod report;

use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{GuardrailScope, Guardrails, GuardrailsView};
use keystead_domain::cells::ProjectCell;
use keystead_domain::guardrails::{Guard, Layer};
use keystead_domain::ids::OrganizationId;
use keystead_store::{Acted, Conn, GuardrailsRow};
use std::sync::Arc;

/// Whose guardrails: an organization's, or one of its projects'.
#[derive(Debug, Clone)]
struct Home {
    organization: OrganizationId,
    project: Option<Arc<ProjectCell>>,
}

impl Keystead {
    /// The organization's guardrails.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn guardrails(self: &Arc<Self>, caller: &Caller) -> Result<GuardrailsView, Refused> {
        self.authorise(caller, management::GUARDRAILS_READ, None).await?;
        Home::of_organization(caller).view(&mut *self.store.read().await?).await
    }

    /// A project's guardrails, and all that holds there.
    ///
    /// # Errors
    /// When there is no such project, or the caller may not see its guardrails.
    pub async fn project_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
    ) -> Result<GuardrailsView, Refused> {
        let project = self.enter(caller, management::GUARDRAILS_READ, project).await?;
        Home::of_project(project).view(&mut *self.store.read().await?).await
    }

    /// Replaces the organization's guardrails. Keys that exist stay as they are: see the report.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, or the version is another.
    pub async fn set_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        rules: Guardrails,
        if_match: Option<i64>,
    ) -> Result<GuardrailsView, Refused> {
        self.authorise(caller, management::GUARDRAILS_WRITE, None).await?;
        self.replace_guardrails(caller, Home::of_organization(caller), rules, if_match).await
    }

    /// Replaces a project's guardrails. They hold besides the organization's and loosen none.
    ///
    /// # Errors
    /// When there is no such project, the caller may not, a field breaks a rule, or the version is
    /// another.
    pub async fn set_project_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        rules: Guardrails,
        if_match: Option<i64>,
    ) -> Result<GuardrailsView, Refused> {
        let project = self.enter(caller, management::GUARDRAILS_WRITE, project).await?;
        self.replace_guardrails(caller, Home::of_project(project), rules, if_match).await
    }

    async fn replace_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        home: Home,
        rules: Guardrails,
        if_match: Option<i64>,
    ) -> Result<GuardrailsView, Refused> {
        Layer::compile(home.scope(), &rules)?;
        let before = home.row(&mut *self.store.read().await?).await?;
        let version = before.as_ref().map_or(0, |row| row.version);
        versions::expect(if_match, version)?;
        let body = to_json(&rules)?;
        if before.as_ref().is_some_and(|row| row.body == body) {
            return home.view(&mut *self.store.read().await?).await;
        }
        let row = GuardrailsRow {
            id: home.id(),
            organization_id: home.organization,
            project_id: home.project.as_ref().map(|project| project.id),
            body,
            updated_at: self.clock.now(),
            version: version + 1,
        };
        let before: Option<Guardrails> = before.map(|row| json(&row.body)).transpose()?;
        let event = self.event(caller, "guardrails.update", home.target());
        let event = with_difference(event, before.as_ref(), Some(&rules));
        self.act(move |tx| {
            Box::pin(async move {
                let written = match version {
                    0 => tx.insert_guardrails(&row).await?,
                    version => tx.update_guardrails(&row, version).await?,
                };
                if !written {
                    let now = home.row(tx).await?;
                    return Err(versions::overtaken(now.map(|row| row.version), "project"));
                }
                // Nothing of them is resident: each act reads them itself.
                Ok(Acted { value: home.view(tx).await?, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}

impl Home {
    fn of_organization(caller: &Caller) -> Self {
        Self { organization: caller.organization(), project: None }
    }

    fn of_project(project: Arc<ProjectCell>) -> Self {
        Self { organization: project.organization, project: Some(project) }
    }

    fn scope(&self) -> GuardrailScope {
        if self.project.is_some() { GuardrailScope::Project } else { GuardrailScope::Organization }
    }

    fn id(&self) -> [u8; 16] {
        self.project.as_ref().map_or(self.organization.0, |project| project.id.0)
    }

    fn target(&self) -> Target<'_> {
        match &self.project {
            Some(project) => Target {
                kind: "guardrails",
                id: project.id.to_string(),
                name: &project.slug,
                project: Some(project.id),
            },
            None => Target {
                kind: "guardrails",
                id: self.organization.to_string(),
                name: "organization",
                project: None,
            },
        }
    }

    async fn row(&self, conn: &mut Conn) -> Result<Option<GuardrailsRow>, Refused> {
        Ok(match &self.project {
            Some(project) => conn.project_guardrails(self.organization, project.id).await?,
            None => conn.organization_guardrails(self.organization).await?,
        })
    }

    async fn view(&self, conn: &mut Conn) -> Result<GuardrailsView, Refused> {
        let row = self.row(conn).await?;
        let guard = match &self.project {
            Some(project) => enforce::guard_of(conn, project).await?,
            None => enforce::guard_of_organization(conn, self.organization).await?,
        };
        Ok(GuardrailsView {
            rules: row.as_ref().map(|row| json(&row.body)).transpose()?.unwrap_or_default(),
            effective: guard.effective(),
            updated_at: row.as_ref().map(|row| row.updated_at.to_timestamp()),
            version: row.map_or(0, |row| row.version),
        })
    }
}

/// A stored layer, compiled.
fn layer(from: GuardrailScope, row: &GuardrailsRow) -> Result<Layer, Refused> {
    Layer::compile(from, &json(&row.body)?)
        .map_err(|_| Refused::Internal("the database holds guardrails that are none".into()))
}

/// What holds for a project's keys: its own besides the organization's. The keys of a system project
/// guard Keystead's own API and have permissions of another catalogue, so only its own hold there.
fn together(project: &ProjectCell, organizations: Option<Layer>, own: Option<Layer>) -> Guard {
    if project.system { Guard::of(own, None) } else { Guard::of(organizations, own) }
}
