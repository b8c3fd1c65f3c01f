//! The catalogue of system projects after an upgrade: it has every permission and every built-in role that this
//! version knows. Without that nobody, however wide their key, could do what is new.

use crate::Keystead;
use crate::act::{Target, with_difference};
use crate::management::{self, BuiltInRole, Management};
use crate::organizations::{PREFIX, permission_row, role_row};
use crate::projects::hold;
use crate::refused::Refused;
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::{PermissionId, RoleId};
use keystead_store::{Acted, Change, ChangeKind};
use std::sync::Arc;

impl Keystead {
    /// Adds the management permissions that an organization's system project does not have yet.
    pub(crate) async fn complete_system_catalogues(self: &Arc<Self>) -> Result<(), Refused> {
        let organizations = self.store.read().await?.all_organizations().await?;
        for organization in organizations {
            let Some(project) = self.keyring.directory.project(organization.id, PREFIX) else { continue };
            let known = project.catalogue.load_full();
            let missing: Vec<Management> =
                management::ALL.iter().filter(|one| !known.knows(one.name)).copied().collect();
            let roles = self.missing_roles(&project).await?;
            if !missing.is_empty() || !roles.is_empty() {
                self.add_to_catalogue(project, missing, roles).await?;
            }
        }
        Ok(())
    }

    async fn missing_roles(&self, project: &ProjectCell) -> Result<Vec<BuiltInRole>, Refused> {
        let known = self.store.read().await?.roles_in(project.id).await?;
        let is_known = |role: &BuiltInRole| known.iter().any(|row| row.name == role.name);
        Ok(management::ROLES.iter().filter(|role| !is_known(role)).copied().collect())
    }

    async fn add_to_catalogue(
        self: &Arc<Self>,
        project: Arc<ProjectCell>,
        missing: Vec<Management>,
        roles: Vec<BuiltInRole>,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        let this = Arc::clone(self);
        self.act(move |tx| {
            Box::pin(async move {
                // Another node that starts at the same time adds them, too.
                hold(tx, &project).await?;
                let mut names = Vec::new();
                for management in &missing {
                    if tx.permission_by_name(project.id, management.name).await?.is_none() {
                        let id = this.entropy.with(|rng| PermissionId::random(rng));
                        let row = permission_row(management, id, project.organization, project.id, now);
                        tx.insert_permission(&row).await?;
                        names.push(management.name);
                    }
                }
                // The whole catalogue is read again, by its project.
                let mut changes =
                    vec![Change::new(project.organization, ChangeKind::Permission, project.id.0)];
                for role in &roles {
                    if tx.role_by_name(project.id, role.name).await?.is_none() {
                        let id = this.entropy.with(|rng| RoleId::random(rng));
                        tx.insert_role(&role_row(role, id, project.organization, project.id, now)).await?;
                        changes.push(Change::new(project.organization, ChangeKind::Role, id.0));
                    }
                }
                let id = project.id.to_string();
                let target = Target { kind: "project", id, name: PREFIX, project: Some(project.id) };
                let event = this.own_event(project.organization, "catalogue.complete", target);
                let roles: Vec<&str> = roles.iter().map(|role| role.name).collect();
                let after = serde_json::json!({ "permissions": names, "roles": roles });
                Ok(Acted { value: (), events: vec![with_difference(event, None, Some(&after))], changes })
            })
        })
        .await
    }
}
