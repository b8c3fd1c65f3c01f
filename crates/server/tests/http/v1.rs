//! `/v1`

mod account;
pub(crate) mod approvals;
mod audit;
mod guardrails;
mod guidelines;
mod hygiene;
mod invitations;
mod keys;
mod mail;
mod nodes;
mod organizations;
mod people;
pub(crate) mod projects;
mod root_key;
mod sessions;
mod verify;
mod whoami;
