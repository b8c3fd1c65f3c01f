//! The words of Keystead's HTTP API: requests and answers as plain types.
//!
//! The server, the rules (which compile them), the Rust SDK and the CLI all use these, so that no
//! type is written twice. Nothing here checks more than its JSON shape: the rules live in
//! `keystead-domain`.

mod access;
mod approvals;
mod audit;
mod audit_tree;
mod contacts;
mod export;
mod guard;
mod guardrails;
mod guidelines;
mod hygiene;
mod identity_keys;
mod import;
mod key_bulk;
mod key_query;
mod key_requests;
mod keys;
mod limits;
mod nodes;
mod notices;
mod objects;
mod organizations;
mod page;
mod passkeys;
mod patch;
mod people;
mod policies;
mod principals;
mod problem;
mod projects;
mod restrictions;
mod root_key;
mod rotation;
mod rotation_plans;
mod seen;
mod sign_in;
mod single_sign_on;
mod verify;
mod whoami;

pub use access::*;
pub use approvals::*;
pub use audit::*;
pub use audit_tree::{
    AUDIT_EXPORT_FORMAT, AuditCheckpoint, AuditExportEnd, AuditExportHead, AuditExportLeaf, AuditExportLine,
    AuditExportRecord,
};
pub use contacts::*;
pub use export::*;
pub use guard::*;
pub use guardrails::*;
pub use guidelines::*;
pub use hygiene::*;
pub use identity_keys::*;
pub use import::*;
pub use key_bulk::*;
pub use key_query::*;
pub use key_requests::*;
pub use keys::*;
pub use limits::*;
pub use nodes::*;
pub use notices::*;
pub use objects::Objects;
pub use organizations::*;
pub use page::*;
pub use passkeys::*;
pub use people::*;
pub use policies::*;
pub use principals::*;
pub use problem::*;
pub use projects::*;
pub use restrictions::*;
pub use root_key::*;
pub use rotation::*;
pub use rotation_plans::*;
pub use seen::*;
pub use sign_in::*;
pub use single_sign_on::*;
pub use verify::*;
pub use whoami::*;

/// An instant, written as RFC 3339 in UTC with at most microseconds.
pub type Timestamp = jiff::Timestamp;
