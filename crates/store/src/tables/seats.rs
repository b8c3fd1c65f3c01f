//! Seats: members in teams. One stays when its member leaves, for the keys that were made in it.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{MemberId, OrganizationId, SeatId, TeamId};
use keystead_domain::time::Micros;

row! {
    /// A seat.
    #[derive(Debug)]
    SeatRow {
        /// Its id.
        id: SeatId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// In which team.
        team_id: TeamId,
        /// Whose place.
        member_id: MemberId,
        /// When the member left; nothing while they are in the team.
        left_at: Option<Micros>,
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
        "id, organization_id, team_id, member_id, left_at, created_at, updated_at, version"
    };
}

statements! {
    INSERT(8) = concat!("INSERT INTO seats (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    UPDATE(6) = "UPDATE seats SET left_at = $1, updated_at = $2, version = $3 \
        WHERE id = $4 AND organization_id = $5 AND version = $6";
    DELETE(2) = "DELETE FROM seats WHERE organization_id = $1 AND id = $2";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM seats WHERE organization_id = $1 AND id = $2");
    OF_TEAM(2) = concat!("SELECT ", columns!(), " FROM seats WHERE organization_id = $1 AND team_id = $2 ORDER BY created_at, id");
    OF_MEMBER(2) = concat!("SELECT ", columns!(), " FROM seats WHERE organization_id = $1 AND member_id = $2 ORDER BY created_at, id");
    ALL(0) = concat!("SELECT ", columns!(), " FROM seats");
}

impl Conn {
    /// An organization's seat by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seat(
        &mut self,
        organization: OrganizationId,
        id: SeatId,
    ) -> Result<Option<SeatRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// A team's seats, oldest first, also those whose members have left.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seats_of_team(
        &mut self,
        organization: OrganizationId,
        team: TeamId,
    ) -> Result<Vec<SeatRow>, StoreError> {
        self.rows(&OF_TEAM, [organization.value(), team.value()]).await
    }

    /// A member's seats, oldest first, also those that the member has left.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seats_of_member(
        &mut self,
        organization: OrganizationId,
        member: MemberId,
    ) -> Result<Vec<SeatRow>, StoreError> {
        self.rows(&OF_MEMBER, [organization.value(), member.value()]).await
    }

    /// Every seat of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_seats(&mut self) -> Result<Vec<SeatRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a seat.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when the member has one in the team, [`StoreError::Referenced`] when team or
    /// member is not there, or when the database cannot answer.
    pub async fn insert_seat(&mut self, row: &SeatRow) -> Result<(), StoreError> {
        self.write("seats", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can change of a seat; `false` when its version is no longer the expected one, or there is
    /// none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_seat(&mut self, row: &SeatRow, expected_version: i64) -> Result<bool, StoreError> {
        let values = [
            row.left_at.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("seats", &row.id.0, &UPDATE, values).await
    }

    /// Deletes a seat; `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a key still refers to it, or when the database cannot answer.
    pub async fn delete_seat(
        &mut self,
        organization: OrganizationId,
        id: SeatId,
    ) -> Result<bool, StoreError> {
        self.delete_mapped_seat(id).await?;
        self.write("seats", &id.0, &DELETE, [organization.value(), id.value()]).await
    }
}
