//! `/v1`

mod audit;
mod guardrails;
mod hygiene;
mod keys;
mod mail;
mod nodes;
mod organizations;
mod people;
pub(crate) mod projects;
mod root_key;
mod verify;
mod whoami;
