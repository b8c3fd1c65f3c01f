//! `/v1/members` and `/v1/teams`

mod authority;
mod keys;
mod members;
mod teams;
