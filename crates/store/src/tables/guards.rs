//! Guards: how the APIs of projects are guarded.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// The guard of a project.
    #[derive(Debug)]
    GuardRow {
        /// Whose API it guards.
        project_id: ProjectId,
        /// Whose the project is.
        organization_id: OrganizationId,
        /// What it says, as JSON.
        body: String,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
    }
}

macro_rules! columns {
    () => {
        "project_id, organization_id, body, updated_at, version"
    };
}

statements! {
    OF_PROJECT(2) = concat!("SELECT ", columns!(), " FROM guards WHERE organization_id = $1 AND project_id = $2");
    ALL(0) = concat!("SELECT ", columns!(), " FROM guards");
    INSERT(5) = concat!("INSERT INTO guards (", columns!(), ") VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");
    UPDATE(6) = "UPDATE guards SET body = $1, updated_at = $2, version = $3 \
        WHERE project_id = $4 AND organization_id = $5 AND version = $6";
    // Binaries before 23 do not know what the feed says of guards, those before 24 not all that a guard may say.
    NEEDS(0) = "UPDATE installation SET value = '24' WHERE name = 'schema_oldest_binary' \
        AND CAST(value AS BIGINT) < 24 AND EXISTS (SELECT 1 FROM guards)";
}

impl Conn {
    /// A project's guard.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guard(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Option<GuardRow>, StoreError> {
        self.row(&OF_PROJECT, [organization.value(), project.value()]).await
    }

    /// Those of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_guards(&mut self) -> Result<Vec<GuardRow>, StoreError> {
        self.rows(&ALL, []).await
    }

    /// Where there is a guard, keeps binaries away that know none.
    pub(crate) async fn keep_from_who_knows_no_guards(&mut self) -> Result<(), StoreError> {
        self.execute(&NEEDS, []).await.map(|_| ())
    }
}

impl Tx {
    /// Guards a project for the first time; `false` when it has a guard already. From now on only binaries that know
    /// guards run on this database.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_guard(&mut self, row: &GuardRow) -> Result<bool, StoreError> {
        let inserted = self.write("guards", &row.project_id.0, &INSERT, row.values()).await?;
        self.keep_from_who_knows_no_guards().await?;
        Ok(inserted)
    }

    /// Writes a guard; `false` when its version is no longer the expected one, or there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_guard(&mut self, row: &GuardRow, expected_version: i64) -> Result<bool, StoreError> {
        let values = [
            row.body.value(),
            row.updated_at.value(),
            row.version.value(),
            row.project_id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("guards", &row.project_id.0, &UPDATE, values).await
    }
}
