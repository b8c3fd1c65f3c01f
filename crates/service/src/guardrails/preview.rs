//! What existing keys would be under other guardrails, before these are set.

use super::enforce::{guard_of, knowing};
use super::judge::Judge;
use super::report::CHUNK;
use super::{Home, layer, together};
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{GuardrailName, GuardrailScope, Guardrails, GuardrailsPreview};
use keystead_domain::cells::ProjectCell;
use keystead_domain::guardrails::{Guard, KeyFacts, Layer};
use keystead_store::{KeyFilter, Reader};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys looked at before it stops.
const SCAN_MAX: u64 = 200_000;

impl Keystead {
    /// How many keys of the organization would violate these guardrails beside the projects' own.
    ///
    /// # Errors
    /// When the caller may not set them, or a field breaks a rule.
    pub async fn preview_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        rules: &Guardrails,
    ) -> Result<GuardrailsPreview, Refused> {
        self.authorise(caller, management::GUARDRAILS_WRITE, None).await?;
        self.weigh(Home::of_organization(caller), rules).await
    }

    /// How many keys of a project would violate these guardrails beside the organization's.
    ///
    /// # Errors
    /// When there is no such project, the caller may not set them, or a field breaks a rule.
    pub async fn preview_project_guardrails(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        rules: &Guardrails,
    ) -> Result<GuardrailsPreview, Refused> {
        let project = self.enter(caller, management::GUARDRAILS_WRITE, project).await?;
        self.weigh(Home::of_project(project), rules).await
    }

    async fn weigh(&self, home: Home, rules: &Guardrails) -> Result<GuardrailsPreview, Refused> {
        let proposed = Layer::compile(home.scope(), rules)?;
        let mut reader = self.store.read().await?;
        let mut preview = GuardrailsPreview {
            keys_checked: 0,
            keys_violating: 0,
            keys_violating_now: 0,
            by_guardrail: std::collections::BTreeMap::new(),
            complete: true,
        };
        for project in self.projects_of(&mut reader, &home).await? {
            let now = guard_of(&mut reader, &project).await?;
            let compile = |from, row: Option<_>| row.as_ref().map(|row| layer(from, row)).transpose();
            let then = if home.project.is_some() {
                let row = reader.organization_guardrails(home.organization).await?;
                together(&project, compile(GuardrailScope::Organization, row)?, Some(proposed.clone()))
            } else {
                let row = reader.project_guardrails(home.organization, project.id).await?;
                together(&project, Some(proposed.clone()), compile(GuardrailScope::Project, row)?)
            };
            let then = knowing(&mut reader, &project, then).await?;
            self.compare(&mut reader, &project, (&now, &then), &mut preview).await?;
            if !preview.complete {
                break;
            }
        }
        Ok(preview)
    }

    /// The projects where the guardrails would hold.
    async fn projects_of(&self, reader: &mut Reader, home: &Home) -> Result<Vec<Arc<ProjectCell>>, Refused> {
        if let Some(project) = &home.project {
            return Ok(vec![Arc::clone(project)]);
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let rows = reader.projects(home.organization, after, CHUNK).await?;
            after = rows.last().map(|row| (row.created_at, row.id.0));
            let is_last = rows.len() < CHUNK as usize;
            let cells = rows.iter().filter(|row| !row.system);
            found.extend(cells.filter_map(|row| self.keyring.directory.project_by_id(row.id)));
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn compare(
        &self,
        reader: &mut Reader,
        project: &ProjectCell,
        (now, then): (&Guard, &Guard),
        preview: &mut GuardrailsPreview,
    ) -> Result<(), Refused> {
        let at = self.clock.now();
        let filter = KeyFilter::of(project.organization, project.id, at);
        let mut judge = Judge::new(now.counts_keys() || then.counts_keys(), at);
        let mut after = None;
        loop {
            let rows = reader.find_keys(&filter, after, CHUNK).await?;
            let is_last = rows.len() < CHUNK as usize;
            for (row, _) in rows {
                after = Some((row.created_at, row.id));
                let compared = |facts: &KeyFacts<'_>| {
                    let names = then.violations(facts).into_iter().map(|one| one.told.guardrail);
                    Some((!now.violations(facts).is_empty(), names.collect::<BTreeSet<GuardrailName>>()))
                };
                let Some((violates_now, names)) = judge.on(self, reader, &row, compared).await? else {
                    continue;
                };
                preview.keys_checked += 1;
                preview.keys_violating += u64::from(!names.is_empty());
                preview.keys_violating_now += u64::from(violates_now);
                for name in names {
                    *preview.by_guardrail.entry(name).or_default() += 1;
                }
                if preview.keys_checked >= SCAN_MAX {
                    preview.complete = false;
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}
