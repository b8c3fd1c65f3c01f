//! Which roles the grants of members and teams name: one that somebody has cannot be deleted.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::RoleId;

statements! {
    ADD(2) = "INSERT INTO grant_roles (holder_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR(1) = "DELETE FROM grant_roles WHERE holder_id = $1";
    WITH_ROLE(1) = "SELECT count(*) FROM grant_roles WHERE role_id = $1";
}

impl Conn {
    /// How many members and teams have that role.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn holders_of_role(&mut self, role: RoleId) -> Result<i64, StoreError> {
        self.number(&WITH_ROLE, [role.value()]).await
    }
}

impl Tx {
    /// Records which roles the grants of a member or team name, and no others. Its row must have been written
    /// before, in this act: that locks it.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a role is not there, or when the database cannot answer.
    pub async fn set_grant_roles(&mut self, holder: [u8; 16], roles: &[RoleId]) -> Result<(), StoreError> {
        self.write("grant_roles", &holder, &CLEAR, [holder.value()]).await?;
        for role in roles {
            self.later(&ADD, [holder.value(), role.value()]).await?;
        }
        self.flush().await
    }
}
