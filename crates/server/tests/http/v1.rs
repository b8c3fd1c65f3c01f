//! `/v1`

mod account;
pub(crate) mod approvals;
mod audit;
mod contacts;
mod guard;
mod guardrails;
mod guidelines;
mod hygiene;
mod identity_keys;
mod identity_providers;
mod invitations;
mod keys;
mod mail;
mod nodes;
mod organizations;
mod passkeys;
mod people;
mod policies;
pub(crate) mod projects;
mod root_key;
mod sessions;
mod sign_in;
mod verify;
mod whoami;
