//! The provider's groups as places in teams, at each sign-in. Only places that came so are taken away so. Whoever set
//! the mapping had every right of the organization, and so could give these.

use crate::Keystead;
use crate::act::with_difference;
use crate::caller::Origin;
use crate::people::{team_target, turn, who};
use crate::present::json;
use crate::refused::Refused;
use keystead_api::GroupTeam;
use keystead_domain::ids::{SeatId, TeamId};
use keystead_domain::time::Micros;
use keystead_oidc::Claims;
use keystead_store::{Event, IdentityProviderRow, MemberRow, SeatRow, StoreError, TeamRow, Tx};
use std::collections::BTreeSet;

impl Keystead {
    /// Gives and takes places; what changed.
    pub(super) async fn map_groups(
        &self,
        tx: &mut Tx,
        provider: &IdentityProviderRow,
        member: &MemberRow,
        claims: &Claims,
        origin: &Origin,
    ) -> Result<Vec<Event>, Refused> {
        let now = self.clock.now();
        let wanted = wanted(provider, claims)?;
        let mapped = tx.mapped_seats_of_member(provider.id, member.organization_id, member.id).await?;
        let seats = tx.seats_of_member(member.organization_id, member.id).await?;
        let mut events = Vec::new();
        for seat in seats.iter().filter(|seat| mapped.contains(&seat.id) && !wanted.contains(&seat.team_id)) {
            tx.delete_mapped_seat(seat.id).await?;
            if seat.left_at.is_none() {
                turn(tx, seat, Some(now), now).await?;
                if let Some(team) = tx.team(member.organization_id, seat.team_id).await? {
                    events.push(self.seat_event("team.leave", &team, member, provider, origin));
                }
            }
        }
        for id in wanted {
            let seat = seats.iter().find(|seat| seat.team_id == id);
            if seat.is_some_and(|seat| seat.left_at.is_none()) {
                continue;
            }
            let Some(team) = tx.team(member.organization_id, id).await? else { continue };
            let seat = self.seat_of_group(tx, &team, member, seat, now).await?;
            tx.put_mapped_seat(seat, provider.id).await?;
            events.push(self.seat_event("team.join", &team, member, provider, origin));
        }
        Ok(events)
    }

    async fn seat_of_group(
        &self,
        tx: &mut Tx,
        team: &TeamRow,
        member: &MemberRow,
        before: Option<&SeatRow>,
        now: Micros,
    ) -> Result<SeatId, Refused> {
        if let Some(seat) = before {
            turn(tx, seat, None, now).await?;
            return Ok(seat.id);
        }
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
        tx.insert_seat(&row).await.map_err(|error| match error {
            // Somebody placed the member at the same moment, or deleted the team.
            StoreError::Unique(_) | StoreError::Referenced => StoreError::Conflict,
            other => other,
        })?;
        Ok(row.id)
    }

    fn seat_event(
        &self,
        action: &'static str,
        team: &TeamRow,
        member: &MemberRow,
        provider: &IdentityProviderRow,
        origin: &Origin,
    ) -> Event {
        let event = self.event_by(member, None, action, team_target(team), origin);
        let mut whose = who(member);
        if let Some(whose) = whose.as_object_mut() {
            whose.insert("identity_provider".into(), provider.name.clone().into());
        }
        match action {
            "team.join" => with_difference(event, None, Some(&whose)),
            _ => with_difference(event, Some(&whose), None),
        }
    }
}

/// The teams that the person's groups stand for; groups that nothing is said of are nothing.
fn wanted(provider: &IdentityProviderRow, claims: &Claims) -> Result<BTreeSet<TeamId>, Refused> {
    let Some(claim) = &provider.groups_claim else { return Ok(BTreeSet::new()) };
    let groups: BTreeSet<&str> = claims.groups(claim).into_iter().collect();
    let mapping: Vec<GroupTeam> = json(&provider.group_teams)?;
    let mapping = mapping.iter().filter(|entry| groups.contains(entry.group.as_str()));
    Ok(mapping.filter_map(|entry| entry.team.parse().ok()).collect())
}
