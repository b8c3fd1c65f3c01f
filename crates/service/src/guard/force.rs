//! Bringing guards into force: on load, and when one changes.

use super::rules;
use crate::Keystead;
use crate::keyring::Directory;
use crate::refused::Refused;
use keystead_domain::ids::{OrganizationId, ProjectId};
use keystead_guard::Compiled;
use keystead_store::{GuardRow, Reader};

impl Keystead {
    /// A project's guard as it is now.
    pub(crate) async fn apply_guard(
        &self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<(), Refused> {
        if let Some(row) = self.store.read().await?.guard(organization, project).await? {
            put(&self.keyring.directory, &row)?;
        }
        Ok(())
    }
}

/// Those of every project.
pub(crate) async fn load(reader: &mut Reader, directory: &Directory) -> Result<(), Refused> {
    for row in reader.all_guards().await? {
        put(directory, &row)?;
    }
    Ok(())
}

fn put(directory: &Directory, row: &GuardRow) -> Result<(), Refused> {
    let compiled = Compiled::new(&rules(row)?)
        .map_err(|_| Refused::Internal("the database holds a guard that is none".into()))?;
    directory.put_guard(row.project_id, compiled);
    Ok(())
}
