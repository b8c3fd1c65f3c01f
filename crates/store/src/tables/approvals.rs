//! Requests for approvals, and what became of each.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{ApprovalId, EnvironmentId, KeyId, MemberId, OrganizationId, ProjectId, TeamId};
use keystead_domain::time::Micros;

row! {
    /// A request for an approval.
    #[derive(Debug)]
    ApprovalRow {
        /// Its id.
        id: ApprovalId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// The project of the key.
        project_id: ProjectId,
        /// Its environment.
        environment_id: EnvironmentId,
        /// Who asked.
        requester_id: MemberId,
        /// In which team's name the key is to be made.
        team_id: Option<TeamId>,
        /// The key that is to be changed, or was made.
        key_id: Option<KeyId>,
        /// Its lineage, once the approval was redeemed.
        lineage_id: Option<KeyId>,
        /// The version of the key that is to be changed.
        key_version: Option<i64>,
        /// The key's name.
        name: String,
        /// Why it is needed.
        why: String,
        /// What was asked for, as JSON.
        wish: String,
        /// Which guardrails demand the approval, as JSON.
        needs: String,
        /// Of what it comes to: with other roles or owners it is something else.
        digest: [u8; 32],
        /// `pending`, `approved`, `denied`, `withdrawn` or `redeemed`.
        state: String,
        /// Who decided.
        decided_by: Option<MemberId>,
        /// When that was.
        decided_at: Option<Micros>,
        /// What they said.
        comment: Option<String>,
        /// When it was asked for.
        created_at: Micros,
        /// When something last became of it.
        updated_at: Micros,
        /// Until when it can be decided, then redeemed.
        expires_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, project_id, environment_id, requester_id, team_id, key_id, lineage_id, key_version, \
         name, why, wish, needs, digest, state, decided_by, decided_at, comment, created_at, updated_at, expires_at, \
         version"
    };
}
pub(super) use columns;

statements! {
    INSERT(22) = concat!(
        "INSERT INTO approvals (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, ",
        "$14, $15, $16, $17, $18, $19, $20, $21, $22)",
    );
    // Of two who decide, redeem or withdraw at once, one finds the version.
    UPDATE(12) = "UPDATE approvals SET state = $1, decided_by = $2, decided_at = $3, comment = $4, key_id = $5, \
        lineage_id = $6, updated_at = $7, expires_at = $8, version = $9 \
        WHERE id = $10 AND organization_id = $11 AND version = $12";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM approvals WHERE organization_id = $1 AND id = $2");
    OPEN(2) = "SELECT count(*) FROM approvals WHERE organization_id = $1 AND expires_at > $2 \
        AND state IN ('pending', 'approved')";
    OPEN_OF(3) = "SELECT count(*) FROM approvals WHERE organization_id = $1 AND requester_id = $2 \
        AND expires_at > $3 AND state IN ('pending', 'approved')";
    OF_LINEAGE(2) = "SELECT count(*) FROM approvals WHERE organization_id = $1 AND lineage_id = $2 \
        AND state = 'redeemed'";
    // That a key was approved is known for as long as there is one of its lineage.
    TRIM(1) = "DELETE FROM approvals WHERE updated_at < $1 AND expires_at < $1 AND NOT (state = 'redeemed' \
        AND EXISTS (SELECT 1 FROM keys WHERE keys.lineage_id = approvals.lineage_id))";
}

impl Conn {
    /// An organization's request by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn approval(
        &mut self,
        organization: OrganizationId,
        id: ApprovalId,
    ) -> Result<Option<ApprovalRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// How many requests of an organization wait for a decision or to be redeemed.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn open_approvals(
        &mut self,
        organization: OrganizationId,
        now: Micros,
    ) -> Result<i64, StoreError> {
        self.number(&OPEN, [organization.value(), now.value()]).await
    }

    /// How many of them one person asked for.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn open_approvals_of(
        &mut self,
        organization: OrganizationId,
        requester: MemberId,
        now: Micros,
    ) -> Result<i64, StoreError> {
        self.number(&OPEN_OF, [organization.value(), requester.value(), now.value()]).await
    }

    /// Whether a key of this lineage was made or changed by an approval.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_approved(
        &mut self,
        organization: OrganizationId,
        lineage: KeyId,
    ) -> Result<bool, StoreError> {
        Ok(self.number(&OF_LINEAGE, [organization.value(), lineage.value()]).await? > 0)
    }
}

impl Ledger {
    /// Forgets requests of which nothing became since an instant, and which are over; how many. The log has not
    /// that they went: what a restore brings back is as old, and goes again.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_approvals(&mut self, before: Micros) -> Result<u64, StoreError> {
        self.execute(&TRIM, [before.value()]).await
    }
}

impl Tx {
    /// Adds a request.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_approval(&mut self, row: &ApprovalRow) -> Result<(), StoreError> {
        self.write("approvals", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Writes what can become of a request; `false` when its version is no longer the expected one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_approval(
        &mut self,
        row: &ApprovalRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.state.value(),
            row.decided_by.value(),
            row.decided_at.value(),
            row.comment.value(),
            row.key_id.value(),
            row.lineage_id.value(),
            row.updated_at.value(),
            row.expires_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("approvals", &row.id.0, &UPDATE, values).await
    }
}
