//! How far an owner's keys reach: nothing of a key passes that its owner may not do now.

use crate::authority::Authority;
use crate::cells::{Place, Principal};
use crate::ids::{OrganizationId, TeamId};
use crate::pattern::{Pattern, PermissionSet};
use crate::policy::Grant;
use crate::resource::ResourcePattern;
use crate::time::Micros;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// A team and what its members may do in its name now.
#[derive(Debug)]
pub struct TeamCell {
    /// Its id.
    pub id: TeamId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is and may do now.
    pub state: ArcSwap<TeamState>,
}

/// What a team is and may do now.
#[derive(Debug)]
pub struct TeamState {
    /// Its name.
    pub name: Box<str>,
    /// What its members may do in its name.
    pub authority: Authority,
}

/// A person's place in a team.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The team.
    pub team: Arc<TeamCell>,
    /// When the person left it; `None` while they are in it.
    pub left_at: Option<Micros>,
}

/// What an owner's keys may do at most.
#[derive(Debug)]
pub enum Reach {
    /// Whatever they were granted.
    Anything,
    /// Nothing beyond a ceiling.
    Within(PermissionSet),
    /// What a person may do: their own grants and those of their teams.
    Member {
        /// Theirs alone.
        own: Authority,
        /// The teams that they are or were in.
        teams: Box<[Membership]>,
    },
    /// What a team may do, while this person is in it and active.
    Seat {
        /// The person.
        member: Arc<Principal>,
        /// Their place.
        membership: Membership,
    },
}

impl Reach {
    /// Whether it lets a key of this place have `permission` on `resource`.
    #[must_use]
    pub fn allows(&self, place: &Place, permission: &str, resource: Option<&str>) -> bool {
        let team = |membership: &Membership| {
            membership.left_at.is_none()
                && membership.team.state.load().authority.gives(place, permission, resource)
        };
        match self {
            Self::Anything => true,
            Self::Within(ceiling) => ceiling.allows(permission),
            Self::Member { own, teams } => own.gives(place, permission, resource) || teams.iter().any(team),
            Self::Seat { membership, .. } => team(membership),
        }
    }

    /// Whether everything that `pattern` stands for on `resource` (`None`: on all) is within it. Never true
    /// wrongly; false where only several grants together would cover it.
    #[must_use]
    pub fn covers(&self, place: &Place, pattern: &Pattern, resource: Option<&ResourcePattern>) -> bool {
        match self {
            Self::Anything => true,
            Self::Within(ceiling) => ceiling.covers(pattern),
            Self::Member { .. } | Self::Seat { .. } => {
                self.grants(place).unwrap_or_default().iter().any(|grant| grant.covers(pattern, resource))
            }
        }
    }

    /// Everything that a person may do in this place now; `None` where that is not made of grants.
    #[must_use]
    pub fn grants(&self, place: &Place) -> Option<Vec<Grant>> {
        let team = |membership: &Membership| -> Vec<Grant> {
            match membership.left_at {
                None => membership.team.state.load().authority.at(place).cloned().collect(),
                Some(_) => Vec::new(),
            }
        };
        match self {
            Self::Anything | Self::Within(_) => None,
            Self::Member { own, teams } => {
                Some(own.at(place).cloned().chain(teams.iter().flat_map(team)).collect())
            }
            Self::Seat { membership, .. } => Some(team(membership)),
        }
    }

    /// Whether everything stops: a person left the team, or is disabled.
    #[must_use]
    pub fn is_off(&self) -> bool {
        match self {
            Self::Seat { member, membership } => membership.left_at.is_some() || member.state.load().disabled,
            Self::Anything | Self::Within(_) | Self::Member { .. } => false,
        }
    }
}

impl Principal {
    /// The team in whose name its keys act.
    #[must_use]
    pub fn team(&self) -> Option<Arc<TeamCell>> {
        match &self.state.load().reach {
            Reach::Seat { membership, .. } => Some(Arc::clone(&membership.team)),
            Reach::Anything | Reach::Within(_) | Reach::Member { .. } => None,
        }
    }

    /// Why its keys do not get a permission that one of their own grants gives; `None` when they do.
    /// `would` says whether a grant would do.
    #[must_use]
    pub fn withholds(
        &self,
        place: &Place,
        permission: &str,
        would: &dyn Fn(&Grant) -> bool,
    ) -> Option<String> {
        let state = self.state.load();
        match &state.reach {
            Reach::Anything => None,
            Reach::Within(ceiling) => (!ceiling.allows(permission))
                .then(|| format!("the ceiling of {} ({}) does not have it", state.name, self.id)),
            reach @ (Reach::Member { .. } | Reach::Seat { .. }) => {
                let has = reach.grants(place).is_some_and(|grants| grants.iter().any(would));
                (!has).then(|| self.lost(place, would))
            }
        }
    }

    /// How a person came to lose what they may no longer do, where that is known.
    fn lost(&self, place: &Place, would: &dyn Fn(&Grant) -> bool) -> String {
        let state = self.state.load();
        let left = |membership: &Membership| {
            let at = membership.left_at?;
            let team = membership.team.state.load();
            team.authority.at(place).any(would).then(|| left_team(&state.name, &team.name, at))
        };
        match &state.reach {
            Reach::Seat { membership, .. } => left(membership).unwrap_or_else(|| {
                format!(
                    "its team {} ({}) may not do it",
                    membership.team.state.load().name,
                    membership.team.id
                )
            }),
            Reach::Member { teams, .. } => teams
                .iter()
                .find_map(left)
                .unwrap_or_else(|| format!("its owner {} ({}) may not do it", state.name, self.id)),
            Reach::Anything | Reach::Within(_) => String::new(),
        }
    }

    /// Why all of its keys have stopped, as a sentence; `None` when they have not.
    #[must_use]
    pub fn why_off(&self) -> Option<String> {
        let state = self.state.load();
        if let Reach::Seat { member, membership } = &state.reach {
            if let Some(at) = membership.left_at {
                let left = left_team(&state.name, &membership.team.state.load().name, at);
                return Some(format!("The key stopped, because {left}."));
            }
            return member.why_off();
        }
        state
            .disabled
            .then(|| format!("{} ({}) is disabled, and all of its keys with it.", state.name, self.id))
    }
}

fn left_team(name: &str, team: &str, at: Micros) -> String {
    format!("its owner {name} left team {team} on {}", at.to_timestamp().strftime("%Y-%m-%d"))
}
