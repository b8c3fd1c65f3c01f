//! Looking at requests: who may decide sees all there, everybody sees their own.

use super::state_of;
use super::wish::Wish;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, team};
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Approval, ApprovalDecision, ApprovalQuery, ApprovalState, Page, PersonRef, TeamRef};
use keystead_domain::ids::{MemberId, OwnerId, TeamId};
use keystead_domain::time::Micros;
use keystead_store::{ApprovalFilter, ApprovalRow, ApprovalStage};
use std::sync::Arc;

impl Keystead {
    /// Requests for approvals, newest first: those that the caller may see, or only their own.
    ///
    /// # Errors
    /// When the caller is no person and may not see them, or the query names what does not exist.
    pub async fn list_approvals(
        self: &Arc<Self>,
        caller: &Caller,
        query: &ApprovalQuery,
    ) -> Result<Page<Approval>, Refused> {
        let directory = &self.keyring.directory;
        let project = match &query.project {
            Some(named) => {
                let found = directory.project(caller.organization(), named);
                let fix = "Send the id or slug of one of your projects.";
                Some(found.ok_or_else(|| Refused::unknown("/project", "There is no such project.", fix))?)
            }
            None => None,
        };
        let resource = project.as_ref().map(|project| &*project.resource);
        let sees_all = caller.may(management::APPROVALS_READ, resource);
        let own = caller.member().filter(|_| query.mine == Some(true) || !sees_all);
        match own {
            Some(_) => self.admit(caller).await?,
            None if query.mine == Some(true) => return Err(Refused::NeedsSession),
            None => self.authorise(caller, management::APPROVALS_READ, resource).await?,
        }
        let (cut, now) = (Cut::read(query.limit, query.cursor.as_deref())?, self.clock.now());
        let filter = ApprovalFilter {
            organization: caller.organization(),
            project: project.map(|project| project.id),
            requester: own,
            stage: query.state.map(|state| stage(state, now)),
        };
        let rows = self.store.read().await?.approvals(&filter, cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| self.show_approval(&row, now))
    }

    /// One request.
    ///
    /// # Errors
    /// When there is none, or the caller neither asked for it nor may see it.
    pub async fn approval(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<Approval, Refused> {
        let row = self.approval_row(caller, id).await?;
        if caller.member() == Some(row.requester_id) {
            self.admit(caller).await?;
        } else {
            let resource = self.resource_of_approval(&row);
            self.authorise(caller, management::APPROVALS_READ, resource.as_deref()).await?;
        }
        self.show_approval(&row, self.clock.now())
    }

    pub(super) fn show_approval(&self, row: &ApprovalRow, now: Micros) -> Result<Approval, Refused> {
        let directory = &self.keyring.directory;
        let place = directory.place_by_id(row.environment_id);
        let project = directory.project_by_id(row.project_id);
        let (create, update) = match json(&row.wish)? {
            Wish::Create(input) => (Some(*input), None),
            Wish::Update(input) => (None, Some(*input)),
        };
        let decision = row.decided_by.zip(row.decided_at).map(|(by, at)| ApprovalDecision {
            approved: row.state != ApprovalState::Denied.as_str(),
            by: self.person_ref(by),
            at: at.to_timestamp(),
            comment: row.comment.clone(),
        });
        Ok(Approval {
            id: row.id.to_string(),
            state: state_of(row, now)?,
            requester: self.person_ref(row.requester_id),
            team: row.team_id.map(|id| self.team_ref(id)),
            why: row.why.clone(),
            name: row.name.clone(),
            project: project.map_or_else(|| row.project_id.to_string(), |one| one.slug.to_string()),
            environment: place.map_or_else(|| row.environment_id.to_string(), |one| one.slug.to_string()),
            create,
            update,
            key_id: row.key_id.map(|id| id.to_string()),
            key_version: row.key_version,
            needs: json(&row.needs)?,
            decision,
            created_at: row.created_at.to_timestamp(),
            expires_at: row.expires_at.to_timestamp(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        })
    }

    pub(super) fn person_ref(&self, member: MemberId) -> PersonRef {
        let known = self.keyring.directory.principal(OwnerId::Member(member));
        let name = known.map(|one| one.state.load().name.to_string());
        PersonRef { id: member.to_string(), name: name.unwrap_or_else(|| member.to_string()) }
    }

    fn team_ref(&self, id: TeamId) -> TeamRef {
        let known = self.keyring.directory.team(id).map(|cell| team(&cell));
        known.unwrap_or_else(|| TeamRef { id: id.to_string(), name: id.to_string() })
    }
}

const fn stage(state: ApprovalState, now: Micros) -> ApprovalStage {
    match state {
        ApprovalState::Pending | ApprovalState::Approved => ApprovalStage::Open(state.as_str(), now),
        ApprovalState::Expired => ApprovalStage::Expired(now),
        ApprovalState::Denied | ApprovalState::Withdrawn | ApprovalState::Redeemed => {
            ApprovalStage::Closed(state.as_str())
        }
    }
}
