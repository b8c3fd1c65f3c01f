//! `/v1/projects/{project}/keys`

pub(crate) mod create;
mod list;
