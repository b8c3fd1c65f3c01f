//! `/v1`

mod audit;
mod keys;
mod organizations;
pub(crate) mod projects;
mod verify;
mod whoami;
