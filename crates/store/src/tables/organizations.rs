//! Organizations: the tenants, to one of which everything else belongs.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;

row! {
    /// An organization.
    #[derive(Debug)]
    OrganizationRow {
        /// Its id.
        id: OrganizationId,
        /// Its name.
        name: String,
        /// Its name in paths, unique in the installation.
        slug: String,
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
        "id, name, slug, created_at, updated_at, version"
    };
}

statements! {
    INSERT(6) = concat!("INSERT INTO organizations (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6)");
    UPDATE(6) = "UPDATE organizations SET name = $1, slug = $2, updated_at = $3, version = $4 WHERE id = $5 AND version = $6";
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM organizations WHERE id = $1");
    BY_SLUG(1) = concat!("SELECT ", columns!(), " FROM organizations WHERE slug = $1");
    PAGE(3) = concat!("SELECT ", columns!(), " FROM organizations WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3");
    ALL(0) = concat!("SELECT ", columns!(), " FROM organizations");
}

impl Conn {
    /// An organization by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn organization(&mut self, id: OrganizationId) -> Result<Option<OrganizationRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }

    /// An organization by its slug, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn organization_by_slug(&mut self, slug: &str) -> Result<Option<OrganizationRow>, StoreError> {
        self.row(&BY_SLUG, [Value::Text(Some(slug))]).await
    }

    /// A page of the organizations, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn organizations(
        &mut self,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<OrganizationRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [at.value(), id.value(), limit(rows_max)]).await
    }

    /// Every organization of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_organizations(&mut self) -> Result<Vec<OrganizationRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds an organization.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn insert_organization(&mut self, row: &OrganizationRow) -> Result<(), StoreError> {
        self.write("organizations", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of an organization; `false` when its version is no longer the expected one,
    /// or there is none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when one of its unique names is taken, or when the database cannot answer.
    pub async fn update_organization(
        &mut self,
        row: &OrganizationRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.slug.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            expected_version.value(),
        ];
        self.write("organizations", &row.id.0, &UPDATE, values).await
    }
}
