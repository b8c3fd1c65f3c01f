//! `/v1/members` and `/v1/teams`

mod authority;
mod keys;
mod leavers;
mod members;
mod teams;
