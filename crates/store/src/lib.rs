//! Keystead's store: rows, queries, migrations and the change feed, the same on SQLite and
//! PostgreSQL. Nothing here knows a business rule; what an act means is decided above.
//!
//! There are three ways in. [`Store::read`] gives a connection that only reads. [`Store::act`]
//! gives a transaction that must leave an audit record. [`Store::bookkeeping`] gives one that
//! reaches only what no person decides: see [`Ledger`].

mod act;
pub mod backup;
mod conn;
mod database;
mod error;
mod feed_reader;
mod folder;
mod inspect;
mod later;
pub mod log;
mod mark;
mod open;
mod owner;
mod postgres;
mod row;
mod schema;
mod statement;
mod store;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod value;
mod writer;

pub use act::{Acted, Size};
pub use conn::{Conn, Ledger, Reader, Tx};
pub use database::{Database, InvalidDatabase, Options};
pub use error::{OpenError, StoreError, Unique};
pub use feed_reader::{FeedReader, Polled};
pub use folder::sync_folder_of;
pub use inspect::{Inspection, inspect};
pub use keystead_domain::meter::MeterId;
pub use open::read_beside;
pub use store::Store;
pub use tables::access_policies::AccessPolicyRow;
pub use tables::accounts::AccountRow;
pub use tables::approvals::ApprovalRow;
pub use tables::approvals_list::{ApprovalFilter, ApprovalStage};
pub use tables::audit::{AuditRow, Event};
pub use tables::audit_checkpoints::CheckpointRow;
pub use tables::audit_leaves::{LEAVES_AT_ONCE, Leaf, Placed, Sequenced, Standing, StandingPage};
pub use tables::audit_list::{Actor, AuditFilter};
pub use tables::audit_trees::AuditTreeRow;
pub use tables::consumers::ConsumerRow;
pub use tables::drain_seen::{DrainPhase, DrainSeenRow};
pub use tables::environments::EnvironmentRow;
pub use tables::feed::{Change, ChangeKind, FeedRow};
pub use tables::guard_observations::GuardObservationRow;
pub use tables::guardrails::GuardrailsRow;
pub use tables::guards::GuardRow;
pub use tables::guidelines::GuidelinesRow;
pub use tables::hygiene::HygieneRow;
pub use tables::identities::IdentityRow;
pub use tables::identity_keys::{IdentityKeyRow, identity_key_place};
pub use tables::identity_providers::{IdentityProviderRow, provider_secret_place};
pub use tables::imports::ImportRow;
pub use tables::key_list::{KeyCounts, KeyFilter, KeyStatus, StatusFilter};
pub use tables::key_load::KeyResident;
pub use tables::keys::KeyRow;
pub use tables::links::LinkRow;
pub use tables::log_sessions::LogSessionRow;
pub use tables::members::MemberRow;
pub use tables::meters::MeterRow;
pub use tables::nodes::NodeRow;
pub use tables::organizations::OrganizationRow;
pub use tables::outbox::{DueNotice, NO_PROJECT, NoticeRow, Tried, letter_place};
pub use tables::passkey_flows::PasskeyFlowRow;
pub use tables::passkeys::{PasskeyRow, PasskeyUse};
pub use tables::peppers::PepperRow;
pub use tables::permissions::PermissionRow;
pub use tables::policies::PolicyRow;
pub use tables::projects::ProjectRow;
pub use tables::rates::{RATES_AT_ONCE, RateRow};
pub use tables::readings::ReadingRow;
pub use tables::replays::ReplayRow;
pub use tables::roles::RoleRow;
pub use tables::rotation_plans::RotationPlanRow;
pub use tables::rotations::{RotationRow, RotationStage};
pub use tables::sealed::{PEPPERS, SEALED, Sealed, SealedRow, public_key_place, second_factor_place};
pub use tables::seats::SeatRow;
pub use tables::second_factors::SecondFactorRow;
pub use tables::seen::SeenRow;
pub use tables::service_accounts::ServiceAccountRow;
pub use tables::sessions::SessionRow;
pub use tables::sign_in_flows::FlowRow;
pub use tables::teams::{ContactsDue, TeamRow};
pub use tables::unknown_attempts::UnknownAttemptsRow;

/// Where a page begins: the instant and the id of the last row of the page before it.
pub type After<Id> = Option<(keystead_domain::time::Micros, Id)>;
