//! `/v1/projects`

mod consumers;
mod environments;
mod guardrails;
pub(crate) mod keys;
mod notices;
mod permissions;
mod project;
mod roles;
mod rotation_plan;
mod service_accounts;
mod unknown_keys;
