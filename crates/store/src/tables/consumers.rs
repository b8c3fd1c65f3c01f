//! Consumers: the outside parties that keys are issued to.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{ConsumerId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A consumer.
    #[derive(Debug)]
    ConsumerRow {
        /// Its id.
        id: ConsumerId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its project.
        project_id: ProjectId,
        /// Its name.
        name: String,
        /// What the project itself calls it, unique in the project.
        external_id: Option<String>,
        /// An address for people.
        contact: Option<String>,
        /// What its keys may have at most, as JSON; everything when there is none.
        ceiling: Option<String>,
        /// The limits that its keys share, as JSON.
        limits: String,
        /// The quota that its keys share, as JSON.
        quota: Option<String>,
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
        "id, organization_id, project_id, name, external_id, contact, ceiling, limits, quota, disabled, created_at, updated_at, version"
    };
}

statements! {
    INSERT(13) = concat!("INSERT INTO consumers (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    UPDATE(12) = "UPDATE consumers SET name = $1, external_id = $2, contact = $3, ceiling = $4, limits = $5, quota = $6, disabled = $7, updated_at = $8, version = $9 WHERE id = $10 AND organization_id = $11 AND version = $12";
    DELETE(2) = "DELETE FROM consumers WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM consumers WHERE organization_id = $1 AND id = $2");
    BY_EXTERNAL_ID(2) = concat!("SELECT ", columns!(), " FROM consumers WHERE project_id = $1 AND external_id = $2");
    PAGE(5) = concat!("SELECT ", columns!(), " FROM consumers WHERE organization_id = $1 AND project_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5");
    ALL(0) = concat!("SELECT ", columns!(), " FROM consumers");
}

impl Conn {
    /// An organization's consumer by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn consumer(
        &mut self,
        organization: OrganizationId,
        id: ConsumerId,
    ) -> Result<Option<ConsumerRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A consumer by its external id, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn consumer_by_external_id(
        &mut self,
        project: ProjectId,
        external_id: &str,
    ) -> Result<Option<ConsumerRow>, StoreError> {
        self.row(&BY_EXTERNAL_ID, [project.value(), Value::Text(Some(external_id))]).await
    }

    /// A page of a project's consumers, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn consumers(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<ConsumerRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }

    /// Every consumer of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_consumers(&mut self) -> Result<Vec<ConsumerRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a consumer.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_consumer(&mut self, row: &ConsumerRow) -> Result<(), StoreError> {
        self.write("consumers", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a consumer; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_consumer(
        &mut self,
        row: &ConsumerRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.external_id.value(),
            row.contact.value(),
            row.ceiling.value(),
            row.limits.value(),
            row.quota.value(),
            row.disabled.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("consumers", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a consumer; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a row still refers to it, or when the database cannot answer.
    pub async fn delete_consumer(
        &mut self,
        organization: OrganizationId,
        id: ConsumerId,
    ) -> Result<bool, StoreError> {
        self.write("consumers", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
