//! Audit records in their tree: which still wait for a place, giving them one, and reading them in order.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::statement::{Filtered, statements};
use crate::tables::audit::{AuditRow, columns};
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::audit::record::{Record, SALT_LEN};
use keystead_domain::audit::tree::Hash;
use keystead_domain::ids::{AuditId, OrganizationId};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

/// Records that get their places in one transaction: acts wait behind at most so many.
pub const LEAVES_AT_ONCE: u32 = 512;
/// Rows of one statement, the largest first: each is another text, and a connection keeps few prepared.
const SIZES: [usize; 3] = [64, 8, 1];

/// The place that a record gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Which record.
    pub id: AuditId,
    /// Its place, from 0.
    pub position: i64,
    /// Its salt.
    pub salt: [u8; SALT_LEN],
    /// Its leaf.
    pub leaf: Hash,
}

/// A record that has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequenced {
    /// The record.
    pub row: AuditRow,
    /// Its place, from 0.
    pub position: i64,
    /// Its salt, as it is stored.
    pub salt: Vec<u8>,
    /// Its leaf, as it is stored.
    pub leaf: Vec<u8>,
}

/// A leaf: of a record, or what retention left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its place, from 0.
    pub position: i64,
    /// Its leaf, as it is stored.
    pub leaf: Vec<u8>,
}

/// What stands at a place of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A record.
    Whole(Box<Sequenced>),
    /// What retention left of one.
    Deleted(Leaf),
}

impl Standing {
    /// Where it stands, from 0.
    #[must_use]
    pub fn position(&self) -> i64 {
        match self {
            Self::Whole(row) => row.position,
            Self::Deleted(leaf) => leaf.position,
        }
    }
}

/// What stands at some places, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPage {
    /// Without those that are missing.
    pub standing: Vec<Standing>,
    /// From which place on there may be more.
    pub next: Option<i64>,
}

impl AuditRow {
    /// The record as it is committed to at a place; `None` for a place that cannot be.
    #[must_use]
    pub fn record(&self, position: i64) -> Option<Record<'_>> {
        Some(Record {
            position: u64::try_from(position).ok()?,
            id: self.id,
            organization: self.organization_id,
            at: self.at,
            actor_kind: &self.actor_kind,
            actor_key: self.actor_key,
            actor_owner: self.actor_owner.as_deref(),
            address: self.address.as_deref(),
            action: &self.action,
            target_kind: &self.target_kind,
            target_id: &self.target_id,
            target_name: &self.target_name,
            project: self.project_id,
            before: self.before_body.as_deref(),
            after: self.after_body.as_deref(),
            request_id: self.request_id.as_deref(),
            actor_member: self.actor_member,
            actor_team: self.actor_team,
            actor_session: self.actor_session.as_deref(),
            actor_lineage: self.actor_lineage,
            target_lineage: self.target_lineage,
        })
    }
}

/// The record's columns come first, then these three.
impl<'r, R: Row> FromRow<'r, R> for Sequenced
where
    AuditRow: FromRow<'r, R>,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let [position, salt, leaf] = [0, 1, 2].map(|next| AuditRow::WIDTH + next);
        Ok(Self {
            row: AuditRow::from_row(row)?,
            position: row.try_get(position)?,
            salt: row.try_get(salt)?,
            leaf: row.try_get(leaf)?,
        })
    }
}

impl<'r, R: Row> FromRow<'r, R> for Leaf
where
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self { position: row.try_get(0)?, leaf: row.try_get(1)? })
    }
}

statements! {
    fragments:
    ORGANIZATIONS(0) = "SELECT DISTINCT organization_id FROM audit WHERE position IS NULL";
    WAITING(1) = concat!("SELECT ", columns!(), " FROM audit WHERE organization_id = {} AND position IS NULL");
    OF_ACTION(1) = " AND action = {}";
    OLDEST(1) = " ORDER BY at, id LIMIT {}";
    PLACE(0) = "WITH placed (id, position, salt, leaf) AS (VALUES ";
    ROW(4) = "({}, {}, {}, {})";
    ANOTHER(4) = ", ({}, {}, {}, {})";
    PLACED(0) = ") UPDATE audit SET position = placed.position, salt = placed.salt, leaf = placed.leaf \
        FROM placed WHERE audit.id = placed.id AND audit.position IS NULL RETURNING CAST(1 AS BIGINT)";
    // Without salt or leaf a record fits nothing, and is named: that is for who verifies.
    SEQUENCED(5) = concat!(
        "SELECT ", columns!(), ", position, coalesce(salt, {}), coalesce(leaf, {}) FROM audit \
         WHERE organization_id = {} AND position >= {} ORDER BY position LIMIT {}",
    );
    DELETED(3) = "SELECT position, leaf FROM audit_deleted \
        WHERE organization_id = {} AND position >= {} ORDER BY position LIMIT {}";
}

