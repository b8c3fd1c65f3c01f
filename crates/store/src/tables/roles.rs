//! Roles: named sets of permissions of a project.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{OrganizationId, ProjectId, RoleId};
use keystead_domain::time::Micros;

row! {
    /// A role.
    #[derive(Debug)]
    RoleRow {
        /// Its id.
        id: RoleId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its project.
        project_id: ProjectId,
        /// Its name, unique in its project.
        name: String,
        /// What it is for, for people.
        description: String,
        /// The grants in it, as JSON.
        permissions: String,
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
        "id, organization_id, project_id, name, description, permissions, created_at, updated_at, version"
    };
}

statements! {
    INSERT(9) = concat!("INSERT INTO roles (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    UPDATE(8) = "UPDATE roles SET name = $1, description = $2, permissions = $3, updated_at = $4, version = $5 WHERE id = $6 AND organization_id = $7 AND version = $8";
    DELETE(2) = "DELETE FROM roles WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM roles WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM roles WHERE project_id = $1 AND name = $2");
    PAGE(5) = concat!("SELECT ", columns!(), " FROM roles WHERE organization_id = $1 AND project_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5");
    ALL(0) = concat!("SELECT ", columns!(), " FROM roles");
    IN_PROJECT(1) = concat!("SELECT ", columns!(), " FROM roles WHERE project_id = $1 ORDER BY created_at, id");
}

impl Conn {
    /// An organization's role by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn role(
        &mut self,
        organization: OrganizationId,
        id: RoleId,
    ) -> Result<Option<RoleRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A role by its name, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn role_by_name(
        &mut self,
        project: ProjectId,
        name: &str,
    ) -> Result<Option<RoleRow>, StoreError> {
        self.row(&BY_NAME, [project.value(), Value::Text(Some(name))]).await
    }

    /// A page of a project's roles, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn roles(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<RoleRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }

    /// Every role of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_roles(&mut self) -> Result<Vec<RoleRow>, StoreError> {
        self.rows(&ALL, []).await
    }

    /// Every role of a project, oldest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn roles_in(&mut self, project: ProjectId) -> Result<Vec<RoleRow>, StoreError> {
        self.rows(&IN_PROJECT, [project.value()]).await
    }
}

impl Tx {
    /// Adds a role.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_role(&mut self, row: &RoleRow) -> Result<(), StoreError> {
        self.write("roles", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a role; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_role(&mut self, row: &RoleRow, expected_version: i64) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.description.value(),
            row.permissions.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("roles", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a role; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a row still refers to it, or when the database cannot answer.
    pub async fn delete_role(
        &mut self,
        organization: OrganizationId,
        id: RoleId,
    ) -> Result<bool, StoreError> {
        self.write("roles", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
