//! The client commands, one file each.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod consumers;
pub(crate) mod environments;
pub(crate) mod export;
pub(crate) mod guardrails;
pub(crate) mod guidelines;
pub(crate) mod hygiene;
pub(crate) mod keys;
pub(crate) mod lessons;
pub(crate) mod login;
pub(crate) mod mail;
pub(crate) mod members;
pub(crate) mod nodes;
pub(crate) mod notices;
pub(crate) mod organizations;
pub(crate) mod permissions;
pub(crate) mod projects;
pub(crate) mod roles;
pub(crate) mod root_key;
pub(crate) mod rotation_plan;
pub(crate) mod service_accounts;
pub(crate) mod sign_in;
pub(crate) mod teams;
pub(crate) mod verify;
pub(crate) mod whoami;
