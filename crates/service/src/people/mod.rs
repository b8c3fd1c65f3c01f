//! People: members, their teams, what they may do, and the keys that they own.

mod authority;
mod contacts;
mod hand_over;
mod lookups;
mod members;
mod orphans;
mod owned_keys;
mod seats;
mod teams;

pub(crate) use lookups::Lookups;
pub(crate) use members::change as member_change;
pub(crate) use orphans::Orphans;
pub(crate) use owned_keys::{ME, Own, may_hand_to, person};
pub(crate) use seats::{team_named, turn, who};
pub(crate) use teams::target as team_target;
