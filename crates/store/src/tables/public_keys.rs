//! Public keys, sealed, so that they can be read again.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{KeyId, OrganizationId, ProjectId};

statements! {
    SEALED(2) = "SELECT sealed FROM public_keys WHERE organization_id = $1 AND key_id = $2";
    // It goes with its key.
    INSERT(3) = "INSERT INTO public_keys (key_id, organization_id, sealed) VALUES ($1, $2, $3)";
    GRANTED(2) = "SELECT count(*) FROM key_grants JOIN keys ON keys.id = key_grants.key_id \
        WHERE key_grants.project_id = $1 AND key_grants.name = $2 AND keys.kind = 'public'";
}

impl Conn {
    /// An organization's public key, sealed.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sealed_key(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.row::<(Vec<u8>,), 2>(&SEALED, [organization.value(), id.value()]).await?;
        Ok(row.map(|(sealed,)| sealed))
    }

    /// How many unpurged public keys of that project name that permission exactly.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn public_keys_granted(&mut self, project: ProjectId, name: &str) -> Result<i64, StoreError> {
        self.number(&GRANTED, [project.value(), Value::Text(Some(name))]).await
    }
}

impl Tx {
    /// Keeps a public key, sealed. The key must be there: see [`Self::insert_key`].
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when it is not, or when the database cannot answer.
    pub async fn insert_sealed_key(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let values = [id.value(), organization.value(), Value::Bytes(Some(sealed))];
        self.write("public_keys", id.as_bytes(), &INSERT, values).await.map(|_| ())
    }
}
