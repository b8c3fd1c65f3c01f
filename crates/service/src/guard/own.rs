//! The environments whose APIs the installation's own proxies stand before.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::cells::Place as Environment;
use keystead_domain::ids::OrganizationId;
use std::sync::Arc;

impl Keystead {
    /// The organization that the installation's own proxy is for: that of the name (id or slug), or the only one.
    ///
    /// # Errors
    /// When there is none, or there are several and none was named.
    pub async fn own_organization(self: &Arc<Self>, name: Option<&str>) -> Result<OrganizationId, Refused> {
        let mut reader = self.store.read().await?;
        let Some(name) = name else {
            let rows = reader.organizations(None, 2).await?;
            let fix = "Name the one whose keys are asked, as `organization` of the guard.";
            return match &rows[..] {
                [] => Err(Refused::not_found("organization")),
                [only] => Ok(only.id),
                _ => Err(Refused::conflict("There are several organizations.", fix)),
            };
        };
        let row = match name.parse::<OrganizationId>() {
            Ok(id) => reader.organization(id).await?,
            Err(_) => reader.organization_by_slug(name).await?,
        };
        row.map(|row| row.id).ok_or(Refused::not_found("organization"))
    }

    /// An environment by names, as they are now; no wait. Keystead's own API is none: it guards itself.
    #[must_use]
    pub fn own_environment(
        &self,
        organization: OrganizationId,
        project: &str,
        environment: &str,
    ) -> Option<Arc<Environment>> {
        let directory = &self.keyring.directory;
        let project = directory.project(organization, project).filter(|project| !project.system)?;
        directory.place(project.id, environment)
    }
}
