//! The key that administers an organization: its first, and another when that was lost.

use crate::Keystead;
use crate::keyring::Keyring;
use crate::organizations::PREFIX;
use crate::refused::Refused;
use keystead_api::PermissionGrant;
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, ServiceAccountId};
use keystead_domain::policy::PolicySpec;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_store::{Acted, Change, ChangeKind, KeyRow, Tx};
use rand_core::Rng;
use std::sync::Arc;

/// A new administrator's key, on its way into the store.
pub(crate) struct AdminKey {
    pub(crate) row: KeyRow,
    pub(crate) key: PlainKey,
    policy: String,
}

impl AdminKey {
    /// Mints one that may do everything in its organization, owned by its administrator account.
    pub(crate) fn mint(
        keyring: &Keyring,
        rng: &mut dyn Rng,
        (organization, project, environment, account): (
            OrganizationId,
            ProjectId,
            EnvironmentId,
            ServiceAccountId,
        ),
        now: Micros,
    ) -> Result<Self, Refused> {
        let pepper = keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        let everything = vec![PermissionGrant::Everywhere("**".into())];
        let policy = PolicySpec { permissions: everything, ..PolicySpec::default() }.to_json();
        let id = KeyId::random(rng);
        let key = PlainKey::mint(PREFIX, "live", id, rng);
        let token = key.token().ok_or_else(|| Refused::Internal("a minted key does not parse".into()))?;
        let row = KeyRow {
            id,
            organization_id: organization,
            environment_id: environment,
            lineage_id: id,
            kind: "private".into(),
            digest: *pepper.digest(organization, id, &token).as_bytes(),
            pepper_version: i64::from(pepper.version()),
            owner: OwnerId::ServiceAccount(account),
            consumer_id: None,
            policy_hash: PolicySpec::hash_of(&policy),
            disabled: false,
            suspended_until: None,
            revoked_at: None,
            not_before: None,
            expires_at: None,
            project_id: project,
            name: "Administrator".into(),
            start: token.start().into(),
            revoked_reason: None,
            metadata: None,
            created_at: now,
            created_by: None,
            created_from: None,
            updated_at: now,
            version: 1,
            parent_id: None,
            uses: None,
            may_mint: None,
        };
        Ok(Self { row, key, policy })
    }

    pub(crate) async fn write(&self, tx: &mut Tx) -> Result<(), Refused> {
        tx.insert_policy(self.row.organization_id, &self.row.policy_hash, &self.policy).await?;
        Ok(tx.insert_key(&self.row, &[], &[], &[]).await?)
    }
}

impl Keystead {
    /// Issues another administrator's key for the operator's organization. Whoever can start the
    /// server on its data folder is its operator; the audit says that the server did it.
    pub(crate) async fn reissue_admin_key(self: &Arc<Self>) -> Result<PlainKey, Refused> {
        let missing = |what: &str| Refused::Internal(format!("the operator's organization has no {what}"));
        let mut reader = self.store.read().await?;
        let organizations = reader.all_organizations().await?;
        let operator = organizations.into_iter().min_by_key(|row| (row.created_at, row.id));
        let organization = operator.ok_or_else(|| missing("row"))?.id;
        let directory = &self.keyring.directory;
        let project = directory.project(organization, PREFIX).ok_or_else(|| missing("system project"))?;
        let place = directory.place(project.id, "production").ok_or_else(|| missing("environment"))?;
        let account = reader.service_account_by_name(project.id, "administrator").await?;
        let account = account.ok_or_else(|| missing("account called administrator"))?.id;
        let ids = (organization, project.id, place.environment, account);
        let admin = self.entropy.with(|rng| AdminKey::mint(&self.keyring, rng, ids, self.clock.now()))?;
        let event = self.own_key_event("key.create", &admin.row);
        let changes = vec![Change::new(organization, ChangeKind::Key, admin.row.id.as_bytes())];
        self.act(move |tx| {
            Box::pin(async move {
                admin.write(tx).await?;
                Ok(Acted { value: admin.key, events: vec![event], changes })
            })
        })
        .await
    }
}
