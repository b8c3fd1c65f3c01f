//! Members: people in an organization. The account that one signs in with may belong to several.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{AccountId, MemberId, OrganizationId};
use keystead_domain::time::Micros;

row! {
    /// A member.
    #[derive(Debug)]
    MemberRow {
        /// Its id.
        id: MemberId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Who signs in as it; nobody until the person has joined.
        account_id: Option<AccountId>,
        /// Where the person is reached, in its one canonical form.
        email: String,
        /// The person's name.
        name: String,
        /// What the person may do whatever their teams, as JSON.
        grants: String,
        /// Whether everything of theirs is refused.
        disabled: bool,
        /// Since when.
        disabled_at: Option<Micros>,
        /// When the person joined.
        joined_at: Option<Micros>,
        /// When it was made.
        created_at: Micros,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, account_id, email, name, grants, disabled, disabled_at, joined_at, created_at, \
         updated_at, version"
    };
}

statements! {
    INSERT(12) = concat!("INSERT INTO members (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    UPDATE(12) = "UPDATE members SET account_id = $1, email = $2, name = $3, grants = $4, disabled = $5, \
        disabled_at = $6, joined_at = $7, updated_at = $8, version = $9 \
        WHERE id = $10 AND organization_id = $11 AND version = $12";
    DELETE(2) = "DELETE FROM members WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM members WHERE organization_id = $1 AND id = $2");
    BY_EMAIL(2) = concat!("SELECT ", columns!(), " FROM members WHERE organization_id = $1 AND email = $2");
    OF_ACCOUNT(1) = concat!("SELECT ", columns!(), " FROM members WHERE account_id = $1 ORDER BY created_at, id");
    PAGE(4) = concat!("SELECT ", columns!(), " FROM members WHERE organization_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    ALL(0) = concat!("SELECT ", columns!(), " FROM members");
}

impl Conn {
    /// An organization's member by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn member(
        &mut self,
        organization: OrganizationId,
        id: MemberId,
    ) -> Result<Option<MemberRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// An organization's member by its e-mail address in canonical form.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn member_by_email(
        &mut self,
        organization: OrganizationId,
        email: &str,
    ) -> Result<Option<MemberRow>, StoreError> {
        self.row(&BY_EMAIL, [organization.value(), Value::Text(Some(email))]).await
    }

    /// Every place that an account has, in whatever organization, oldest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn members_of_account(&mut self, account: AccountId) -> Result<Vec<MemberRow>, StoreError> {
        self.rows(&OF_ACCOUNT, [account.value()]).await
    }

    /// A page of an organization's members, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn members(
        &mut self,
        organization: OrganizationId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<MemberRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), at.value(), id.value(), limit(rows_max)]).await
    }

    /// Every member of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_members(&mut self) -> Result<Vec<MemberRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a member.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its e-mail is taken in the organization, or when the database cannot answer.
    pub async fn insert_member(&mut self, row: &MemberRow) -> Result<(), StoreError> {
        self.write("members", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a member; `false` when its version is no longer the expected one, or there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its e-mail or account is taken in the organization, or when the database
    /// cannot answer.
    pub async fn update_member(
        &mut self,
        row: &MemberRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.account_id.value(),
            row.email.value(),
            row.name.value(),
            row.grants.value(),
            row.disabled.value(),
            row.disabled_at.value(),
            row.joined_at.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("members", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a member, and as whom identity providers know them; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a key or a seat still refers to it, or when the database cannot answer.
    pub async fn delete_member(
        &mut self,
        organization: OrganizationId,
        id: MemberId,
    ) -> Result<bool, StoreError> {
        self.delete_identities_of_member(organization, id).await?;
        self.write("members", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
