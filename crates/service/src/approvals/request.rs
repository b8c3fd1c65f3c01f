//! Asking for an approval: nothing is done but to see what it would come to.

use super::wish::{Asked, Wish};
use super::{DECIDE_MICROS, OPEN_MAX, OPEN_OF_ONE_MAX, WISH_BYTES_MAX, alone};
use crate::Keystead;
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::create_keys::no_environment;
use crate::present::to_json;
use crate::refused::Refused;
use keystead_api::{Approval, ApprovalState, CreateApproval};
use keystead_domain::ids::{ApprovalId, KeyId, MemberId, OwnerId};
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_store::{Acted, ApprovalRow, Tx};
use std::sync::Arc;

impl Keystead {
    /// Asks for an approval of a new key, or of a change of one.
    ///
    /// # Errors
    /// When the caller is nobody who signed in, could not do it with an approval either, or needs none; when there
    /// are too many open requests, or a field breaks a rule.
    pub async fn request_approval(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreateApproval,
    ) -> Result<Approval, Refused> {
        name::reason("/why", &input.why)?;
        let why = input.why.clone();
        let asked = self.read_wish(caller, input).await?;
        caller.signed_in()?;
        let member = caller.member().ok_or(Refused::NeedsSession)?;
        self.authorise_all(caller, self.rights_to(caller, &asked)?, Some(&asked.place.resource)).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        let made = self
            .act_once(caller, move |tx| {
                Box::pin(async move { this.store_request(tx, &by, member, asked, why).await })
            })
            .await?;
        self.post.hurry();
        Ok(made)
    }

    async fn read_wish(self: &Arc<Self>, caller: &Caller, input: CreateApproval) -> Result<Asked, Refused> {
        let directory = &self.keyring.directory;
        match input {
            CreateApproval {
                project: Some(project),
                create: Some(create),
                key: None,
                update: None,
                version: None,
                ..
            } => {
                alone(create.break_glass.as_ref()).map_err(|invalid| invalid.below("/create"))?;
                let project = directory.project(caller.organization(), &project).ok_or_else(no_project)?;
                let Some(place) = directory.place(project.id, &create.environment) else {
                    self.admit(caller).await?;
                    return Err(no_environment().below("/create"));
                };
                Ok(Asked { wish: Wish::Create(Box::new(create)), place, key: None })
            }
            CreateApproval {
                project: None,
                create: None,
                key: Some(key),
                update: Some(update),
                version,
                ..
            } => {
                alone(update.break_glass.as_ref()).map_err(|invalid| invalid.below("/update"))?;
                if update.credits.is_some() {
                    // What is leased of a key's credits is taken back by whoever sets them.
                    let fix = "Leave them out, and set them with PATCH /v1/keys/{id}.";
                    return Err(Invalid::new("/update/credits", "Credits need no approval.", fix).into());
                }
                let entry = key.parse::<KeyId>().ok().and_then(|id| self.keyring.get(id));
                let entry = entry.filter(|entry| entry.place.project.organization == caller.organization());
                let entry = entry.ok_or_else(no_key)?;
                let key = Some((entry.id, version));
                Ok(Asked { wish: Wish::Update(Box::new(update)), place: entry.place, key })
            }
            _ => Err(Invalid::new(
                "",
                "It is not clear what is asked for.",
                "Send `project` and `create` for a new key, or `key` and `update` for a change of one.",
            )
            .into()),
        }
    }

    async fn store_request(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        member: MemberId,
        mut asked: Asked,
        why: String,
    ) -> Result<Acted<Approval>, Refused> {
        let (now, organization) = (self.clock.now(), caller.organization());
        // Whoever asks twice at once asks one after the other.
        tx.hold_owner(organization, OwnerId::Member(member)).await?;
        has_room(
            tx.open_approvals_of(organization, member, now).await?,
            tx.open_approvals(organization, now).await?,
        )?;
        if let Some((id, version @ None)) = &mut asked.key {
            *version = tx.key(organization, *id).await?.map(|row| row.version);
        }
        let wish = to_json(&asked.wish)?;
        if wish.len() > WISH_BYTES_MAX {
            let fix = format!("Send at most {WISH_BYTES_MAX} bytes: use roles, or less metadata.");
            return Err(Invalid::new("", "What is asked for is too much.", fix).into());
        }
        let before = tx.mark().await?;
        let performed = self.perform(tx, caller, asked.clone()).await?;
        tx.undo(before).await?;
        if performed.lifted.needs.is_empty() {
            return Err(Refused::conflict(
                "No guardrail demands an approval of this.",
                "Do it without: make or change the key.",
            ));
        }
        let team_id = match performed.lifted.comes_to.as_ref().map(|comes_to| comes_to.owner) {
            Some(OwnerId::Seat(seat)) => tx.seat(organization, seat).await?.map(|seat| seat.team_id),
            _ => None,
        };
        let row = ApprovalRow {
            id: self.entropy.with(|rng| ApprovalId::random(rng)),
            organization_id: organization,
            project_id: asked.place.project.id,
            environment_id: asked.place.environment,
            requester_id: member,
            team_id,
            key_id: asked.key.map(|(id, _)| id),
            lineage_id: None,
            key_version: asked.key.and_then(|(_, version)| version),
            name: performed.acted.value.name,
            why,
            wish,
            needs: to_json(&performed.lifted.needs)?,
            digest: performed.digest,
            state: ApprovalState::Pending.as_str().into(),
            decided_by: None,
            decided_at: None,
            comment: None,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(DECIDE_MICROS),
            version: 1,
        };
        tx.insert_approval(&row).await?;
        self.tell_deciders(tx, &row, &asked.place).await?;
        let shown = self.show_approval(&row, now)?;
        let event = self.approval_event(caller, "approval.request", &row);
        let event = with_difference(event, None, Some(&shown));
        Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
    }

    /// The audit record of an act on a request, in the team's name in which the key is to be made.
    pub(super) fn approval_event(
        &self,
        caller: &Caller,
        action: &'static str,
        row: &ApprovalRow,
    ) -> keystead_store::Event {
        let id = row.id.to_string();
        let target = Target { kind: "approval", id, name: &row.name, project: Some(row.project_id) };
        let mut event = self.event(caller, action, target);
        if event.actor_member == Some(row.requester_id) {
            event.actor_team = event.actor_team.or(row.team_id);
        }
        event
    }
}

fn has_room(own: i64, all: i64) -> Result<(), Refused> {
    let full = |whose: &str, max: i64| {
        Err(Refused::conflict(
            format!("{whose} has {max} open requests."),
            "Withdraw some, or wait until they are decided, redeemed or over.",
        ))
    };
    if own >= OPEN_OF_ONE_MAX {
        return full("Who asks", OPEN_OF_ONE_MAX);
    }
    if all >= OPEN_MAX { full("The organization", OPEN_MAX) } else { Ok(()) }
}

fn no_project() -> Refused {
    let fix = "Send the id or slug of one of your projects.";
    Refused::unknown("/project", "There is no such project.", fix)
}

fn no_key() -> Refused {
    Refused::unknown("/key", "There is no such key.", "Send the id of one of your keys: `key_…`.")
}
