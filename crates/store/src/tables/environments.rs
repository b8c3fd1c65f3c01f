//! Environments of a project: a key belongs to exactly one.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{EnvironmentId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// An environment.
    #[derive(Debug)]
    EnvironmentRow {
        /// Its id.
        id: EnvironmentId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its project.
        project_id: ProjectId,
        /// Its name.
        name: String,
        /// Its name in paths, unique in its project.
        slug: String,
        /// What stands in its keys after the prefix, unique in its project.
        tag: String,
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
        "id, organization_id, project_id, name, slug, tag, created_at, updated_at, version"
    };
}

statements! {
    INSERT(9) = concat!("INSERT INTO environments (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    UPDATE(8) = "UPDATE environments SET name = $1, slug = $2, tag = $3, updated_at = $4, version = $5 WHERE id = $6 AND organization_id = $7 AND version = $8";
    DELETE(2) = "DELETE FROM environments WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM environments WHERE organization_id = $1 AND id = $2");
    BY_SLUG(2) = concat!("SELECT ", columns!(), " FROM environments WHERE project_id = $1 AND slug = $2");
    PAGE(5) = concat!("SELECT ", columns!(), " FROM environments WHERE organization_id = $1 AND project_id = $2 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5");
    ALL(0) = concat!("SELECT ", columns!(), " FROM environments");
}

impl Conn {
    /// An organization's environment by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn environment(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<EnvironmentRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// An environment by its slug, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn environment_by_slug(
        &mut self,
        project: ProjectId,
        slug: &str,
    ) -> Result<Option<EnvironmentRow>, StoreError> {
        self.row(&BY_SLUG, [project.value(), Value::Text(Some(slug))]).await
    }

    /// A page of a project's environments, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn environments(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<EnvironmentRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }

    /// Every environment of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_environments(&mut self) -> Result<Vec<EnvironmentRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds an environment.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_environment(&mut self, row: &EnvironmentRow) -> Result<(), StoreError> {
        self.write("environments", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of an environment; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_environment(
        &mut self,
        row: &EnvironmentRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.slug.value(),
            row.tag.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("environments", &row.id.0, &UPDATE, values).await
    }

    /// Deletes an environment; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a row still refers to it, or when the database cannot answer.
    pub async fn delete_environment(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<bool, StoreError> {
        self.write("environments", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
