//! Bringing policies into force: on load, and when one changes.

use super::{language, read};
use crate::Keystead;
use crate::keyring::Directory;
use crate::refused::Refused;
use keystead_domain::ids::OrganizationId;
use keystead_policies::{AccessPolicy, Rules};
use keystead_store::{AccessPolicyRow, Reader};
use std::collections::HashMap;
use std::sync::Arc;

impl Keystead {
    /// The policies of an organization as they are now; what did not change is not read again.
    pub(crate) async fn apply_access_policies(&self, organization: OrganizationId) -> Result<(), Refused> {
        let rows = self.store.read().await?.access_policies_in_force(organization).await?;
        put(&self.keyring.directory, organization, rows).await
    }
}

/// Those of every organization; whoever has none any more has none from then on.
pub(crate) async fn load(reader: &mut Reader, directory: &Directory) -> Result<(), Refused> {
    let mut of: HashMap<OrganizationId, Vec<AccessPolicyRow>> =
        directory.with_rules().into_iter().map(|organization| (organization, Vec::new())).collect();
    for row in reader.all_access_policies().await? {
        of.entry(row.organization_id).or_default().push(row);
    }
    for (organization, rows) in of {
        put(directory, organization, rows).await?;
    }
    Ok(())
}

async fn put(
    directory: &Directory,
    organization: OrganizationId,
    rows: Vec<AccessPolicyRow>,
) -> Result<(), Refused> {
    if rows.is_empty() {
        directory.put_rules(organization, None);
        return Ok(());
    }
    let before = directory.rules(organization);
    let mut policies: Vec<Arc<AccessPolicy>> = Vec::with_capacity(rows.len());
    for row in rows {
        let known = before.as_ref().and_then(|rules| rules.policy(row.id));
        if let Some(known) = known.filter(|known| known.version == row.version) {
            policies.push(Arc::clone(known));
            continue;
        }
        let (id, name) = (row.id, row.name.clone());
        let policy = read(row).await?;
        if let Some(mistake) = policy.mistakes().first() {
            tracing::error!(%id, name, %mistake, "a policy is not valid in this version; everything that it could be about is refused until it is changed");
        }
        policies.push(Arc::new(policy));
    }
    let (known, resolve) = (Arc::clone(directory.known()), directory.resolve());
    directory.put_rules(organization, Some(Arc::new(Rules::new(language()?, policies, known, resolve))));
    Ok(())
}
