//! Members: people in the organization.

use super::authority::roles_of;
use super::owned_keys::ME;
use super::seats;
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::present::{json, team, to_json};
use crate::refused::Refused;
use crate::{Keystead, management, versions};
use keystead_api::{AuthorityGrant, CreateMember, Member, Page, PageQuery, UpdateMember};
use keystead_domain::ids::{MemberId, OrganizationId, OwnerId};
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_domain::reach::Reach;
use keystead_domain::time::Micros;
use keystead_store::{Acted, Change, ChangeKind, Conn, MemberRow, StoreError, Tx, Unique};
use std::sync::Arc;

/// The most teams that a new member is put in at once.
const TEAMS_MAX: usize = 64;

impl Keystead {
    /// Adds a person to the organization. Who they are is proved when they accept an invitation.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the address is taken, or what the person would have is
    /// not the caller's to give.
    pub async fn create_member(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreateMember,
    ) -> Result<Member, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        name::display_name("/name", &input.name)?;
        let email = name::email("/email", &input.email)?;
        if input.teams.len() > TEAMS_MAX {
            let fix = format!("Send at most {TEAMS_MAX}; a person can be put in more later.");
            return Err(Invalid::new("/teams", "There are too many teams.", fix).into());
        }
        let now = self.clock.now();
        let mut row = MemberRow {
            id: self.entropy.with(|rng| MemberId::random(rng)),
            organization_id: caller.organization(),
            account_id: None,
            email,
            name: input.name,
            grants: String::new(),
            disabled: false,
            disabled_at: None,
            joined_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let grants = this.read_grants(tx, &by, &input.grants, &[]).await?;
                row.grants = to_json(&grants)?;
                tx.insert_member(&row).await.map_err(taken)?;
                tx.set_grant_roles(row.id.0, &roles_of(&grants)).await?;
                let mut events = Vec::new();
                for (index, named) in input.teams.iter().enumerate() {
                    let team = seats::team_named(tx, row.organization_id, named)
                        .await?
                        .ok_or_else(|| no_team(index))?;
                    events.extend(this.seat(tx, &by, &team, &row, now).await?);
                }
                let shown = this.show_member(tx, &row).await?;
                let event = this.event(&by, "member.create", target(&row));
                events.insert(0, with_difference(event, None, Some(&shown)));
                Ok(Acted { value: shown, events, changes: vec![change(&row)] })
            })
        })
        .await
    }

    /// The organization's members, newest first.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn list_members(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<Member>, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let rows = self.store.read().await?.members(caller.organization(), cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| self.member_as_known(&row))
    }

    /// One member, by id or e-mail address; `me` is the caller.
    ///
    /// # Errors
    /// When there is none, or the caller may not see it.
    pub async fn member(self: &Arc<Self>, caller: &Caller, named: &str) -> Result<Member, Refused> {
        let row = self.member_seen(caller, named).await?;
        let mut reader = self.store.read().await?;
        self.show_member(&mut reader, &row).await
    }

    /// Changes a member; everything of theirs follows on the next request.
    ///
    /// # Errors
    /// When the caller may not, a field breaks a rule, the version is another, or what the person would have
    /// is not the caller's to give.
    pub async fn update_member(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        input: UpdateMember,
        if_match: Option<i64>,
    ) -> Result<Member, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.member_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let before = tx.member(by.organization(), id).await?.ok_or(Refused::not_found("member"))?;
                versions::expect(if_match, before.version)?;
                this.write_member(tx, &by, before, input).await
            })
        })
        .await
    }

    async fn write_member(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: MemberRow,
        input: UpdateMember,
    ) -> Result<Acted<Member>, Refused> {
        let now = self.clock.now();
        let mut row = before.clone();
        if let Some(name) = input.name {
            name::display_name("/name", &name)?;
            row.name = name;
        }
        let held: Vec<AuthorityGrant> = json(&before.grants)?;
        if let Some(sent) = &input.grants {
            row.grants = to_json(&self.read_grants(tx, caller, sent, &held).await?)?;
        }
        if let Some(disabled) = input.disabled.filter(|disabled| *disabled != before.disabled) {
            row.disabled = disabled;
            row.disabled_at = disabled.then_some(now);
            if !disabled {
                // Nothing of theirs worked: to let it work again is to give it.
                self.may_give(tx, caller, &held).await?;
                self.may_give_teams_of(tx, caller, &row).await?;
            }
        }
        (row.version, row.updated_at) = (before.version + 1, now);
        if !tx.update_member(&row, before.version).await.map_err(taken)? {
            let current = tx.member(row.organization_id, row.id).await?;
            return Err(versions::overtaken(current.map(|row| row.version), "member"));
        }
        tx.set_grant_roles(row.id.0, &roles_of(&json::<Vec<AuthorityGrant>>(&row.grants)?)).await?;
        let (was, shown) = (self.show_member(tx, &before).await?, self.show_member(tx, &row).await?);
        let event = self.event(caller, "member.update", target(&row));
        let event = with_difference(event, Some(&was), Some(&shown));
        Ok(Acted { value: shown, events: vec![event], changes: vec![change(&row)] })
    }

    /// Deletes a member who owns no key.
    ///
    /// # Errors
    /// When the caller may not, the person owns keys, or the version is another.
    pub async fn delete_member(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.member_row(caller, named).await?.id;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = tx.member(by.organization(), id).await?.ok_or(Refused::not_found("member"))?;
                versions::expect(if_match, row.version)?;
                let shown = this.show_member(tx, &row).await?;
                let mut owners = vec![OwnerId::Member(id)];
                for seat in tx.seats_of_member(row.organization_id, id).await? {
                    owners.push(OwnerId::Seat(seat.id));
                }
                for owner in owners {
                    let keys = tx.keys_of_owner(owner).await?;
                    if keys > 0 {
                        return Err(in_use());
                    }
                    if let OwnerId::Seat(seat) = owner {
                        tx.delete_seat(row.organization_id, seat).await.map_err(still)?;
                    }
                }
                tx.set_grant_roles(id.0, &[]).await?;
                tx.forget_readings(id).await?;
                tx.delete_member(row.organization_id, id).await.map_err(still)?;
                let event = this.event(&by, "member.delete", target(&row));
                Ok(Acted {
                    value: (),
                    events: vec![with_difference(event, Some(&shown), None)],
                    changes: vec![change(&row)],
                })
            })
        })
        .await
    }

    /// The member that a path names, for whoever may see members, or oneself.
    pub(super) async fn member_seen(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
    ) -> Result<MemberRow, Refused> {
        let own = caller.member();
        let names_own = own.is_some_and(|own| named == ME || named == own.to_string());
        if names_own {
            self.admit(caller).await?;
        } else {
            self.authorise(caller, management::PEOPLE_READ, None).await?;
        }
        self.member_row(caller, named).await
    }

    pub(crate) async fn member_row(&self, caller: &Caller, named: &str) -> Result<MemberRow, Refused> {
        let id = match (named, caller.member()) {
            (ME, Some(own)) => Some(own),
            _ => named.parse::<MemberId>().ok(),
        };
        let mut reader = self.store.read().await?;
        let row = match id {
            Some(id) => reader.member(caller.organization(), id).await?,
            None => match name::email("", named) {
                Ok(email) => reader.member_by_email(caller.organization(), &email).await?,
                Err(_) => None,
            },
        };
        row.ok_or(Refused::not_found("member"))
    }

    async fn show_member(&self, conn: &mut Conn, row: &MemberRow) -> Result<Member, Refused> {
        let seats = conn.seats_of_member(row.organization_id, row.id).await?;
        let mut teams = Vec::new();
        for seat in seats.iter().filter(|seat| seat.left_at.is_none()) {
            teams.extend(conn.team(row.organization_id, seat.team_id).await?);
        }
        let teams = teams
            .into_iter()
            .map(|team| keystead_api::TeamRef { id: team.id.to_string(), name: team.name })
            .collect();
        self.shown(row, teams)
    }

    /// The same from what is resident: a list must not ask the database for each.
    fn member_as_known(&self, row: &MemberRow) -> Result<Member, Refused> {
        let principal = self.keyring.directory.principal(OwnerId::Member(row.id));
        let teams = match principal.as_ref().map(|principal| principal.state.load()) {
            Some(state) => match &state.reach {
                Reach::Member { teams, .. } => teams
                    .iter()
                    .filter(|membership| membership.left_at.is_none())
                    .map(|membership| team(&membership.team))
                    .collect(),
                Reach::Anything | Reach::Within(_) | Reach::Seat { .. } => Vec::new(),
            },
            None => Vec::new(),
        };
        self.shown(row, teams)
    }

    fn shown(&self, row: &MemberRow, teams: Vec<keystead_api::TeamRef>) -> Result<Member, Refused> {
        Ok(Member {
            id: row.id.to_string(),
            email: row.email.clone(),
            name: row.name.clone(),
            grants: self.show_grants(&row.grants)?,
            teams,
            disabled: row.disabled,
            disabled_at: row.disabled_at.map(Micros::to_timestamp),
            joined_at: row.joined_at.map(Micros::to_timestamp),
            created_at: row.created_at.to_timestamp(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        })
    }
}

fn no_team(index: usize) -> Refused {
    Refused::unknown(
        format!("/teams/{index}"),
        "There is no such team.",
        "Send the name or id of one of your teams, or create it first.",
    )
}

fn in_use() -> Refused {
    Refused::conflict(
        "The member owns keys.",
        "Hand them over, or revoke and delete them first; or disable the member, which stops them at once.",
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
        StoreError::Unique(Unique::MemberEmail) => Refused::conflict(
            "The organization has a member with this e-mail address.",
            "Change that one, or send another address.",
        ),
        other => other.into(),
    }
}

pub(super) fn target(row: &MemberRow) -> Target<'_> {
    Target { kind: "member", id: row.id.to_string(), name: &row.name, project: None }
}

pub(crate) fn change(row: &MemberRow) -> Change {
    change_of(row.organization_id, row.id)
}

pub(super) fn change_of(organization: OrganizationId, id: MemberId) -> Change {
    Change::new(organization, ChangeKind::Member, id.0)
}