impl Conn {
    /// The organizations that have records without a place.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_waits(&mut self) -> Result<Vec<OrganizationId>, StoreError> {
        let mut select = Filtered::default();
        select.add(ORGANIZATIONS, []);
        let rows: Vec<(Vec<u8>,)> = self.filtered(select).await?;
        // One that is no id is nobody's, and must not hold up the others.
        Ok(rows.iter().filter_map(|(id,)| OrganizationId::from_slice(id)).collect())
    }

    /// An organization's records without a place, the oldest first; at most [`LEAVES_AT_ONCE`].
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_waiting(&mut self, organization: OrganizationId) -> Result<Vec<AuditRow>, StoreError> {
        let mut select = Filtered::default();
        select.add(WAITING, [organization.value()]);
        select.add(OLDEST, [limit(LEAVES_AT_ONCE)]);
        self.filtered(select).await
    }

    /// Those of one action, at most [`LEAVES_AT_ONCE`].
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_waiting_of(
        &mut self,
        organization: OrganizationId,
        action: &str,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut select = Filtered::default();
        select.add(WAITING, [organization.value()]);
        select.add(OF_ACTION, [Value::Text(Some(action))]);
        select.add(OLDEST, [limit(LEAVES_AT_ONCE)]);
        self.filtered(select).await
    }

    /// What stands at an organization's places from one on, records and what retention left of others.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_in_order(
        &mut self,
        organization: OrganizationId,
        from: i64,
        rows_max: u32,
    ) -> Result<StandingPage, StoreError> {
        // Leaves last: what is deleted between the two is then in both, and never in neither. The record counts.
        let whole = self.audit_sequenced(organization, from, rows_max).await?;
        let deleted = self.audit_deleted(organization, from, rows_max).await?;
        // Up to where both are known: a full page may go on behind its last row.
        let is_full = |rows: usize| u32::try_from(rows).is_ok_and(|rows| rows >= rows_max);
        let whole_to = whole.last().filter(|_| is_full(whole.len())).map(|row| row.position);
        let deleted_to = deleted.last().filter(|_| is_full(deleted.len())).map(|leaf| leaf.position);
        let known_to = whole_to.into_iter().chain(deleted_to).min();
        let whole = whole.into_iter().map(|row| Standing::Whole(Box::new(row)));
        let mut standing: Vec<Standing> = whole.chain(deleted.into_iter().map(Standing::Deleted)).collect();
        standing.retain(|one| known_to.is_none_or(|known_to| one.position() <= known_to));
        standing.sort_by_key(Standing::position);
        standing.dedup_by_key(|one| one.position());
        Ok(StandingPage { standing, next: known_to.and_then(|known_to| known_to.checked_add(1)) })
    }

    /// An organization's records from a place on, in order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_sequenced(
        &mut self,
        organization: OrganizationId,
        from: i64,
        rows_max: u32,
    ) -> Result<Vec<Sequenced>, StoreError> {
        let mut select = Filtered::default();
        let nothing = || Value::Bytes(Some(&[]));
        select.add(SEQUENCED, [nothing(), nothing(), organization.value(), from.value(), limit(rows_max)]);
        self.filtered(select).await
    }

    /// What retention left of an organization's records from a place on, in order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_deleted(
        &mut self,
        organization: OrganizationId,
        from: i64,
        rows_max: u32,
    ) -> Result<Vec<Leaf>, StoreError> {
        let mut select = Filtered::default();
        select.add(DELETED, [organization.value(), from.value(), limit(rows_max)]);
        self.filtered(select).await
    }
}

impl Ledger {
    /// Gives records their places. Only while the organization's tree is locked.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one has a place by now, or when the database cannot answer.
    pub async fn place_audit(&mut self, all: &[Placed]) -> Result<(), StoreError> {
        let mut rest = all;
        while let Some(size) = SIZES.into_iter().find(|size| *size <= rest.len()) {
            let (some, others) = rest.split_at(size);
            let mut update = Filtered::default();
            update.add(PLACE, []);
            for (index, one) in some.iter().enumerate() {
                let values = [one.id.value(), one.position.value(), one.salt.value(), one.leaf.value()];
                update.add(if index == 0 { ROW } else { ANOTHER }, values);
            }
            update.add(PLACED, []);
            if self.filtered::<(i64,)>(update).await?.len() != size {
                return Err(StoreError::Conflict);
            }
            some.iter().for_each(|one| self.touch("audit", one.id.0));
            rest = others;
        }
        Ok(())
    }
}
