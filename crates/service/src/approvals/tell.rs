//! Who is told: those who may decide of each request and of broken glass, who asked of the decision. A letter each,
//! so that no address is shown to another's holder; never a secret.

use crate::Keystead;
use crate::management;
use crate::notice_view::WAITING;
use crate::present::{json, to_json};
use crate::refused::Refused;
use keystead_api::{ApprovalState, GuardrailViolation};
use keystead_domain::cells::Place;
use keystead_domain::ids::{KeyId, MemberId, NoticeId, OrganizationId, OwnerId, ProjectId};
use keystead_store::{ApprovalRow, Ledger, NoticeRow, Tx};

/// Letters of one occasion.
const LETTERS_MAX: usize = 50;

/// What a letter is about.
pub(super) struct Occasion<'a> {
    pub(super) kind: &'static str,
    /// Names the occasion; with the person, the letter.
    pub(super) id: String,
    pub(super) organization: OrganizationId,
    pub(super) project: ProjectId,
    pub(super) subject: &'a str,
    pub(super) body: &'a str,
}

impl Keystead {
    pub(super) async fn tell_deciders(
        &self,
        tx: &mut Tx,
        row: &ApprovalRow,
        place: &Place,
    ) -> Result<(), Refused> {
        let who = self.person_ref(row.requester_id).name;
        let needs: Vec<GuardrailViolation> = json(&row.needs)?;
        let what = if row.key_version.is_some() { "a change of the API key" } else { "a new API key" };
        let (id, name, at) = (row.id, &row.name, format!("{}/{}", place.project.slug, place.slug));
        let subject = format!("{who} asks for your approval of {what} \"{name}\"");
        let body = format!(
            "{who} asks for your approval of {what} \"{name}\" of {at}.\n\nWhy: {}\n\n\
             What must be approved:\n{}\n\
             What to do, until {}: look at all of it with keystead approvals show {id}, then\n\
             keystead approvals approve {id}\n\
             or keystead approvals deny {id} --comment 'why not'\n",
            row.why,
            listed(&needs),
            row.expires_at.to_timestamp(),
        );
        let occasion = Occasion {
            kind: "approval_requested",
            id: id.to_string(),
            organization: row.organization_id,
            project: row.project_id,
            subject: &subject,
            body: &body,
        };
        for member in self.deciders(row.organization_id, place)? {
            if member != row.requester_id {
                self.tell(tx, &occasion, member).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn tell_requester(&self, tx: &mut Tx, row: &ApprovalRow) -> Result<(), Refused> {
        let who = row.decided_by.map(|member| self.person_ref(member).name).unwrap_or_default();
        let (id, name) = (row.id, &row.name);
        let comment = row.comment.as_ref().map(|text| format!("\nThey say: {text}\n")).unwrap_or_default();
        let (word, next) = if row.state == ApprovalState::Approved.as_str() {
            let until = row.expires_at.to_timestamp();
            ("approved", format!("What to do, until {until}: keystead approvals redeem {id}\n"))
        } else {
            ("denied", "What to do: ask for something else, or talk to them.\n".to_owned())
        };
        let subject = format!("What you asked for was {word}: the API key \"{name}\"");
        let body = format!("{who} has {word} {id}, the API key \"{name}\".\n{comment}\n{next}");
        let occasion = Occasion {
            kind: "approval_decided",
            id: id.to_string(),
            organization: row.organization_id,
            project: row.project_id,
            subject: &subject,
            body: &body,
        };
        self.tell(tx, &occasion, row.requester_id).await
    }

    /// Everybody who may decide on what is asked for in a place, or break glass there.
    pub(super) fn deciders(
        &self,
        organization: OrganizationId,
        place: &Place,
    ) -> Result<Vec<MemberId>, Refused> {
        let system = self.system_place(organization)?;
        let mut found: Vec<MemberId> = Vec::new();
        for principal in self.keyring.directory.principals() {
            let OwnerId::Member(id) = principal.id else { continue };
            let state = principal.state.load();
            let may = [management::APPROVALS_DECIDE, management::APPROVALS_BREAK_GLASS];
            let may = may.iter().any(|right| state.reach.allows(&system, right, Some(&place.resource)));
            if principal.organization == organization && may && !state.is_off() {
                found.push(id);
            }
        }
        found.sort_unstable();
        found.truncate(LETTERS_MAX);
        Ok(found)
    }

    pub(super) async fn tell(
        &self,
        ledger: &mut Ledger,
        occasion: &Occasion<'_>,
        member: MemberId,
    ) -> Result<(), Refused> {
        let row = ledger.member(occasion.organization, member).await?;
        // Nobody has proved yet that the address is theirs.
        let Some(row) = row.filter(|row| row.account_id.is_some()) else { return Ok(()) };
        let notice = NoticeRow {
            id: self.entropy.with(|rng| NoticeId::random(rng)),
            organization_id: occasion.organization,
            project_id: occasion.project,
            kind: occasion.kind.into(),
            // With a key's id it would go to that key's people.
            key_id: KeyId::NONE,
            once: format!("{}:{}:{member}", occasion.kind, occasion.id),
            recipients: to_json(&[&row.email])?,
            subject: occasion.subject.into(),
            body: occasion.body.into(),
            state: WAITING.into(),
            created_at: self.clock.now(),
            attempts: 0,
            next_at: None,
            sending_since: None,
            retried_at: None,
            outcome: None,
            closed_at: None,
            last_error: None,
            delivered: None,
            sealed: None,
        };
        ledger.insert_notice(&notice).await?;
        Ok(())
    }
}

/// What must be approved, a line each.
pub(super) fn listed(needs: &[GuardrailViolation]) -> String {
    needs.iter().map(|one| format!("- {}\n", one.detail)).collect()
}
