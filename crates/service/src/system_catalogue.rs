//! The catalogue of system projects after an upgrade: it has every permission that this version knows.
//! Without that nobody, however wide their key, could do what is new.

use crate::Keystead;
use crate::act::{Target, with_difference};
use crate::management::{self, Management};
use crate::organizations::{PREFIX, permission_row};
use crate::projects::hold;
use crate::refused::Refused;
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::PermissionId;
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
            if !missing.is_empty() {
                self.add_to_catalogue(project, missing).await?;
            }
        }
        Ok(())
    }

    async fn add_to_catalogue(
        self: &Arc<Self>,
        project: Arc<ProjectCell>,
        missing: Vec<Management>,
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
                let id = project.id.to_string();
                let target = Target { kind: "project", id, name: PREFIX, project: Some(project.id) };
                let event = this.own_event(project.organization, "catalogue.complete", target);
                let after = serde_json::json!({ "permissions": names });
                // The whole catalogue is read again, by its project.
                let changes = vec![Change::new(project.organization, ChangeKind::Permission, project.id.0)];
                Ok(Acted { value: (), events: vec![with_difference(event, None, Some(&after))], changes })
            })
        })
        .await
    }
}
