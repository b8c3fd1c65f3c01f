//! Service accounts: principals that are no person.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{OrganizationId, ProjectId, ServiceAccountId};
use keystead_domain::time::Micros;

row! {
    /// A service account.
    #[derive(Debug)]
    ServiceAccountRow {
        /// Its id.
        id: ServiceAccountId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its project.
        project_id: ProjectId,
        /// Its name, unique in its project.
        name: String,
        /// What it is, for people.
        description: String,
        /// What its keys may have at most, as JSON; everything when there is none.
        ceiling: Option<String>,
        /// Whether its keys are refused.
        disabled: bool,
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
        "id, organization_id, project_id, name, description, ceiling, disabled, created_at, updated_at, version"
    };
}

statements! {
    INSERT(10) = concat!("INSERT INTO service_accounts (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    UPDATE(9) = "UPDATE service_accounts SET name = $1, description = $2, ceiling = $3, disabled = $4, updated_at = $5, version = $6 WHERE id = $7 AND organization_id = $8 AND version = $9";
    DELETE(2) = "DELETE FROM service_accounts WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM service_accounts WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM service_accounts WHERE project_id = $1 AND name = $2");
    PAGE(5) = concat!("SELECT ", columns!(), " FROM service_accounts WHERE organization_id = $1 AND project_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5");
    ALL(0) = concat!("SELECT ", columns!(), " FROM service_accounts");
}

impl Conn {
    /// An organization's service account by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A service account by its name, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn service_account_by_name(
        &mut self,
        project: ProjectId,
        name: &str,
    ) -> Result<Option<ServiceAccountRow>, StoreError> {
        self.row(&BY_NAME, [project.value(), Value::Text(Some(name))]).await
    }

    /// A page of a project's service accounts, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn service_accounts(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<ServiceAccountRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }

    /// Every service account of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_service_accounts(&mut self) -> Result<Vec<ServiceAccountRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a service account.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_service_account(&mut self, row: &ServiceAccountRow) -> Result<(), StoreError> {
        self.write("service_accounts", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a service account; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_service_account(
        &mut self,
        row: &ServiceAccountRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.description.value(),
            row.ceiling.value(),
            row.disabled.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("service_accounts", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a service account; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a row still refers to it, or when the database cannot answer.
    pub async fn delete_service_account(
        &mut self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<bool, StoreError> {
        self.write("service_accounts", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
