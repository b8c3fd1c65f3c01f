//! Teams: what members may do together, behind one shared address.

use super::authority::roles_of;
use super::seats::team_named;
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{AuthorityGrant, CreateTeam, Page, PageQuery, Team, UpdateTeam};
use keystead_domain::contact::contact_state;
use keystead_domain::ids::{OwnerId, TeamId};
use keystead_domain::name;
use keystead_store::{Acted, Change, ChangeKind, StoreError, TeamRow, Tx, Unique};
use std::sync::Arc;

impl Keystead {
    /// Creates a team.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the name is taken, or what the team may do is not the
    /// caller's to give.
    pub async fn create_team(self: &Arc<Self>, caller: &Caller, input: CreateTeam) -> Result<Team, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        name::handle("/name", &input.name)?;
        name::description("/purpose", &input.purpose)?;
        if let Some(contact) = &input.contact {
            name::contact("/contact", contact)?;
        }
        let now = self.clock.now();
        let mut row = TeamRow {
            id: self.entropy.with(|rng| TeamId::random(rng)),
            organization_id: caller.organization(),
            name: input.name,
            purpose: input.purpose,
            contact: input.contact,
            grants: String::new(),
            created_at: now,
            updated_at: now,
            version: 1,
            listed: input.listed,
            asked_contact: None,
            asked_at: None,
            verified_contact: None,
            verified_at: None,
        };
        let (this, by) = (Arc::clone(self), caller.clone());
        let created = self.act_once(caller, move |tx| {
            Box::pin(async move {
                let grants = this.read_grants(tx, &by, &input.grants, &[]).await?;
                row.grants = to_json(&grants)?;
                this.ask_if_mailed(tx, &mut row).await?;
                tx.insert_team(&row).await.map_err(taken)?;
                tx.set_grant_roles(row.id.0, &roles_of(&grants)).await?;
                let shown = this.show_team(&row)?;
                let event = this.event(&by, "team.create", target(&row));
                let event = with_difference(event, None, Some(&shown));
                Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
            })
        });
        let created = created.await?;
        self.post.hurry();
        Ok(created)
    }

    /// The organization's teams, newest first.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn list_teams(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<Team>, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let rows = self.store.read().await?.teams(caller.organization(), cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| self.show_team(&row))
    }

    /// One team, by id or name.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn team(self: &Arc<Self>, caller: &Caller, named: &str) -> Result<Team, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        self.show_team(&self.team_row(caller, named).await?)
    }

    /// Changes a team; everything done in its name follows on the next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the version is another, or what the team may do is not
    /// the caller's to give.
    pub async fn update_team(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        input: UpdateTeam,
        if_match: Option<i64>,
    ) -> Result<Team, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.team_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let before = tx.team(by.organization(), id).await?.ok_or(Refused::not_found("team"))?;
                versions::expect(if_match, before.version)?;
                this.write_team(tx, &by, before, input).await
            })
        })
        .await
        .inspect(|_| self.post.hurry())
    }

    async fn write_team(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: TeamRow,
        input: UpdateTeam,
    ) -> Result<Acted<Team>, Refused> {
        let mut row = before.clone();
        if let Some(purpose) = input.purpose {
            name::description("/purpose", &purpose)?;
            row.purpose = purpose;
        }
        if let Some(contact) = input.contact {
            if let Some(contact) = &contact {
                name::contact("/contact", contact)?;
            }
            row.contact = contact;
        }
        row.listed = input.listed.unwrap_or(row.listed);
        if row.contact != before.contact {
            self.ask_changed(tx, &mut row).await?;
        }
        if let Some(sent) = &input.grants {
            let held: Vec<AuthorityGrant> = json(&before.grants)?;
            row.grants = to_json(&self.read_grants(tx, caller, sent, &held).await?)?;
        }
        (row.version, row.updated_at) = (before.version + 1, self.clock.now());
        if !tx.update_team(&row, before.version).await.map_err(taken)? {
            let current = tx.team(row.organization_id, row.id).await?;
            return Err(versions::overtaken(current.map(|row| row.version), "team"));
        }
        tx.set_grant_roles(row.id.0, &roles_of(&json::<Vec<AuthorityGrant>>(&row.grants)?)).await?;
        let shown = self.show_team(&row)?;
        let event = self.event(caller, "team.update", target(&row));
        let event = with_difference(event, Some(&self.show_team(&before)?), Some(&shown));
        Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
    }

    /// Deletes a team in whose name no key was made.
    ///
    /// # Errors
    /// When the caller may not, a key was made in its name, or the version is another.
    pub async fn delete_team(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.team_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.team(by.organization(), id).await?.ok_or(Refused::not_found("team"))?;
                versions::expect(if_match, row.version)?;
                let mut changes = Vec::new();
                for seat in tx.seats_of_team(row.organization_id, id).await? {
                    if tx.keys_of_owner(OwnerId::Seat(seat.id)).await? > 0 {
                        return Err(in_use());
                    }
                    tx.delete_seat(row.organization_id, seat.id).await.map_err(still)?;
                    changes.push(super::members::change_of(row.organization_id, seat.member_id));
                }
                tx.set_grant_roles(id.0, &[]).await?;
                tx.end_link(&id.0).await?;
                tx.delete_team(row.organization_id, id).await.map_err(still)?;
                // After the members: they no longer refer to it.
                changes.push(change(&row));
                let event = this.event(&by, "team.delete", target(&row));
                let shown = this.show_team(&row)?;
                Ok(Acted { value: (), events: vec![with_difference(event, Some(&shown), None)], changes })
            })
        })
        .await
    }

    async fn team_row(&self, caller: &Caller, named: &str) -> Result<TeamRow, Refused> {
        let mut reader = self.store.read().await?;
        team_named(&mut reader, caller.organization(), named).await?.ok_or(Refused::not_found("team"))
    }

    fn show_team(&self, row: &TeamRow) -> Result<Team, Refused> {
        let verified = row.verified_contact.as_deref().zip(row.verified_at);
        let state = row.contact.as_deref().map(|contact| contact_state(contact, verified, self.clock.now()));
        Ok(Team {
            id: row.id.to_string(),
            name: row.name.clone(),
            purpose: row.purpose.clone(),
            contact: row.contact.clone(),
            contact_state: state,
            contact_verified_at: row
                .verified_at
                .filter(|_| row.verified_contact.is_some() && row.verified_contact == row.contact)
                .map(|at| at.to_timestamp()),
            listed: row.listed,
            grants: self.show_grants(&row.grants)?,
            created_at: row.created_at.to_timestamp(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        })
    }
}

fn in_use() -> Refused {
    Refused::conflict(
        "Keys were made in the team's name.",
        "Hand them over, or revoke and delete them first; or take the team's grants away, which holds at once.",
    )
}

fn still(error: StoreError) -> Refused {
    match error {
        StoreError::Referenced => in_use(),
        other => other.into(),
    }
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::TeamName) => Refused::conflict(
            "The organization has a team with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}

pub(crate) fn target(row: &TeamRow) -> Target<'_> {
    Target { kind: "team", id: row.id.to_string(), name: &row.name, project: None }
}

pub(super) fn change(row: &TeamRow) -> Change {
    Change::new(row.organization_id, ChangeKind::Team, row.id.0)
}
