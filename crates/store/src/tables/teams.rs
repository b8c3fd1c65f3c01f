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
        /// Whether anybody may look the contact up.
        listed: bool,
        /// The address that was asked last.
        asked_contact: Option<String>,
        /// When that was.
        asked_at: Option<Micros>,
        /// The address that was verified last.
        verified_contact: Option<String>,
        /// When that was.
        verified_at: Option<Micros>,
    }
}

/// Which teams' contacts are to be asked.
#[derive(Debug, Clone, Copy)]
pub struct ContactsDue {
    /// Verified then or earlier,
    pub verified_to: Micros,
    /// and later than this,
    pub verified_after: Micros,
    /// and asked then or earlier. One that was never asked is due in any case.
    pub asked_to: Micros,
}

macro_rules! columns {
    () => {
        "id, organization_id, name, purpose, contact, grants, created_at, updated_at, version, listed, \
         asked_contact, asked_at, verified_contact, verified_at"
    };
}

statements! {
    INSERT(14) = concat!("INSERT INTO teams (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    UPDATE(14) = "UPDATE teams SET name = $1, purpose = $2, contact = $3, grants = $4, updated_at = $5, version = $6, \
        listed = $7, asked_contact = $8, asked_at = $9, verified_contact = $10, verified_at = $11 \
        WHERE id = $12 AND organization_id = $13 AND version = $14";
    DELETE(2) = "DELETE FROM teams WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND id = $2");
    BY_NAME(2) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND name = $2");
    PAGE(4) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4");
    LISTED(3) = concat!("SELECT ", columns!(), " FROM teams WHERE organization_id = $1 AND listed AND verified_contact = contact AND verified_at > $2 ORDER BY name LIMIT $3");
    TO_ASK(4) = concat!(
        "SELECT ", columns!(), " FROM teams WHERE contact IS NOT NULL AND (asked_contact IS NULL OR asked_contact <> contact ",
        "OR (verified_contact = contact AND verified_at <= $1 AND verified_at > $2 AND asked_at <= $3)) ORDER BY id LIMIT $4",
    );
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

    /// The teams of an organization whose contacts anybody may look up: listed, and verified after an instant. By name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn listed_teams(
        &mut self,
        organization: OrganizationId,
        verified_after: Micros,
        rows_max: u32,
    ) -> Result<Vec<TeamRow>, StoreError> {
        self.rows(&LISTED, [organization.value(), verified_after.value(), limit(rows_max)]).await
    }

    /// Teams of all organizations whose contacts are to be asked.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn teams_to_ask(
        &mut self,
        due: ContactsDue,
        rows_max: u32,
    ) -> Result<Vec<TeamRow>, StoreError> {
        let values =
            [due.verified_to.value(), due.verified_after.value(), due.asked_to.value(), limit(rows_max)];
        self.rows(&TO_ASK, values).await
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
            row.listed.value(),
            row.asked_contact.value(),
            row.asked_at.value(),
            row.verified_contact.value(),
            row.verified_at.value(),
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
