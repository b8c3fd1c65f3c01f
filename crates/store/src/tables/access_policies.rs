//! Policies that organizations wrote.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{AccessPolicyId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A policy.
    #[derive(Debug)]
    AccessPolicyRow {
        /// Its id.
        id: AccessPolicyId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// For which project it is; none for the whole organization.
        project_id: Option<ProjectId>,
        /// Its name, unique in the organization.
        name: String,
        /// What it is for.
        description: String,
        /// Its text, in Cedar.
        body: String,
        /// Whether it is in force.
        enabled: bool,
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
        "id, organization_id, project_id, name, description, body, enabled, created_at, updated_at, version"
    };
}

statements! {
    INSERT(10) = concat!("INSERT INTO access_policies (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    UPDATE(9) = "UPDATE access_policies SET name = $1, description = $2, body = $3, enabled = $4, updated_at = $5, \
        version = $6 WHERE id = $7 AND organization_id = $8 AND version = $9";
    DELETE(3) = "DELETE FROM access_policies WHERE organization_id = $1 AND id = $2 AND version = $3";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM access_policies WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM access_policies WHERE organization_id = $1 AND name = $2");
    PAGE(4) = concat!("SELECT ", columns!(), " FROM access_policies WHERE organization_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    PAGE_OF_PROJECT(5) = concat!("SELECT ", columns!(), " FROM access_policies WHERE organization_id = $1 AND project_id = $5 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    IN_FORCE(1) = concat!("SELECT ", columns!(), " FROM access_policies WHERE organization_id = $1 AND enabled");
    ALL_IN_FORCE(0) = concat!("SELECT ", columns!(), " FROM access_policies WHERE enabled");
    OF_ORGANIZATION(1) = "SELECT count(*) FROM access_policies WHERE organization_id = $1 AND project_id IS NULL";
    OF_PROJECT(2) = "SELECT count(*) FROM access_policies WHERE organization_id = $1 AND project_id = $2";
    // Writes nothing new, and so locks the row until the transaction's end on PostgreSQL; SQLite has one writer.
    HOLD(1) = "UPDATE organizations SET version = version WHERE id = $1";
    // Binaries before this one ask no policy.
    NEEDS(0) = "UPDATE installation SET value = '22' WHERE name = 'schema_oldest_binary' \
        AND CAST(value AS BIGINT) < 22 AND EXISTS (SELECT 1 FROM access_policies)";
}

impl Conn {
    /// An organization's policy by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn access_policy(
        &mut self,
        organization: OrganizationId,
        id: AccessPolicyId,
    ) -> Result<Option<AccessPolicyRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// An organization's policy by its name, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn access_policy_by_name(
        &mut self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<AccessPolicyRow>, StoreError> {
        self.row(&BY_NAME, [organization.value(), Value::Text(Some(name))]).await
    }

    /// A page of an organization's policies, or of those for one of its projects, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn access_policies(
        &mut self,
        organization: OrganizationId,
        project: Option<ProjectId>,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<AccessPolicyRow>, StoreError> {
        let (at, id) = page(after);
        let limit = limit(rows_max);
        match project {
            None => self.rows(&PAGE, [organization.value(), at.value(), id.value(), limit]).await,
            Some(project) => {
                let values = [organization.value(), at.value(), id.value(), limit, project.value()];
                self.rows(&PAGE_OF_PROJECT, values).await
            }
        }
    }

    /// Those of an organization that are in force, in no order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn access_policies_in_force(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<AccessPolicyRow>, StoreError> {
        self.rows(&IN_FORCE, [organization.value()]).await
    }

    /// Those of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_access_policies(&mut self) -> Result<Vec<AccessPolicyRow>, StoreError> {
        self.rows(&ALL_IN_FORCE, []).await
    }

    /// How many there are for an organization itself, or for one of its projects.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn count_access_policies(
        &mut self,
        organization: OrganizationId,
        project: Option<ProjectId>,
    ) -> Result<i64, StoreError> {
        match project {
            None => self.number(&OF_ORGANIZATION, [organization.value()]).await,
            Some(project) => self.number(&OF_PROJECT, [organization.value(), project.value()]).await,
        }
    }

    /// Where there is a policy, keeps binaries away that ask none.
    pub(crate) async fn keep_from_who_asks_no_policies(&mut self) -> Result<(), StoreError> {
        self.execute(&NEEDS, []).await.map(|_| ())
    }
}

impl Tx {
    /// Keeps others from adding policies to an organization until the transaction's end.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_access_policies(&mut self, organization: OrganizationId) -> Result<(), StoreError> {
        self.execute(&HOLD, [organization.value()]).await.map(|_| ())
    }

    /// Adds a policy. From now on only binaries that ask policies run on this database.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its name is taken, or when the database cannot answer.
    pub async fn insert_access_policy(&mut self, row: &AccessPolicyRow) -> Result<(), StoreError> {
        self.write("access_policies", &row.id.0, &INSERT, row.values()).await?;
        self.keep_from_who_asks_no_policies().await
    }

    /// Writes what can change of a policy; `false` when its version is no longer the expected one, or there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its name is taken, or when the database cannot answer.
    pub async fn update_access_policy(
        &mut self,
        row: &AccessPolicyRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.description.value(),
            row.body.value(),
            row.enabled.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("access_policies", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a policy; `false` when its version is no longer the expected one, or there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_access_policy(
        &mut self,
        organization: OrganizationId,
        id: AccessPolicyId,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [organization.value(), id.value(), expected_version.value()];
        self.write("access_policies", &id.0, &DELETE, values).await
    }
}
