//! Finding requests for approvals: a filtered, paged list.

use crate::After;
use crate::conn::Conn;
use crate::error::StoreError;
use crate::statement::{Filtered, statements};
use crate::tables::approvals::{ApprovalRow, columns};
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{MemberId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

/// Where requests stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalStage {
    /// In this state, which ends with time: not before this instant.
    Open(&'static str, Micros),
    /// In this state for good.
    Closed(&'static str),
    /// They could be decided or redeemed until this instant.
    Expired(Micros),
}

/// Which requests: those of the organization for which every condition that is given holds.
#[derive(Debug, Clone)]
pub struct ApprovalFilter {
    /// Whose; there is no asking for every organization's.
    pub organization: OrganizationId,
    /// Of which project.
    pub project: Option<ProjectId>,
    /// By whom.
    pub requester: Option<MemberId>,
    /// Where they stand.
    pub stage: Option<ApprovalStage>,
}

statements! {
    fragments:
    SELECT(0) = concat!("SELECT ", columns!(), " FROM approvals WHERE ");
    OF_ORGANIZATION(1) = "organization_id = {}";
    OF_PROJECT(1) = " AND project_id = {}";
    BY(1) = " AND requester_id = {}";
    OPEN(2) = " AND state = {} AND expires_at > {}";
    CLOSED(1) = " AND state = {}";
    EXPIRED(1) = " AND state IN ('pending', 'approved') AND expires_at <= {}";
    PAGE(3) = " AND (created_at, id) < ({}, {}) ORDER BY created_at DESC, id DESC LIMIT {}";
}

impl Conn {
    /// A page of an organization's requests for approvals, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn approvals(
        &mut self,
        filter: &ApprovalFilter,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError> {
        let (at, id) = page(after);
        let mut list = Filtered::default();
        list.add(SELECT, []);
        list.add(OF_ORGANIZATION, [filter.organization.value()]);
        if let Some(project) = &filter.project {
            list.add(OF_PROJECT, [project.value()]);
        }
        if let Some(requester) = &filter.requester {
            list.add(BY, [requester.value()]);
        }
        match &filter.stage {
            None => {}
            Some(ApprovalStage::Open(state, now)) => {
                list.add(OPEN, [Value::Text(Some(state)), now.value()]);
            }
            Some(ApprovalStage::Closed(state)) => list.add(CLOSED, [Value::Text(Some(state))]),
            Some(ApprovalStage::Expired(now)) => list.add(EXPIRED, [now.value()]),
        }
        list.add(PAGE, [at.value(), id.value(), limit(rows_max)]);
        self.filtered(list).await
    }
}
