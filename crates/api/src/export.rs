//! The lines of an export: everything of a project but secrets, one JSON object a line.

use crate::{Consumer, Environment, Key, Permission, Project, Role, ServiceAccount, Timestamp};
use serde::{Deserialize, Serialize};

/// The format that this version writes.
pub const EXPORT_FORMAT: u32 = 1;

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ExportLine {
    /// The first line.
    Head(ExportHead),
    /// The project.
    Project(Project),
    /// One of its environments.
    Environment(Environment),
    /// A permission of its catalogue.
    Permission(Permission),
    /// A role.
    Role(Role),
    /// A service account.
    ServiceAccount(ServiceAccount),
    /// A consumer.
    Consumer(Consumer),
    /// An issued key, without its secret.
    Key(Box<Key>),
    /// The last line: without it the export is not whole.
    End(ExportEnd),
}

/// What an export begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportHead {
    /// The format's number: 1.
    pub format: u32,
    /// The project's slug.
    pub project: String,
    /// When it began. What is created later is not in it; what is changed meanwhile is as it was before or
    /// after.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub exported_at: Timestamp,
}

/// What an export ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportEnd {
    /// How many lines came between head and end.
    pub lines: u64,
}
