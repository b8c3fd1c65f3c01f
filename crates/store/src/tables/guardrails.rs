//! Guardrails: what keys may be at most, of organizations and of projects.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value, owner_bytes};
use keystead_domain::ids::{KeyId, OrganizationId, OwnerId, ProjectId, RoleId};
use keystead_domain::time::Micros;

row! {
    /// The guardrails of an organization or of a project.
    #[derive(Debug)]
    GuardrailsRow {
        /// The organization's or the project's id.
        id: [u8; 16],
        /// Whose they are.
        organization_id: OrganizationId,
        /// The project; none for the organization's.
        project_id: Option<ProjectId>,
        /// What they say, as JSON.
        body: String,
        /// When they were last changed.
        updated_at: Micros,
        /// Counts their changes; an update names the one that it expects.
        version: i64,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, project_id, body, updated_at, version"
    };
}

statements! {
    OF_ORGANIZATION(1) = concat!(
        "SELECT ", columns!(), " FROM guardrails WHERE organization_id = $1 AND project_id IS NULL");
    OF_PROJECT(2) = concat!(
        "SELECT ", columns!(), " FROM guardrails WHERE organization_id = $1 AND project_id = $2 AND id = $2");
    IN_FORCE(2) = concat!(
        "SELECT ", columns!(), " FROM guardrails ",
        "WHERE organization_id = $1 AND (project_id IS NULL OR project_id = $2)");
    INSERT(6) = concat!(
        "INSERT INTO guardrails (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING");
    UPDATE(6) = "UPDATE guardrails SET body = $1, updated_at = $2, version = $3 \
        WHERE id = $4 AND organization_id = $5 AND version = $6";
    // Nothing new is written, and so the row is locked on PostgreSQL; SQLite has one writer anyway.
    HOLD_ACCOUNT(2) = "UPDATE service_accounts SET version = version WHERE organization_id = $1 AND id = $2";
    HOLD_MEMBER(2) = "UPDATE members SET version = version WHERE organization_id = $1 AND id = $2";
    HOLD_SEAT(2) = "UPDATE seats SET version = version WHERE organization_id = $1 AND id = $2";
    HOLD_CONSUMER(2) = "UPDATE consumers SET version = version WHERE organization_id = $1 AND id = $2";
    HOLD_ROLE(2) = "UPDATE roles SET version = version WHERE organization_id = $1 AND id = $2";
    COUNTED(4) = "SELECT count(DISTINCT lineage_id) FROM keys WHERE owner = $1 AND project_id = $2 \
        AND lineage_id <> $3 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)";
    KINDS_WITH_ROLE(2) = "SELECT DISTINCT kind FROM keys WHERE revoked_at IS NULL AND id IN \
        (SELECT key_id FROM key_roles WHERE role_id = $2) AND organization_id = $1";
}

impl Conn {
    /// An organization's own guardrails.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn organization_guardrails(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<GuardrailsRow>, StoreError> {
        self.row(&OF_ORGANIZATION, [organization.value()]).await
    }

    /// A project's own guardrails.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn project_guardrails(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Option<GuardrailsRow>, StoreError> {
        self.row(&OF_PROJECT, [organization.value(), project.value()]).await
    }

    /// The guardrails of an organization and of one of its projects, of those that have some.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guardrails_in_force(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Vec<GuardrailsRow>, StoreError> {
        self.rows(&IN_FORCE, [organization.value(), project.value()]).await
    }

    /// How many lineages but this one have keys in the project with that owner that are neither
    /// revoked nor expired.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn other_lineages_of_owner(
        &mut self,
        owner: OwnerId,
        project: ProjectId,
        lineage: KeyId,
        now: Micros,
    ) -> Result<i64, StoreError> {
        let owner = owner_bytes(owner);
        let values = [Value::Bytes(Some(&owner)), project.value(), lineage.value(), now.value()];
        self.number(&COUNTED, values).await
    }

    /// Of which kinds the keys are that hold the role and are not revoked.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn kinds_with_role(
        &mut self,
        organization: OrganizationId,
        role: RoleId,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = self.rows(&KINDS_WITH_ROLE, [organization.value(), role.value()]).await?;
        Ok(rows.into_iter().map(|(kind,)| kind).collect())
    }
}

impl Tx {
    /// Sets guardrails for the first time; `false` when there are some already.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_guardrails(&mut self, row: &GuardrailsRow) -> Result<bool, StoreError> {
        self.write("guardrails", &row.id, &INSERT, row.values()).await
    }

    /// Writes guardrails; `false` when their version is no longer the expected one, or there are none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_guardrails(
        &mut self,
        row: &GuardrailsRow,
        expected_version: i64,
    ) -> Result<bool, StoreError> {
        let values = [
            row.body.value(),
            row.updated_at.value(),
            row.version.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("guardrails", &row.id, &UPDATE, values).await
    }

    /// Holds an owner until the transaction's end: of two acts that count its keys one waits for the
    /// other.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_owner(
        &mut self,
        organization: OrganizationId,
        owner: OwnerId,
    ) -> Result<(), StoreError> {
        let held = match owner {
            OwnerId::ServiceAccount(id) => {
                self.execute(&HOLD_ACCOUNT, [organization.value(), id.value()]).await
            }
            OwnerId::Consumer(id) => self.execute(&HOLD_CONSUMER, [organization.value(), id.value()]).await,
            OwnerId::Member(id) => self.execute(&HOLD_MEMBER, [organization.value(), id.value()]).await,
            OwnerId::Seat(id) => self.execute(&HOLD_SEAT, [organization.value(), id.value()]).await,
        };
        held.map(|_| ())
    }

    /// Holds a role until the transaction's end: it is not changed while a key is given it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_role(&mut self, organization: OrganizationId, role: RoleId) -> Result<(), StoreError> {
        self.execute(&HOLD_ROLE, [organization.value(), role.value()]).await.map(|_| ())
    }
}
