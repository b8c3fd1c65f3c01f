//! The schema: one text for both engines, numbered, run by sqlx's own migrator, which locks on
//! PostgreSQL and refuses a step whose text was changed after it was run.

use crate::error::{OpenError, StoreError};
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// The schema that this binary writes.
pub(crate) const SUPPORTED: i64 = 24;

/// Each step: its number, what it does, its text. A step that ran somewhere is never changed. Each
/// sets `schema_oldest_binary` to the oldest [`SUPPORTED`] that can work on what it made: nodes
/// are upgraded one by one, so a binary runs on the next schema.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "core", include_str!("schema/0001_core.sql")),
    (2, "replays", include_str!("schema/0002_replays.sql")),
    (3, "nodes", include_str!("schema/0003_nodes.sql")),
    (4, "guardrails", include_str!("schema/0004_guardrails.sql")),
    (5, "kinds", include_str!("schema/0005_kinds.sql")),
    (6, "rotation", include_str!("schema/0006_rotation.sql")),
    (7, "imports", include_str!("schema/0007_imports.sql")),
    (8, "log sessions", include_str!("schema/0008_log_sessions.sql")),
    (9, "rates", include_str!("schema/0009_rates.sql")),
    (10, "audit tree", include_str!("schema/0010_audit_tree.sql")),
    (11, "mail", include_str!("schema/0011_mail.sql")),
    (12, "people", include_str!("schema/0012_people.sql")),
    (13, "sign-in", include_str!("schema/0013_sign_in.sql")),
    (14, "audit indexes", include_str!("schema/0014_audit_indexes.sql")),
    (15, "guidelines", include_str!("schema/0015_guidelines.sql")),
    (16, "feed origin", include_str!("schema/0016_feed_origin.sql")),
    (17, "approvals", include_str!("schema/0017_approvals.sql")),
    (18, "single sign-on", include_str!("schema/0018_single_sign_on.sql")),
    (19, "audit lineage", include_str!("schema/0019_audit_lineage.sql")),
    (20, "team contacts", include_str!("schema/0020_team_contacts.sql")),
    (21, "passkeys", include_str!("schema/0021_passkeys.sql")),
    (22, "access policies", include_str!("schema/0022_access_policies.sql")),
    (23, "guards", include_str!("schema/0023_guards.sql")),
    (24, "identity keys", include_str!("schema/0024_identity_keys.sql")),
];

/// The words in which the engines differ.
pub(crate) struct Dialect {
    bytes: &'static str,
    sequence: &'static str,
    clustered: &'static str,
}

pub(crate) const SQLITE: Dialect =
    Dialect { bytes: "BLOB", sequence: "INTEGER PRIMARY KEY AUTOINCREMENT", clustered: "WITHOUT ROWID" };

pub(crate) const POSTGRES: Dialect =
    Dialect { bytes: "BYTEA", sequence: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", clustered: "" };

fn migrator(dialect: &Dialect) -> Migrator {
    Migrator::with_migrations(
        STEPS
            .iter()
            .map(|(version, description, text)| {
                let sql = text
                    .replace("{bytes}", dialect.bytes)
                    .replace("{sequence}", dialect.sequence)
                    .replace("{clustered}", dialect.clustered);
                Migration::new(
                    *version,
                    (*description).into(),
                    MigrationType::Simple,
                    AssertSqlSafe(sql).into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}

/// What bringing the database to [`SUPPORTED`] found.
pub(crate) enum Prepared {
    /// It has this schema.
    Ready,
    /// It has a newer one: ask [`judge`].
    Newer,
}

/// Brings the database to [`SUPPORTED`], or to a step before it.
pub(crate) async fn prepare<C: Migrate>(
    connection: &mut C,
    dialect: &Dialect,
    to: Option<i64>,
) -> Result<Prepared, OpenError> {
    let other = |text: String| Err(OpenError::Other(text));
    match migrator(dialect).run_direct(to, connection, false).await {
        Ok(()) => Ok(Prepared::Ready),
        Err(MigrateError::VersionMissing(_)) => Ok(Prepared::Newer),
        Err(MigrateError::VersionMismatch(step)) => other(format!(
            "step {step} of its schema ran with another text, from a build that was never released. Restore a backup."
        )),
        Err(MigrateError::Dirty(step)) => {
            other(format!("step {step} of its schema was begun and not finished. Restore a backup."))
        }
        Err(MigrateError::ExecuteMigration(error, step)) => {
            other(format!("step {step} of its schema failed: {}", StoreError::from(error)))
        }
        Err(MigrateError::Execute(error)) => {
            other(format!("its schema cannot be read or written: {}", StoreError::from(error)))
        }
        Err(_) => other("its schema cannot be read or written".to_owned()),
    }
}

/// Whether this binary works on a newer schema: that one says so itself.
pub(crate) fn judge(found: Option<i64>, oldest: Option<&str>) -> Result<(), OpenError> {
    match oldest.and_then(|oldest| oldest.parse::<i64>().ok()) {
        Some(oldest) if oldest <= SUPPORTED => Ok(()),
        _ => Err(OpenError::NewerSchema { found: found.unwrap_or_default(), supported: SUPPORTED }),
    }
}

/// The highest step that the database has.
pub(crate) const FOUND: &str = "SELECT max(version) FROM _sqlx_migrations";
/// The oldest binary's schema number that works on it.
pub(crate) const OLDEST: &str = "SELECT value FROM installation WHERE name = 'schema_oldest_binary'";
