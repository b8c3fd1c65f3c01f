//! Projects: what a team works on.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A project.
    #[derive(Debug)]
    ProjectRow {
        /// Its id.
        id: ProjectId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its name.
        name: String,
        /// Its name in paths, unique in its organization.
        slug: String,
        /// What its keys begin with.
        prefix: String,
        /// Whether its keys guard Keystead itself.
        system: bool,
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
        "id, organization_id, name, slug, prefix, system, created_at, updated_at, version"
    };
}

statements! {
    INSERT(9) = concat!("INSERT INTO projects (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    UPDATE(8) = "UPDATE projects SET name = $1, slug = $2, prefix = $3, updated_at = $4, version = $5 WHERE id = $6 AND organization_id = $7 AND version = $8";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM projects WHERE organization_id = $1 AND id = $2");
    BY_SLUG(2) = concat!("SELECT ", columns!(), " FROM projects WHERE organization_id = $1 AND slug = $2");
    PAGE(4) = concat!("SELECT ", columns!(), " FROM projects WHERE organization_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    ALL(0) = concat!("SELECT ", columns!(), " FROM projects");
}

impl Conn {
    /// An organization's project by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn project(
        &mut self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> Result<Option<ProjectRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A project by its slug, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn project_by_slug(
        &mut self,
        organization: OrganizationId,
        slug: &str,
    ) -> Result<Option<ProjectRow>, StoreError> {
        self.row(&BY_SLUG, [organization.value(), Value::Text(Some(slug))]).await
    }

    /// A page of an organization's projects, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn projects(
        &mut self,
        organization: OrganizationId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<ProjectRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), at.value(), id.value(), limit(rows_max)]).await
    }

    /// Every project of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_projects(&mut self) -> Result<Vec<ProjectRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a project.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_project(&mut self, row: &ProjectRow) -> Result<(), StoreError> {
        self.write("projects", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a project; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_project(
        &mut self,
        row: &ProjectRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.slug.value(),
            row.prefix.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("projects", &row.id.0, &UPDATE, values).await
    }
}
