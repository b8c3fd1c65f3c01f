//! Finding audit records: a filtered, paged list.

use crate::After;
use crate::conn::Conn;
use crate::error::StoreError;
use crate::statement::{Filtered, Fragment, statements};
use crate::tables::audit::{AuditRow, columns};
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{KeyId, MemberId, OrganizationId, ProjectId, TeamId};
use keystead_domain::time::Micros;

/// By whom something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Through a key.
    Key(KeyId),
    /// By a person, through whatever key or session.
    Member(MemberId),
    /// In a team's name.
    Team(TeamId),
}

/// Which audit records: those of the organization for which every condition that is given holds.
#[derive(Debug, Clone)]
pub struct AuditFilter {
    /// Whose; there is no asking for every organization's.
    pub organization: OrganizationId,
    /// In which project.
    pub project: Option<ProjectId>,
    /// What was done, exactly.
    pub action: Option<String>,
    /// By whom.
    pub actor: Option<Actor>,
    /// On which thing, by its written id.
    pub target_id: Option<String>,
    /// By or on a key of this lineage.
    pub lineage: Option<KeyId>,
    /// In which request.
    pub request_id: Option<String>,
    /// From this instant on.
    pub since: Option<Micros>,
    /// Before this instant.
    pub until: Option<Micros>,
}

impl AuditFilter {
    /// Every record of an organization.
    #[must_use]
    pub const fn of(organization: OrganizationId) -> Self {
        Self {
            organization,
            project: None,
            action: None,
            actor: None,
            target_id: None,
            lineage: None,
            request_id: None,
            since: None,
            until: None,
        }
    }
}

statements! {
    fragments:
    SELECT(0) = concat!("SELECT ", columns!(), " FROM audit WHERE ");
    OF_ORGANIZATION(1) = "organization_id = {}";
    OF_PROJECT(1) = " AND project_id = {}";
    ACTION(1) = " AND action = {}";
    BY_KEY(1) = " AND actor_key = {}";
    BY_MEMBER(1) = " AND actor_member = {}";
    BY_TEAM(1) = " AND actor_team = {}";
    TARGET(1) = " AND target_id = {}";
    LINEAGE(2) = " AND (actor_lineage = {} OR target_lineage = {})";
    REQUEST(1) = " AND request_id = {}";
    SINCE(1) = " AND at >= {}";
    UNTIL(1) = " AND at < {}";
    PAGE(3) = " AND (at, id) < ({}, {}) ORDER BY at DESC, id DESC LIMIT {}";
}

impl Conn {
    /// A page of an organization's audit records, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit(
        &mut self,
        filter: &AuditFilter,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (at, id) = page(after);
        let mut list = Filtered::default();
        list.add(SELECT, []);
        list.add(OF_ORGANIZATION, [filter.organization.value()]);
        let by = match &filter.actor {
            None => (BY_KEY, None),
            Some(Actor::Key(id)) => (BY_KEY, Some(id.value())),
            Some(Actor::Member(id)) => (BY_MEMBER, Some(id.value())),
            Some(Actor::Team(id)) => (BY_TEAM, Some(id.value())),
        };
        let conditions: [(Fragment<1>, Option<Value<'_>>); 7] = [
            (OF_PROJECT, filter.project.as_ref().map(Column::value)),
            (ACTION, filter.action.as_ref().map(Column::value)),
            by,
            (TARGET, filter.target_id.as_ref().map(Column::value)),
            (REQUEST, filter.request_id.as_ref().map(Column::value)),
            (SINCE, filter.since.as_ref().map(Column::value)),
            (UNTIL, filter.until.as_ref().map(Column::value)),
        ];
        for (fragment, value) in conditions {
            if let Some(value) = value {
                list.add(fragment, [value]);
            }
        }
        if let Some(lineage) = &filter.lineage {
            list.add(LINEAGE, [lineage.value(), lineage.value()]);
        }
        list.add(PAGE, [at.value(), id.value(), limit(rows_max)]);
        self.filtered(list).await
    }
}
