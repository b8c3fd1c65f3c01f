//! Bringing people into the keyring: teams, members, and their seats in teams.

use crate::Keystead;
use crate::cells;
use crate::keyring::Directory;
use crate::present::json;
use crate::refused::Refused;
use keystead_api::AuthorityGrant;
use keystead_domain::cells::PrincipalState;
use keystead_domain::ids::{MemberId, OrganizationId, OwnerId, TeamId};
use keystead_domain::reach::TeamCell;
use keystead_store::{MemberRow, Reader, SeatRow, TeamRow};
use std::collections::HashMap;
use std::sync::Arc;

impl Keystead {
    /// A team as it is now: one cell, whoever is in it.
    pub(crate) async fn apply_team(&self, organization: OrganizationId, id: TeamId) -> Result<(), Refused> {
        let row = self.store.read().await?.team(organization, id).await?;
        let directory = &self.keyring.directory;
        let Some(row) = row else {
            directory.remove_team(id);
            return Ok(());
        };
        self.apply_roles_in(organization, &row.grants).await?;
        put_team(directory, &row)
    }

    /// A member as it is now, and their seats.
    pub(crate) async fn apply_member(
        &self,
        organization: OrganizationId,
        id: MemberId,
    ) -> Result<(), Refused> {
        let directory = &self.keyring.directory;
        let mut reader = self.store.read().await?;
        let row = reader.member(organization, id).await?;
        let seats = reader.seats_of_member(organization, id).await?;
        drop(reader);
        let Some(row) = row else {
            directory.remove_principal(OwnerId::Member(id));
            return Ok(());
        };
        for seat in &seats {
            if directory.team(seat.team_id).is_none() {
                self.apply_team(organization, seat.team_id).await?;
            }
        }
        self.apply_roles_in(organization, &row.grants).await?;
        put_member(directory, &row, &seats)
    }

    /// The roles that grants name, where another node made them and they were not heard of yet. Whoever calls
    /// holds the turn of all that is shared.
    async fn apply_roles_in(&self, organization: OrganizationId, grants: &str) -> Result<(), Refused> {
        let grants: Vec<AuthorityGrant> = json(grants)?;
        for id in grants.iter().filter_map(|grant| grant.role.as_ref()?.parse().ok()) {
            if self.keyring.directory.role(id).is_none() {
                self.apply_role(organization, id).await?;
            }
        }
        Ok(())
    }
}

/// Every team and member. `lenient`: while others write, what refers to something newer is left to the feed.
pub(crate) async fn load(reader: &mut Reader, directory: &Directory, lenient: bool) -> Result<(), Refused> {
    let or_later = |put: Result<(), Refused>| if lenient { Ok(()) } else { put };
    for row in reader.all_teams().await? {
        or_later(put_team(directory, &row))?;
    }
    let mut seats: HashMap<MemberId, Vec<SeatRow>> = HashMap::new();
    for row in reader.all_seats().await? {
        seats.entry(row.member_id).or_default().push(row);
    }
    for row in reader.all_members().await? {
        or_later(put_member(directory, &row, &seats.remove(&row.id).unwrap_or_default()))?;
    }
    Ok(())
}

fn put_team(directory: &Directory, row: &TeamRow) -> Result<(), Refused> {
    let state = Arc::new(cells::team_state(directory, row)?);
    match directory.team(row.id) {
        Some(cell) => cell.state.store(state),
        None => directory.put_team(Arc::new(TeamCell {
            id: row.id,
            organization: row.organization_id,
            state: state.into(),
        })),
    }
    Ok(())
}

/// The member first: what a seat may do is asked of both.
fn put_member(directory: &Directory, row: &MemberRow, seats: &[SeatRow]) -> Result<(), Refused> {
    let owner = OwnerId::Member(row.id);
    put(directory, owner, row.organization_id, cells::member_state(directory, row, seats)?);
    let member = directory
        .principal(owner)
        .ok_or_else(|| Refused::Internal(format!("{} is not where it was put", row.id)))?;
    for seat in seats {
        let state = cells::seat_state(directory, row, seat, Arc::clone(&member))?;
        put(directory, OwnerId::Seat(seat.id), row.organization_id, state);
    }
    Ok(())
}

fn put(directory: &Directory, owner: OwnerId, organization: OrganizationId, state: PrincipalState) {
    match directory.principal(owner) {
        Some(cell) => cell.state.store(Arc::new(state)),
        None => directory.put_principal(Arc::new(cells::principal(owner, organization, state))),
    }
}
