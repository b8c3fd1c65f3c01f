//! `/v1/projects/{project}/keys`

mod batch;
mod bulk;
mod bulk_rotate;
pub(crate) mod create;
mod due;
mod export;
mod import;
mod list;
