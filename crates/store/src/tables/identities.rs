//! Identities: people as an identity provider knows them, each of one member.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{AccountId, IdentityId, IdentityProviderId, MemberId, OrganizationId};
use keystead_domain::time::Micros;

row! {
    /// An identity.
    #[derive(Debug)]
    IdentityRow {
        /// Its id.
        id: IdentityId,
        /// Whose its provider is.
        organization_id: OrganizationId,
        /// Who knows the person.
        provider_id: IdentityProviderId,
        /// As which member they sign in.
        member_id: MemberId,
        /// Which account their sessions are of: one of its own.
        account_id: AccountId,
        /// By which name the provider knows the person, for ever.
        subject: String,
        /// When they first signed in.
        created_at: Micros,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, provider_id, member_id, account_id, subject, created_at"
    };
}

statements! {
    INSERT(7) = concat!("INSERT INTO identities (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    BY_SUBJECT(2) = concat!("SELECT ", columns!(), " FROM identities WHERE provider_id = $1 AND subject = $2");
    OF_MEMBER(2) = concat!("SELECT ", columns!(), " FROM identities WHERE provider_id = $1 AND member_id = $2");
    COUNT(1) = "SELECT count(*) FROM identities WHERE provider_id = $1";
    DELETE_OF_MEMBER(2) = "DELETE FROM identities WHERE organization_id = $1 AND member_id = $2 RETURNING id";
    DELETE_OF_PROVIDER(2) = "DELETE FROM identities WHERE organization_id = $1 AND provider_id = $2 RETURNING id";
}

impl Conn {
    /// A person as a provider knows them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity(
        &mut self,
        provider: IdentityProviderId,
        subject: &str,
    ) -> Result<Option<IdentityRow>, StoreError> {
        self.row(&BY_SUBJECT, [provider.value(), Value::Text(Some(subject))]).await
    }

    /// As whom a provider knows a member.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity_of_member(
        &mut self,
        provider: IdentityProviderId,
        member: MemberId,
    ) -> Result<Option<IdentityRow>, StoreError> {
        self.row(&OF_MEMBER, [provider.value(), member.value()]).await
    }

    /// How many people a provider knows.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identities_of_provider(&mut self, provider: IdentityProviderId) -> Result<i64, StoreError> {
        self.number(&COUNT, [provider.value()]).await
    }
}

impl Tx {
    /// Adds an identity.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when the provider knows the person, or the member as another;
    /// [`StoreError::Referenced`] when provider, member or account is gone; or when the database cannot answer.
    pub async fn insert_identity(&mut self, row: &IdentityRow) -> Result<(), StoreError> {
        self.write("identities", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Forgets as whom providers know a member.
    pub(crate) async fn delete_identities_of_member(
        &mut self,
        organization: OrganizationId,
        member: MemberId,
    ) -> Result<(), StoreError> {
        let gone: Vec<(Vec<u8>,)> =
            self.rows(&DELETE_OF_MEMBER, [organization.value(), member.value()]).await?;
        gone.iter().for_each(|(id,)| self.touch("identities", id));
        Ok(())
    }

    /// Forgets whom a provider knows; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_identities_of_provider(
        &mut self,
        organization: OrganizationId,
        provider: IdentityProviderId,
    ) -> Result<usize, StoreError> {
        let values = [organization.value(), provider.value()];
        let gone: Vec<(Vec<u8>,)> = self.rows(&DELETE_OF_PROVIDER, values).await?;
        gone.iter().for_each(|(id,)| self.touch("identities", id));
        Ok(gone.len())
    }
}
