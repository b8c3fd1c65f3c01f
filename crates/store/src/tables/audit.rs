//! Audit: who did what, written in the same transaction as what was done.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{AuditId, KeyId, MemberId, OrganizationId, ProjectId, TeamId};
use keystead_domain::time::Micros;

row! {
    /// An administrative act, as it is recorded. It holds no secret value.
    #[derive(Debug)]
    AuditRow {
        /// Its id.
        id: AuditId,
        /// In which organization.
        organization_id: OrganizationId,
        /// When it was done.
        at: Micros,
        /// What kind of actor did it: `key`, `system`, …
        actor_kind: String,
        /// Through which key.
        actor_key: Option<KeyId>,
        /// Whose key that is.
        actor_owner: Option<String>,
        /// From which address.
        address: Option<String>,
        /// What was done: `keys.create`, …
        action: String,
        /// On what kind of thing.
        target_kind: String,
        /// On which one, by its written id.
        target_id: String,
        /// What that was called at the time.
        target_name: String,
        /// In which project.
        project_id: Option<ProjectId>,
        /// What changed, as it was before, as JSON.
        before_body: Option<String>,
        /// What changed, as it is now, as JSON.
        after_body: Option<String>,
        /// In which request, by its written id.
        request_id: Option<String>,
        /// Which person did it, by whatever proof.
        actor_member: Option<MemberId>,
        /// In which team's name.
        actor_team: Option<TeamId>,
        /// Through which session, by its written id.
        actor_session: Option<String>,
        /// The lineage of the key through which it was done.
        actor_lineage: Option<KeyId>,
        /// The lineage of the key on which it was done.
        target_lineage: Option<KeyId>,
    }
}

/// An audit record that an act hands over.
pub type Event = AuditRow;

macro_rules! columns {
    () => {
        "id, organization_id, at, actor_kind, actor_key, actor_owner, address, action, target_kind, target_id, \
         target_name, project_id, before_body, after_body, request_id, actor_member, actor_team, actor_session, \
         actor_lineage, target_lineage"
    };
}
pub(super) use columns;

statements! {
    INSERT(20) = concat!(
        "INSERT INTO audit (", columns!(), ") ",
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    );
    LINEAGE_OF(2) = "SELECT target_lineage FROM audit WHERE organization_id = $1 AND target_id = $2 AND target_lineage IS NOT NULL LIMIT 1";
}

impl Conn {
    /// The lineage of a key, as records of what was done on it say; `None` when none does.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audited_lineage(
        &mut self,
        organization: OrganizationId,
        key: KeyId,
    ) -> Result<Option<KeyId>, StoreError> {
        let key = key.to_string();
        let row: Option<(Vec<u8>,)> = self.row(&LINEAGE_OF, [organization.value(), key.value()]).await?;
        Ok(row.and_then(|(digits,)| KeyId::from_slice(&digits)))
    }
}

impl Tx {
    /// Only `act` writes audit records, from what the act hands over.
    pub(crate) async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        self.later(&INSERT, event.values()).await
    }
}
