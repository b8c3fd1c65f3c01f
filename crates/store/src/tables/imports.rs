//! Imports: what keys that others issued are found by.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::ids::{KeyId, OrganizationId, ProjectId};
use std::fmt;

row! {
    /// An imported key, beside its row among the keys.
    ImportRow {
        /// The key.
        key_id: KeyId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// In which project.
        project_id: ProjectId,
        /// Of what its HMACs are made.
        form: String,
        /// What it was imported by: it is not imported by it again.
        source: [u8; 32],
        /// What it is found by, unless its form is slow.
        lookup: [u8; 32],
        /// What proves it, unless its form is slow.
        digest: [u8; 32],
        /// With which pepper both were made.
        pepper_version: i64,
        /// What it is called where it comes from.
        external_id: Option<String>,
        /// How its token begins.
        prefix: Option<String>,
        /// Its slow digest, sealed.
        verifier: Option<Vec<u8>>,
    }
}

impl fmt::Debug for ImportRow {
    /// Without what it is found by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRow")
            .field("key_id", &self.key_id)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "key_id, organization_id, project_id, form, source, lookup, digest, pepper_version, external_id, prefix, verifier"
    };
}

statements! {
    INSERT(11) = concat!("INSERT INTO imports (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    OF_KEY(2) = concat!("SELECT ", columns!(), " FROM imports WHERE organization_id = $1 AND key_id = $2");
    BY_SOURCE(3) = concat!("SELECT ", columns!(), " FROM imports WHERE source IN ($1, $2, $3)");
    BY_EXTERNAL_ID(2) = concat!("SELECT ", columns!(), " FROM imports WHERE project_id = $1 AND external_id = $2");
    AFTER(2) = concat!("SELECT ", columns!(), " FROM imports WHERE key_id > $1 ORDER BY key_id LIMIT $2");
    UPGRADE(6) = "UPDATE imports SET form = $1, lookup = $2, digest = $3, pepper_version = $4, verifier = NULL \
        WHERE key_id = $5 AND form <> $6";
}

/// Imports that one statement reads.
const CHUNK_MAX: u32 = 4_096;

impl Conn {
    /// What a key was imported with; `None` when it was not.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn import_of(
        &mut self,
        organization: OrganizationId,
        key: KeyId,
    ) -> Result<Option<ImportRow>, StoreError> {
        self.row(&OF_KEY, [organization.value(), key.value()]).await
    }

    /// An import that was made by one of these.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn import_by_source(
        &mut self,
        sources: &[[u8; 32]; 3],
    ) -> Result<Option<ImportRow>, StoreError> {
        Ok(self.rows(&BY_SOURCE, sources.each_ref().map(Column::value)).await?.into_iter().next())
    }

    /// A project's import by what it is called where it comes from.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn import_by_external_id(
        &mut self,
        project: ProjectId,
        external_id: &str,
    ) -> Result<Option<ImportRow>, StoreError> {
        self.row(&BY_EXTERNAL_ID, [project.value(), Value::Text(Some(external_id))]).await
    }

    /// Gives every import of every organization to `each`.
    ///
    /// # Errors
    /// When the database cannot answer; some may have been given by then.
    pub async fn load_imports(&mut self, mut each: impl FnMut(ImportRow) + Send) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let rows: Vec<ImportRow> = self.rows(&AFTER, [after.value(), limit(CHUNK_MAX)]).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.key_id.as_bytes().to_vec();
            rows.into_iter().for_each(&mut each);
        }
    }
}

impl Tx {
    /// Adds what a key was imported with; the key must be there.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when it was imported before, or when the database cannot answer.
    pub async fn insert_import(&mut self, row: &ImportRow) -> Result<(), StoreError> {
        self.write("imports", row.key_id.as_bytes(), &INSERT, row.values()).await.map(|_| ())
    }

    /// Makes an import what `to` says: form, lookup, digest; its slow digest goes. `false` when it has that
    /// form already, or is gone.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn upgrade_import(&mut self, to: &ImportRow) -> Result<bool, StoreError> {
        let form = Value::Text(Some(&to.form));
        let values =
            [form, to.lookup.value(), to.digest.value(), to.pepper_version.value(), to.key_id.value(), form];
        self.write("imports", to.key_id.as_bytes(), &UPGRADE, values).await
    }
}
