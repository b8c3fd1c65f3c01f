//! Identity providers of organizations.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{IdentityProviderId, OrganizationId};
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// An identity provider.
    IdentityProviderRow {
        /// Its id.
        id: IdentityProviderId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its name, unique in the organization.
        name: String,
        /// By which name it signs; never changes.
        issuer: String,
        /// By which id it knows us.
        client_id: String,
        /// Our secret there, sealed; a public client has none.
        sealed: Option<Vec<u8>>,
        /// What it is asked for, as a JSON list.
        scopes: String,
        /// In which claim it tells groups.
        groups_claim: Option<String>,
        /// Which group is which team, as JSON.
        group_teams: String,
        /// In which domains addresses lead to members, as a JSON list.
        email_domains: String,
        /// Whether who signs in with such an address and is no member becomes one.
        just_in_time: bool,
        /// Whether the organization's members sign in through a provider only.
        enforced: bool,
        /// When it was made.
        created_at: Micros,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
    }
}

impl fmt::Debug for IdentityProviderRow {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProviderRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, name, issuer, client_id, sealed, scopes, groups_claim, group_teams, email_domains, \
         just_in_time, enforced, created_at, updated_at, version"
    };
}

statements! {
    INSERT(15) = concat!("INSERT INTO identity_providers (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");
    UPDATE(13) = "UPDATE identity_providers SET client_id = $1, sealed = $2, scopes = $3, groups_claim = $4, \
        group_teams = $5, email_domains = $6, just_in_time = $7, enforced = $8, updated_at = $9, version = $10 \
        WHERE id = $11 AND organization_id = $12 AND version = $13";
    DELETE(2) = "DELETE FROM identity_providers WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM identity_providers WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM identity_providers WHERE organization_id = $1 AND name = $2");
    OF(1) = concat!("SELECT ", columns!(), " FROM identity_providers WHERE organization_id = $1 ORDER BY created_at DESC, id DESC");
    // Writes nothing new, and so locks the rows until the transaction's end on both engines.
    HOLD(1) = "UPDATE identity_providers SET version = version WHERE organization_id = $1";
}

/// For which place the secret of a provider's client is sealed.
#[must_use]
pub fn provider_secret_place(id: IdentityProviderId) -> String {
    format!("identity_providers/{id}/sealed")
}

impl Conn {
    /// An organization's identity provider by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity_provider(
        &mut self,
        organization: OrganizationId,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProviderRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// An organization's identity provider by its name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity_provider_by_name(
        &mut self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<IdentityProviderRow>, StoreError> {
        self.row(&BY_NAME, [organization.value(), Value::Text(Some(name))]).await
    }

    /// An organization's identity providers, newest first: they are few.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity_providers(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<IdentityProviderRow>, StoreError> {
        self.rows(&OF, [organization.value()]).await
    }
}

impl Tx {
    /// Holds an organization's identity providers as they are until the transaction's end.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_identity_providers(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<IdentityProviderRow>, StoreError> {
        if self.execute(&HOLD, [organization.value()]).await? == 0 {
            return Ok(Vec::new());
        }
        self.identity_providers(organization).await
    }

    /// Adds an identity provider.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its name is taken, or when the database cannot answer.
    pub async fn insert_identity_provider(&mut self, row: &IdentityProviderRow) -> Result<(), StoreError> {
        self.write("identity_providers", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of an identity provider; `false` when its version is no longer the expected one, or
    /// there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_identity_provider(
        &mut self,
        row: &IdentityProviderRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.client_id.value(),
            row.sealed.value(),
            row.scopes.value(),
            row.groups_claim.value(),
            row.group_teams.value(),
            row.email_domains.value(),
            row.just_in_time.value(),
            row.enforced.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("identity_providers", &row.id.0, &UPDATE, values).await
    }

    /// Deletes an identity provider, of which no identity and no seat is left; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when one is left, or when the database cannot answer.
    pub async fn delete_identity_provider(
        &mut self,
        organization: OrganizationId,
        id: IdentityProviderId,
    ) -> Result<bool, StoreError> {
        self.write("identity_providers", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
