//! Teams: what members may do together, behind one shared address.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{OrganizationId, TeamId};
use keystead_domain::time::Micros;

row! {
    /// A team.
    #[derive(Debug)]
    TeamRow {
        /// Its id.
        id: TeamId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its name, unique in its organization.
        name: String,
        /// What it is for, for people.
        purpose: String,
        /// The address that all of it reads.
        contact: Option<String>,
        /// What its members may do in its name, as JSON.
        grants: String,
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
        "id, organization_id, name, purpose, contact, grants, created_at, updated_at, version"
    };
}

statements! {
    INSERT(9) = concat!("INSERT INTO teams (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    UPDATE(9) = "UPDATE teams SET name = $1, purpose = $2, contact = $3, grants = $4, updated_at = $5, version = $6 \
        WHERE id = $7 AND organization_id = $8 AND version = $9";
    DELETE(2) = "DELETE FROM teams WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND name = $2");
    PAGE(4) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    ALL(0) = concat!("SELECT ", columns!(), " FROM teams");
}

impl Conn {
    /// An organization's team by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn team(
        &mut self,
        organization: OrganizationId,
        id: TeamId,
    ) -> Result<Option<TeamRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A team by its name, compared byte by byte.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn team_by_name(
        &mut self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<TeamRow>, StoreError> {
        self.row(&BY_NAME, [organization.value(), Value::Text(Some(name))]).await
    }

    /// A page of an organization's teams, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn teams(
        &mut self,
        organization: OrganizationId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<TeamRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), at.value(), id.value(), limit(rows_max)]).await
    }

    /// Every team of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_teams(&mut self) -> Result<Vec<TeamRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a team.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its name is taken, or when the database cannot answer.
    pub async fn insert_team(&mut self, row: &TeamRow) -> Result<(), StoreError> {
        self.write("teams", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a team; `false` when its version is no longer the expected one, or there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its name is taken, or when the database cannot answer.
    pub async fn update_team(&mut self, row: &TeamRow, expected_version: i64) -> Result<bool, StoreError> {
        let values = [
            row.name.value(),
            row.purpose.value(),
            row.contact.value(),
            row.grants.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("teams", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a team; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a seat still refers to it, or when the database cannot answer.
    pub async fn delete_team(
        &mut self,
        organization: OrganizationId,
        id: TeamId,
    ) -> Result<bool, StoreError> {
        self.write("teams", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
