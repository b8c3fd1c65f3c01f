//! People: members, their teams, what they may do, and the keys that they own.

mod authority;
mod members;
mod owned_keys;
mod seats;
mod teams;

pub(crate) use owned_keys::{ME, Own, may_hand_to, person};
