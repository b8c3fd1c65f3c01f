//! A project's catalogue of permissions.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{OrganizationId, PermissionId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A permission.
    #[derive(Debug)]
    PermissionRow {
        /// Its id.
        id: PermissionId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its project.
        project_id: ProjectId,
        /// Its dotted name, unique in its project.
        name: String,
        /// What it allows, for people.
        description: String,
        /// Whether a public key may have it.
        public_safe: bool,
        /// Whether granting it deserves a second look.
        sensitive: bool,
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
        "id, organization_id, project_id, name, description, public_safe, sensitive, created_at, updated_at, version"
    };
}

statements! {
    INSERT(10) = concat!("INSERT INTO permissions (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    UPDATE(9) = "UPDATE permissions SET name = $1, description = $2, public_safe = $3, sensitive = $4, updated_at = $5, version = $6 WHERE id = $7 AND organization_id = $8 AND version = $9";
    DELETE(2) = "DELETE FROM permissions WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM permissions WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM permissions WHERE project_id = $1 AND name = $2");
    PAGE(5) = concat!("SELECT ", columns!(), " FROM permissions WHERE organization_id = $1 AND project_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5");
    ALL(0) = concat!("SELECT ", columns!(), " FROM permissions");
    COUNT(1) = "SELECT count(*) FROM permissions WHERE project_id = $1";
    SENSITIVE(1) = "SELECT name FROM permissions WHERE project_id = $1 AND sensitive ORDER BY created_at, id";
    IN_PROJECT(1) = concat!("SELECT ", columns!(), " FROM permissions WHERE project_id = $1 ORDER BY created_at, id");
}

impl Conn {
    /// An organization's permission by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn permission(
        &mut self,
        organization: OrganizationId,
        id: PermissionId,
    ) -> Result<Option<PermissionRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A permission by its name, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn permission_by_name(
        &mut self,
        project: ProjectId,
        name: &str,
    ) -> Result<Option<PermissionRow>, StoreError> {
        self.row(&BY_NAME, [project.value(), Value::Text(Some(name))]).await
    }

    /// A page of a project's permissions, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn permissions(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<PermissionRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }

    /// Every permission of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_permissions(&mut self) -> Result<Vec<PermissionRow>, StoreError> {
        self.rows(&ALL, []).await
    }

    /// How many permissions a project has.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn permissions_count(&mut self, project: ProjectId) -> Result<i64, StoreError> {
        let row: Option<(i64,)> = self.row(&COUNT, [project.value()]).await?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// Every permission of a project, oldest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn permissions_in(&mut self, project: ProjectId) -> Result<Vec<PermissionRow>, StoreError> {
        self.rows(&IN_PROJECT, [project.value()]).await
    }

    /// The names of a project's sensitive permissions, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sensitive_permissions(&mut self, project: ProjectId) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.rows(&SENSITIVE, [project.value()]).await?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }
}

impl Tx {
    /// Adds a permission.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_permission(&mut self, row: &PermissionRow) -> Result<(), StoreError> {
        self.write("permissions", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a permission; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_permission(
        &mut self,
        row: &PermissionRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.description.value(),
            row.public_safe.value(),
            row.sensitive.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("permissions", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a permission; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a row still refers to it, or when the database cannot answer.
    pub async fn delete_permission(
        &mut self,
        organization: OrganizationId,
        id: PermissionId,
    ) -> Result<bool, StoreError> {
        self.write("permissions", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
