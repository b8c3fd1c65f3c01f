//! `/v1/projects/{project}/keys`

mod batch;
mod bulk;
pub(crate) mod create;
mod due;
mod export;
mod list;
