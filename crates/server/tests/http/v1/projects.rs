//! `/v1/projects`

mod consumers;
mod environments;
mod guardrails;
pub(crate) mod keys;
mod permissions;
mod project;
mod roles;
mod service_accounts;
mod unknown_keys;
