//! Who is in which team. A place in a team brings what the team may do, so it is given by who may give that.

use super::members;
use super::teams;
use crate::act::with_difference;
use crate::caller::Caller;
use crate::present::json;
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{AuthorityGrant, TeamMember, TeamMembers};
use keystead_domain::ids::{OrganizationId, SeatId, TeamId};
use keystead_domain::time::Micros;
use keystead_store::{Acted, Conn, Event, MemberRow, SeatRow, TeamRow, Tx};
use serde_json::json as object;
use std::sync::Arc;

impl Keystead {
    /// Everyone who is or was in a team.
    ///
    /// # Errors
    /// When there is no such team, or the caller may not see it.
    pub async fn team_members(self: &Arc<Self>, caller: &Caller, team: &str) -> Result<TeamMembers, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let mut reader = self.store.read().await?;
        let team = team_named(&mut reader, caller.organization(), team).await?;
        let team = team.ok_or(Refused::not_found("team"))?;
        show(&mut reader, &team).await
    }

    /// Puts a member in a team; one who is in it stays.
    ///
    /// # Errors
    /// When the caller may not, there is no such team or member, or what the team may do is not the caller's
    /// to give.
    pub async fn join_team(
        self: &Arc<Self>,
        caller: &Caller,
        team: &str,
        member: &str,
    ) -> Result<TeamMembers, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let member = self.member_row(caller, member).await?.id;
        let (this, by, team) = (Arc::clone(self), caller.clone(), team.to_owned());
        self.act_some(caller, true, move |tx| {
            Box::pin(async move {
                let team = team_named(tx, by.organization(), &team).await?;
                let team = team.ok_or(Refused::not_found("team"))?;
                let row = tx.member(by.organization(), member).await?;
                let row = row.ok_or(Refused::not_found("member"))?;
                let event = this.seat(tx, &by, &team, &row, this.clock.now()).await?;
                let value = show(tx, &team).await?;
                Ok(Acted { value, events: event.into_iter().collect(), changes: vec![members::change(&row)] })
            })
        })
        .await
    }

    /// Takes a member out of a team; keys that they made in its name stop on the next request.
    ///
    /// # Errors
    /// When the caller may not, or the member is not in such a team.
    pub async fn leave_team(
        self: &Arc<Self>,
        caller: &Caller,
        team: &str,
        member: &str,
    ) -> Result<(), Refused> {
        let row = self.member_row(caller, member).await;
        let own = caller.member();
        if own.is_some() && row.as_ref().is_ok_and(|row| Some(row.id) == own) {
            self.admit(caller).await?;
        } else {
            self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        }
        let (this, by, team, member) = (Arc::clone(self), caller.clone(), team.to_owned(), row?);
        self.act(move |tx| {
            Box::pin(async move {
                let now = this.clock.now();
                let team = team_named(tx, by.organization(), &team).await?;
                let team = team.ok_or(Refused::not_found("team"))?;
                let seats = tx.seats_of_member(team.organization_id, member.id).await?;
                let seat = seats.into_iter().find(|seat| seat.team_id == team.id && seat.left_at.is_none());
                let seat = seat.ok_or(Refused::not_found("member of this team"))?;
                turn(tx, &seat, Some(now), now).await?;
                let event = this.event(&by, "team.leave", teams::target(&team));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&who(&member)), None)],
                    changes: vec![members::change(&member)],
                })
            })
        })
        .await
    }

    /// Gives a member a place in a team, or the one that they left; nothing when they are in it.
    pub(super) async fn seat(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        team: &TeamRow,
        member: &MemberRow,
        now: Micros,
    ) -> Result<Option<Event>, Refused> {
        let seats = tx.seats_of_member(member.organization_id, member.id).await?;
        let before = seats.into_iter().find(|seat| seat.team_id == team.id);
        // Placed by somebody: no identity provider's groups take it away any more.
        let was_mapped = match &before {
            Some(seat) => tx.delete_mapped_seat(seat.id).await?,
            None => false,
        };
        if before.as_ref().is_some_and(|seat| seat.left_at.is_none()) && !was_mapped {
            return Ok(None);
        }
        // Locked: what the team may do cannot become more than what was checked.
        if !tx.update_team(team, team.version).await? {
            return Err(versions::overtaken(Some(team.version + 1), "team"));
        }
        self.may_give(tx, caller, &json::<Vec<AuthorityGrant>>(&team.grants)?).await?;
        match before {
            Some(seat) if seat.left_at.is_none() => {}
            Some(seat) => turn(tx, &seat, None, now).await?,
            None => {
                let row = SeatRow {
                    id: self.entropy.with(|rng| SeatId::random(rng)),
                    organization_id: team.organization_id,
                    team_id: team.id,
                    member_id: member.id,
                    left_at: None,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                tx.insert_seat(&row).await?;
            }
        }
        let event = self.event(caller, "team.join", teams::target(team));
        Ok(Some(with_difference(event, None, Some(&who(member)))))
    }

    /// Refuses to bring somebody back to what their teams may do, unless the caller may give that.
    pub(crate) async fn may_give_teams_of(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        member: &MemberRow,
    ) -> Result<(), Refused> {
        for seat in tx.seats_of_member(member.organization_id, member.id).await? {
            if seat.left_at.is_none()
                && let Some(team) = tx.team(member.organization_id, seat.team_id).await?
            {
                self.may_give(tx, caller, &json::<Vec<AuthorityGrant>>(&team.grants)?).await?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn turn(
    tx: &mut Tx,
    seat: &SeatRow,
    left_at: Option<Micros>,
    now: Micros,
) -> Result<(), Refused> {
    let row = SeatRow { left_at, updated_at: now, version: seat.version + 1, ..seat.clone() };
    if tx.update_seat(&row, seat.version).await? {
        return Ok(());
    }
    Err(versions::overtaken(Some(seat.version + 1), "member of this team"))
}

pub(crate) fn who(member: &MemberRow) -> serde_json::Value {
    object!({ "member": member.id.to_string(), "name": member.name })
}

/// A team by id or name.
pub(crate) async fn team_named(
    conn: &mut Conn,
    organization: OrganizationId,
    named: &str,
) -> Result<Option<TeamRow>, Refused> {
    Ok(match named.parse::<TeamId>() {
        Ok(id) => conn.team(organization, id).await?,
        Err(_) => conn.team_by_name(organization, named).await?,
    })
}

async fn show(conn: &mut Conn, team: &TeamRow) -> Result<TeamMembers, Refused> {
    let mut members = Vec::new();
    for seat in conn.seats_of_team(team.organization_id, team.id).await? {
        let Some(row) = conn.member(team.organization_id, seat.member_id).await? else { continue };
        members.push(TeamMember {
            member: row.id.to_string(),
            email: row.email,
            name: row.name,
            disabled: row.disabled,
            since: seat.created_at.to_timestamp(),
            left_at: seat.left_at.map(Micros::to_timestamp),
        });
    }
    Ok(TeamMembers { members })
}
