//! What was found out about keys, and of what it was: it is used only while all of that is still the same.

use crate::facts::{KeyFacts, Named, Owner, PersonFacts, Subject, Who};
use crate::relevant::{Open, Relevant};
use hashbrown::HashMap;
use keystead_api::KeyKind;
use keystead_domain::cells::{Place, Principal, PrincipalState};
use keystead_domain::entry::Entry;
use keystead_domain::ids::{KeyId, OwnerId, TeamId};
use keystead_domain::reach::{Membership, Reach, TeamState};
use keystead_domain::special::Special;
use keystead_domain::time::{Micros, SECOND};
use parking_lot::RwLock;
use std::sync::Arc;

const SHARDS: usize = 64;
/// So many keys are known at once on a node: about 20 MB of them at most.
const KEYS_MAX: usize = 65_536;

/// A key with its owner and its consumer as they were at one moment. What it holds cannot become something else
/// behind its back: a change puts another in the place, so that comparing the places tells of every change.
#[derive(Debug)]
pub(crate) struct Snapshot {
    id: KeyId,
    is_session: bool,
    kind: KeyKind,
    expires_at: Micros,
    place: Arc<Place>,
    special: Option<Arc<Special>>,
    owner: Arc<Principal>,
    pub(crate) owner_state: Arc<PrincipalState>,
    consumer: Option<(Arc<Principal>, Arc<PrincipalState>)>,
    teams: Box<[(TeamId, Arc<TeamState>)]>,
}

fn teams(reach: &Reach) -> impl Iterator<Item = &Membership> {
    let seats = match reach {
        Reach::Member { teams, .. } => teams,
        Reach::Seat { membership, .. } => std::slice::from_ref(membership),
        Reach::Anything | Reach::Within(_) => &[],
    };
    seats.iter().filter(|seat| seat.left_at.is_none())
}

impl Snapshot {
    pub(crate) fn of(entry: &Entry) -> Self {
        let owner_state = entry.owner.state.load_full();
        let in_now =
            teams(&owner_state.reach).map(|seat| (seat.team.id, seat.team.state.load_full())).collect();
        Self {
            id: entry.id,
            is_session: entry.is_session(),
            kind: entry.kind,
            expires_at: entry.expires_at,
            place: Arc::clone(&entry.place),
            special: entry.special.clone(),
            owner: Arc::clone(&entry.owner),
            consumer: entry.consumer.as_ref().map(|one| (Arc::clone(one), one.state.load_full())),
            teams: in_now,
            owner_state,
        }
    }

    /// Whether all of it is as it was. Allocates nothing.
    fn is_still(&self, entry: &Entry) -> bool {
        let consumer = match (&self.consumer, &entry.consumer) {
            (None, None) => true,
            (Some((was, state)), Some(is)) => Arc::ptr_eq(was, is) && Arc::ptr_eq(state, &is.state.load()),
            _ => false,
        };
        let special = match (&self.special, &entry.special) {
            (None, None) => true,
            (Some(was), Some(is)) => Arc::ptr_eq(was, is),
            _ => false,
        };
        self.kind == entry.kind
            && self.is_session == entry.is_session()
            && self.expires_at == entry.expires_at
            && consumer
            && special
            && Arc::ptr_eq(&self.place, &entry.place)
            && Arc::ptr_eq(&self.owner, &entry.owner)
            && Arc::ptr_eq(&self.owner_state, &entry.owner.state.load())
            // The owner's state is the same, and so are its seats: what their teams are called may be another.
            && self
                .teams
                .iter()
                .zip(teams(&self.owner_state.reach))
                .all(|((_, was), seat)| Arc::ptr_eq(was, &seat.team.state.load()))
    }

    /// Who that is, for policies.
    pub(crate) fn subject(&self) -> Subject {
        let organization = self.place.project.organization.to_string();
        let name = self.owner_state.name.to_string();
        let owner = Named { id: self.owner.id.to_string(), name };
        let teams: Vec<Named> = self
            .teams
            .iter()
            .map(|(id, state)| Named { id: id.to_string(), name: state.name.to_string() })
            .collect();
        if self.is_session {
            return Subject { organization, who: Who::Member(PersonFacts { member: owner, teams }) };
        }
        let owner = match (&self.owner.id, &self.owner_state.reach) {
            (_, Reach::Seat { member, .. }) => {
                Owner::TeamMember(Named { id: member.id.to_string(), name: owner.name })
            }
            (OwnerId::ServiceAccount(_), _) => Owner::ServiceAccount(owner),
            (OwnerId::Consumer(_), _) => Owner::Consumer(owner),
            (OwnerId::Member(_) | OwnerId::Seat(_), _) => Owner::Member(owner),
        };
        let project = &self.place.project;
        let facts = KeyFacts {
            id: self.id.to_string(),
            kind: self.kind.as_str().to_owned(),
            tags: self.special.iter().flat_map(|special| &special.tags).map(ToString::to_string).collect(),
            project: Named { id: project.id.to_string(), name: project.slug.to_string() },
            environment: Named { id: self.place.environment.to_string(), name: self.place.slug.to_string() },
            owner,
            teams,
            consumer: self
                .consumer
                .as_ref()
                .map(|(one, state)| Named { id: one.id.to_string(), name: state.name.to_string() }),
            expires_at: (self.expires_at != Micros::FOREVER).then(|| self.expires_at.0.div_euclid(SECOND)),
            minted: self.special.as_ref().is_some_and(|special| special.minted.is_some()),
        };
        Subject { organization, who: Who::Key(Box::new(facts)) }
    }
}

#[derive(Debug)]
struct Found {
    of: Arc<Relevant>,
    seen: Snapshot,
    open: Open,
}

/// What is known of keys, bounded: which policies can forbid a request of each.
#[derive(Debug)]
pub struct Known {
    shards: Box<[RwLock<HashMap<KeyId, Found>>]>,
    keys_max: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self::of_at_most(KEYS_MAX)
    }
}

impl Known {
    /// Of so many keys at most.
    #[must_use]
    pub fn of_at_most(keys_max: usize) -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), keys_max }
    }

    fn shard(&self, id: KeyId) -> Option<&RwLock<HashMap<KeyId, Found>>> {
        // Ids are random.
        let [.., one, two] = *id.as_bytes();
        self.shards.get((usize::from(one) * 62 + usize::from(two)) % SHARDS)
    }

    /// Allocates nothing.
    pub(crate) fn get(&self, of: &Arc<Relevant>, entry: &Entry) -> Option<Open> {
        let shard = self.shard(entry.id)?.read();
        let found = shard.get(&entry.id)?;
        (Arc::ptr_eq(&found.of, of) && found.seen.is_still(entry)).then(|| found.open.clone())
    }

    pub(crate) fn put(&self, of: &Arc<Relevant>, seen: Snapshot, open: Open) {
        let id = seen.id;
        let Some(shard) = self.shard(id) else { return };
        let mut shard = shard.write();
        if shard.len() >= self.keys_max.div_ceil(SHARDS) && !shard.contains_key(&id) {
            let other = shard.keys().next().copied();
            other.and_then(|other| shard.remove(&other));
        }
        shard.insert(id, Found { of: Arc::clone(of), seen, open });
    }

    /// How many keys are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
