//! Rotation plans: how old a project's keys may become, and which of them are due.

use crate::After;
use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::key_list::{Listed, last_used};
use crate::tables::keys::{KeyRow, columns};
use crate::tables::page::limit;
use crate::value::Column;
use keystead_domain::ids::{KeyId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A project's plan.
    #[derive(Debug)]
    RotationPlanRow {
        /// The project.
        project_id: ProjectId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// How old a key may become.
        max_age_days: Option<i64>,
        /// How long before that it is announced.
        notice_days: i64,
        /// How long an old key lives on when nobody says.
        grace_seconds: i64,
        /// Whether use of a key after it was rotated away revokes its lineage.
        revoke_lineage_on_reuse: bool,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
    }
}

macro_rules! plan_columns {
    () => {
        "project_id, organization_id, max_age_days, notice_days, grace_seconds, revoke_lineage_on_reuse, updated_at, version"
    };
}

statements! {
    OF_PROJECT(2) = concat!(
        "SELECT ", plan_columns!(), " FROM rotation_plans WHERE organization_id = $1 AND project_id = $2",
    );
    IN_FORCE(0) = concat!("SELECT ", plan_columns!(), " FROM rotation_plans WHERE max_age_days IS NOT NULL");
    INSERT(8) = concat!(
        "INSERT INTO rotation_plans (", plan_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ",
        "ON CONFLICT DO NOTHING",
    );
    UPDATE(8) = "UPDATE rotation_plans SET max_age_days = $1, notice_days = $2, grace_seconds = $3, \
        revoke_lineage_on_reuse = $4, updated_at = $5, version = $6 WHERE project_id = $7 AND version = $8";
    // Keys that can be used and are not being rotated away, the oldest first.
    DUE(6) = concat!(
        "SELECT ", columns!(), ", ", last_used!(), " FROM keys WHERE project_id = $1 AND created_at <= $2 ",
        "AND (created_at, id) > ($3, $4) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5) ",
        "AND kind <> 'temporary' AND NOT EXISTS (SELECT 1 FROM rotations WHERE rotations.old_key_id = keys.id ",
        "AND rotations.state = 'draining') ORDER BY created_at, id LIMIT $6",
    );
    UNTOLD(4) = concat!(
        "SELECT ", columns!(), " FROM keys WHERE project_id = $1 AND created_at <= $2 ",
        "AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3) ",
        "AND kind <> 'temporary' AND NOT EXISTS (SELECT 1 FROM rotations WHERE rotations.old_key_id = keys.id ",
        "AND rotations.state = 'draining') AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.key_id = keys.id ",
        "AND outbox.kind = 'rotation_due') ORDER BY created_at, id LIMIT $4",
    );
}

impl Conn {
    /// A project's plan.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rotation_plan(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Option<RotationPlanRow>, StoreError> {
        self.row(&OF_PROJECT, [organization.value(), project.value()]).await
    }

    /// Every plan of every organization that says how old a key may become.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rotation_plans_in_force(&mut self) -> Result<Vec<RotationPlanRow>, StoreError> {
        self.rows(&IN_FORCE, []).await
    }

    /// A page of a project's usable keys that were made by then and are not being rotated away, the
    /// oldest first, each with when its lineage was last used.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_made_by(
        &mut self,
        project: ProjectId,
        made_by: Micros,
        now: Micros,
        after: After<KeyId>,
        rows_max: u32,
    ) -> Result<Vec<(KeyRow, Option<Micros>)>, StoreError> {
        let (at, id) = after.map_or((Micros(i64::MIN), Vec::new()), |(at, id)| (at, id.as_bytes().to_vec()));
        let values = [project.value(), made_by.value(), at.value(), id.value(), now.value(), limit(rows_max)];
        let rows = self.rows::<Listed, 6>(&DUE, values).await?;
        Ok(rows.into_iter().map(|row| (row.key, row.last_used_at)).collect())
    }
}

impl Conn {
    /// The first of those keys about which nobody was told that they are due.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_untold(
        &mut self,
        project: ProjectId,
        made_by: Micros,
        now: Micros,
        rows_max: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        self.rows(&UNTOLD, [project.value(), made_by.value(), now.value(), limit(rows_max)]).await
    }
}

impl Tx {
    /// Writes a project's plan in place of version `expected_version`; 0 stands for none. `false`
    /// when it has another version.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_rotation_plan(
        &mut self,
        row: &RotationPlanRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let (table, target) = ("rotation_plans", row.project_id.0.as_slice());
        if expected_version == 0 {
            return self.write(table, target, &INSERT, row.values()).await;
        }
        let values = [
            row.max_age_days.value(),
            row.notice_days.value(),
            row.grace_seconds.value(),
            row.revoke_lineage_on_reuse.value(),
            row.updated_at.value(),
            row.version.value(),
            row.project_id.value(),
            expected_version.value(),
        ];
        self.write(table, target, &UPDATE, values).await
    }
}
