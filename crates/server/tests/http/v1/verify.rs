//! `POST /v1/verify`

mod batch;
mod consumers;
mod credits;
mod explain;
mod limits;
mod permissions;
mod quotas;
mod restrictions;
mod scope;
mod usage;
