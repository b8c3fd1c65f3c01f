//! Keys of people: whoever makes one for themselves, or in a team's name, is its owner and looks after it. Its
//! secret is shown to nobody else.

use super::hand_over::owners_of;
use super::seats::team_named;
use crate::caller::Caller;
use crate::key_grants::wider;
use crate::present::team;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{KeyStatus, OwnedKey, Page};
use keystead_domain::cells::Place;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{KeyId, MemberId, OwnerId};
use keystead_domain::policy::{Given, Policy, PolicySpec};
use keystead_domain::reach::Reach;
use keystead_store::{KeyRow, Tx};
use std::sync::Arc;

/// The most keys that one look at a person's shows.
const KEYS_MAX: u32 = 1_000;
/// What stands for the caller as an owner.
pub(crate) const ME: &str = "me";

/// Whether a key is to be, or is, the caller's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// That of the person who calls.
    Theirs,
    /// Somebody else's.
    Others,
}

impl Own {
    /// Of a key that is about to be made with this owner, consumer and team as sent.
    pub(crate) fn of_new(
        caller: &Caller,
        owner: Option<&str>,
        consumer: Option<&str>,
        team: Option<&str>,
    ) -> Self {
        let Some(member) = caller.member() else { return Self::Others };
        let is_theirs = match owner {
            _ if team.is_some() => true,
            Some(owner) => owner == ME || owner == member.to_string(),
            None => consumer.is_none(),
        };
        if is_theirs { Self::Theirs } else { Self::Others }
    }

    /// Of a key that exists.
    pub(crate) fn of(caller: &Caller, entry: &Entry) -> Self {
        let person = person(entry.owner.id, &entry.owner.state.load().reach);
        if person.is_some() && person == caller.member() { Self::Theirs } else { Self::Others }
    }

    /// The rights that an act needs: those on others' keys, or the one on one's own.
    pub(crate) fn needed<'n>(self, others: &'n [&'static str]) -> &'n [&'static str] {
        match self {
            Self::Theirs => &[management::KEYS_OWN],
            Self::Others => others,
        }
    }
}

/// Which person an owner is.
pub(crate) fn person(owner: OwnerId, reach: &Reach) -> Option<MemberId> {
    match (owner, reach) {
        (OwnerId::Member(id), _) => Some(id),
        (OwnerId::Seat(_), Reach::Seat { member, .. }) => match member.id {
            OwnerId::Member(id) => Some(id),
            OwnerId::ServiceAccount(_) | OwnerId::Consumer(_) | OwnerId::Seat(_) => None,
        },
        (OwnerId::ServiceAccount(_) | OwnerId::Consumer(_) | OwnerId::Seat(_), _) => None,
    }
}

/// A key changes hands only by who may give what the new owner has.
///
/// # Errors
/// Names the right that is missing.
pub(crate) fn may_hand_to(caller: &Caller, place: &Place, owner: OwnerId) -> Result<(), Refused> {
    let permission = match owner {
        OwnerId::ServiceAccount(_) | OwnerId::Consumer(_) => management::KEYS_CREATE,
        OwnerId::Member(_) | OwnerId::Seat(_) => management::AUTHORITY_GRANT,
    };
    caller.require(permission, Some(&place.resource))
}

impl Keystead {
    /// The secret of a person's key is theirs alone: whoever else saw it could act as them.
    pub(crate) fn secret_is_for(&self, caller: &Caller, id: KeyId, owner: OwnerId) -> Result<(), Refused> {
        let Some(principal) = self.keyring.directory.principal(owner) else { return Ok(()) };
        let state = principal.state.load();
        match person(owner, &state.reach) {
            Some(member) if caller.member() != Some(member) => Err(Refused::Forbidden {
                permission: "to be its owner",
                resource: format!("{id}, whose secret is for {} alone", state.name),
            }),
            _ => Ok(()),
        }
    }

    /// The caller's place in a team, as the owner of a key that is made in its name.
    pub(crate) async fn seat_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        named: &str,
    ) -> Result<OwnerId, Refused> {
        let not_in_it = || {
            Refused::unknown(
                "/team",
                "You are in no such team.",
                "Send the name or id of a team that you are in; a key of a program is made in no team's name.",
            )
        };
        let member = caller.member().ok_or_else(not_in_it)?;
        let row = team_named(tx, caller.organization(), named).await?.ok_or_else(not_in_it)?;
        let seats = tx.seats_of_member(row.organization_id, member).await?;
        let seat = seats.iter().find(|seat| seat.team_id == row.id && seat.left_at.is_none());
        seat.map(|seat| OwnerId::Seat(seat.id)).ok_or_else(not_in_it)
    }

    /// Refuses a key of a person that would have more than they may do: it would never pass, and would come to
    /// life when somebody gives them more.
    pub(crate) fn within_owner(
        &self,
        place: &Place,
        owner: OwnerId,
        spec: &PolicySpec,
    ) -> Result<(), Refused> {
        let Some(principal) = self.keyring.directory.principal(owner) else { return Ok(()) };
        let state = principal.state.load();
        if person(owner, &state.reach).is_none() {
            return Ok(());
        }
        let policy = Policy::compile(spec, |id| self.keyring.directory.role(id))?;
        for grant in &policy.grants {
            let patterns = match &grant.given {
                Given::Permission(pattern) => vec![pattern.clone()],
                Given::Role(role) => role.permissions.load().iter().cloned().collect(),
            };
            let covered = patterns.iter().all(|pattern| match grant.resources.as_deref() {
                None => state.reach.covers(place, pattern, None),
                Some(resources) => {
                    resources.iter().all(|resource| state.reach.covers(place, pattern, Some(resource)))
                }
            });
            if !covered {
                let whose = match &state.reach {
                    Reach::Seat { membership, .. } => format!("team {}", membership.team.state.load().name),
                    Reach::Anything | Reach::Within(_) | Reach::Member { .. } => state.name.to_string(),
                };
                return Err(wider(format!("{}, which {whose} may not do here", grant.describe())));
            }
        }
        Ok(())
    }

    /// The keys that a person owns, themselves and in teams' names, oldest first: what stops with them.
    ///
    /// # Errors
    /// When there is no such member, or the caller may not see them.
    pub async fn keys_of_member(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
    ) -> Result<Page<OwnedKey>, Refused> {
        let member = self.member_seen(caller, named).await?;
        let mut reader = self.store.read().await?;
        let mut rows: Vec<KeyRow> = Vec::new();
        for owner in owners_of(&mut reader, &member).await? {
            rows.extend(reader.keys_owned(member.organization_id, owner, KEYS_MAX).await?);
        }
        rows.sort_by_key(|row| (row.created_at, row.id));
        rows.truncate(KEYS_MAX as usize);
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let last_used_at = reader.seen(row.lineage_id).await?.and_then(|seen| seen.last_used_at);
            let Some(entry) = self.keyring.get(row.id) else { continue };
            items.push(OwnedKey {
                id: row.id.to_string(),
                name: row.name,
                project: entry.place.project.slug.to_string(),
                environment: entry.place.slug.to_string(),
                team: entry.owner.team().map(|cell| team(&cell)),
                status: match entry.status(self.clock.now()) {
                    KeyStatus::Active if entry.disabled_principal().is_some() => KeyStatus::Disabled,
                    status => status,
                },
                created_at: row.created_at.to_timestamp(),
                last_used_at: last_used_at.map(|at| at.to_timestamp()),
            });
        }
        Ok(Page { items, next_cursor: None })
    }
}
