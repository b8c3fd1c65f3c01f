//! Trying policies on described requests: by the code that decides in earnest, with nothing changed.

use super::cases::Asked;
use super::{CANDIDATE, language, read, sound};
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{
    PolicyCase, PolicyCaseResult, PolicyDecision, PolicyFinding, PolicyTestResult, TestPolicies,
};
use keystead_domain::ids::AccessPolicyId;
use keystead_domain::invalid::Invalid;
use keystead_policies::{AccessPolicy, Finding, Known, Rules};
use keystead_store::AccessPolicyRow;
use std::sync::Arc;

/// The most requests that are tried at once.
const CASES_MAX: usize = 100;

impl Keystead {
    /// What policies say of described requests, a candidate's text in place of a saved one.
    ///
    /// # Errors
    /// When the caller may not see policies or a key that a case names, the text is no policy, or a case describes
    /// what cannot be.
    pub async fn test_policies(
        self: &Arc<Self>,
        caller: &Caller,
        input: TestPolicies,
    ) -> Result<PolicyTestResult, Refused> {
        if !(1..=CASES_MAX).contains(&input.cases.len()) {
            let what = format!("There are {} cases.", input.cases.len());
            return Err(Invalid::new("/cases", what, format!("Send 1 to {CASES_MAX}.")).into());
        }
        let (rules, candidate) = self.rules_to_try(caller, &input).await?;
        let mut cases = Vec::with_capacity(input.cases.len());
        for (index, case) in input.cases.iter().enumerate() {
            let at = |refused: Refused| refused.below(&format!("/cases/{index}"));
            let asked = self.asked_by(caller, case).await.map_err(at)?;
            let by = case.by.as_deref().map(|named| rules_policy(&rules, candidate, named));
            let by = by.transpose().map_err(|invalid| at(invalid.into()))?;
            cases.push(judge(&rules, candidate, case, by, &asked));
        }
        Ok(PolicyTestResult { passed: cases.iter().all(|case| case.passed), cases })
    }

    /// The policies in force, the candidate in its place; and which id it has.
    async fn rules_to_try(
        self: &Arc<Self>,
        caller: &Caller,
        input: &TestPolicies,
    ) -> Result<(Rules, Option<AccessPolicyId>), Refused> {
        let saved = match &input.policy {
            Some(named) => Some(self.access_policy_row(caller, management::POLICIES_READ, named).await?),
            None => None,
        };
        let project = self.project_for_policy(caller, input.project.as_deref())?;
        if saved.is_none() {
            let resource = project.as_ref().map(|project| &*project.resource);
            self.authorise(caller, management::POLICIES_READ, resource).await?;
        }
        let directory = &self.keyring.directory;
        let (now, organization) = (self.clock.now(), caller.organization());
        let id = saved.as_ref().map_or(AccessPolicyId([0; 16]), |row| row.id);
        let text = input.text.clone().or_else(|| saved.as_ref().map(|row| row.body.clone()));
        let in_force = directory.rules(organization);
        let others = in_force.iter().flat_map(|rules| rules.policies()).filter(|policy| policy.id != id);
        let mut policies: Vec<Arc<AccessPolicy>> = others.cloned().collect();
        let is_tried = text.is_some();
        if let Some(body) = text {
            let row = AccessPolicyRow {
                id,
                organization_id: organization,
                project_id: saved.as_ref().map_or(project.map(|project| project.id), |row| row.project_id),
                name: saved.map_or_else(|| CANDIDATE.to_owned(), |row| row.name),
                description: String::new(),
                body,
                enabled: true,
                created_at: now,
                updated_at: now,
                version: 0,
            };
            let policy = read(row).await?;
            sound(&policy)?;
            policies.push(Arc::new(policy));
        }
        // What is found out of a try is known to nothing else.
        let known = Arc::new(Known::default());
        let rules = Rules::new(language()?, policies, known, directory.resolve());
        Ok((rules, is_tried.then_some(id)))
    }
}

/// The policy by which a case is expected to be forbidden.
fn rules_policy(
    rules: &Rules,
    candidate: Option<AccessPolicyId>,
    named: &str,
) -> Result<AccessPolicyId, Invalid> {
    let is = |policy: &&Arc<AccessPolicy>| policy.name() == named || policy.id.to_string() == named;
    let found = rules.policies().iter().find(is).map(|policy| policy.id);
    found.or(candidate.filter(|_| named == CANDIDATE)).ok_or_else(|| {
        let fix = format!("Send the id or name of one that is in force or tried, or {CANDIDATE}.");
        Invalid::new("/by", "There is no such policy among those that are tried.", fix)
    })
}

fn judge(
    rules: &Rules,
    candidate: Option<AccessPolicyId>,
    case: &PolicyCase,
    by: Option<AccessPolicyId>,
    asked: &Asked,
) -> PolicyCaseResult {
    let site = (asked.project, &asked.target);
    let found = rules.findings(&asked.subject, &asked.action, site, &asked.circumstances);
    let decision = if found.is_empty() { PolicyDecision::Allow } else { PolicyDecision::Forbid };
    let by_whom = by.is_none_or(|id| found.iter().any(|finding| finding.forbidden.policy == id));
    let show = |finding: Finding| {
        let id = finding.forbidden.policy;
        let is_new = candidate == Some(id) && id == AccessPolicyId([0; 16]);
        let why = if is_new { "the new text forbids it".to_owned() } else { finding.forbidden.to_string() };
        PolicyFinding {
            policy: (!is_new).then(|| id.to_string()),
            name: finding.forbidden.name.to_string(),
            statement: finding.statement,
            why,
        }
    };
    PolicyCaseResult {
        name: case.name.clone(),
        passed: decision == case.expect && by_whom,
        expect: case.expect,
        decision,
        by: found.into_iter().map(show).collect(),
    }
}
