//! What can go wrong, without a word of what was asked: an error text never holds a parameter, a
//! row's value or a URL, because it ends in logs and answers (LESSONS 28).

use sqlx::error::{DatabaseError, ErrorKind};

/// Why the store did not do what was asked. Unless it says otherwise, nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full, locked or shutting down; trying again may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(&'static str),
    /// Another row already has this value.
    #[error("not unique: {0:?}")]
    Unique(Unique),
    /// A row that this one refers to is gone, or the row to be deleted is still referred to.
    #[error("a row that this refers to does not exist, or this row is still referred to")]
    Referenced,
    /// Another transaction came between; trying again helps.
    #[error("another change came between; try again")]
    Conflict,
    /// The commit was sent and no answer came: the change may stand or not. Read the rows again.
    #[error("the outcome of the commit is unknown")]
    OutcomeUnknown,
    /// A stored value is not what was written.
    #[error("the database holds a value that cannot be read: {0}")]
    Corrupt(&'static str),
    /// An act came without an audit record; it was rolled back.
    #[error("an act must leave an audit record")]
    Unaudited,
    /// What no other variant names; a fault of the program or of the database's set-up.
    #[error("database error: {0}")]
    Other(String),
}

/// Which uniqueness was violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The slug of an organization.
    OrganizationSlug,
    /// The slug of a project within its organization.
    ProjectSlug,
    /// The slug of an environment within its project.
    EnvironmentSlug,
    /// The tag of an environment within its project.
    EnvironmentTag,
    /// The name of a permission within its project.
    PermissionName,
    /// The name of a role within its project.
    RoleName,
    /// The name of a service account within its project.
    ServiceAccountName,
    /// The external id of a consumer within its project.
    ConsumerExternalId,
    /// The e-mail of a member within its organization.
    MemberEmail,
    /// The e-mail of an account.
    AccountEmail,
    /// The place of an account within an organization.
    MemberAccount,
    /// The name of a team within its organization.
    TeamName,
    /// The seat of a member within a team.
    SeatMember,
    /// The name of an identity provider within its organization.
    IdentityProviderName,
    /// The name of a policy within its organization.
    AccessPolicyName,
    /// A person as an identity provider knows them.
    IdentitySubject,
    /// As whom an identity provider knows a member.
    IdentityMember,
    /// What authenticators know a passkey by.
    PasskeyCredential,
    /// An id, or anything else that only randomness decides.
    Id,
}

/// Each named uniqueness, its constraint's name (PostgreSQL says that) and its columns (SQLite).
const UNIQUE: &[(Unique, &str, &str)] = &[
    (Unique::OrganizationSlug, "organizations_slug", "organizations.slug"),
    (Unique::ProjectSlug, "projects_slug", "projects.organization_id, projects.slug"),
    (Unique::EnvironmentSlug, "environments_slug", "environments.project_id, environments.slug"),
    (Unique::EnvironmentTag, "environments_tag", "environments.project_id, environments.tag"),
    (Unique::PermissionName, "permissions_name", "permissions.project_id, permissions.name"),
    (Unique::RoleName, "roles_name", "roles.project_id, roles.name"),
    (
        Unique::ServiceAccountName,
        "service_accounts_name",
        "service_accounts.project_id, service_accounts.name",
    ),
    (Unique::ConsumerExternalId, "consumers_external_id", "consumers.project_id, consumers.external_id"),
    (Unique::MemberEmail, "members_email", "members.organization_id, members.email"),
    (Unique::AccountEmail, "accounts_email", "accounts.email"),
    (Unique::MemberAccount, "members_account", "members.organization_id, members.account_id"),
    (Unique::TeamName, "teams_name", "teams.organization_id, teams.name"),
    (
        Unique::IdentityProviderName,
        "identity_providers_name",
        "identity_providers.organization_id, identity_providers.name",
    ),
    (
        Unique::AccessPolicyName,
        "access_policies_name",
        "access_policies.organization_id, access_policies.name",
    ),
    (Unique::IdentitySubject, "identities_subject", "identities.provider_id, identities.subject"),
    (Unique::IdentityMember, "identities_member", "identities.provider_id, identities.member_id"),
    (Unique::PasskeyCredential, "passkeys_credential", "passkeys.credential_id"),
    (Unique::SeatMember, "seats_member", "seats.team_id, seats.member_id"),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_database(error.as_ref()),
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection became free in time"),
            sqlx::Error::PoolClosed => Self::Unavailable("the store is closed"),
            sqlx::Error::Io(_) => Self::Unavailable("the connection failed"),
            sqlx::Error::Tls(_) => Self::Unavailable("the TLS handshake failed"),
            sqlx::Error::Protocol(_) => Self::Unavailable("the connection broke off"),
            sqlx::Error::WorkerCrashed => Self::Unavailable("the connection's thread has ended"),
            sqlx::Error::Decode(error) | sqlx::Error::ColumnDecode { source: error, .. } => {
                Self::Corrupt(error.downcast_ref::<crate::value::Unreadable>().map_or("a column", |e| e.0))
            }
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                Self::Corrupt("a column is missing")
            }
            sqlx::Error::RowNotFound => Self::Other("a row was expected".to_owned()),
            _ => Self::Other("the driver refused".to_owned()),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> StoreError {
    match error.kind() {
        ErrorKind::UniqueViolation => return StoreError::Unique(unique(error)),
        ErrorKind::ForeignKeyViolation => return StoreError::Referenced,
        _ => {}
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // The low byte is the primary code: https://www.sqlite.org/rescode.html
        match code.parse::<i32>().map(|code| code & 0xff) {
            Ok(5 | 6) => return StoreError::Unavailable("the database file is locked"),
            Ok(8) => return StoreError::Unavailable("the database file is read-only"),
            Ok(10) => {
                return StoreError::Unavailable("reading or writing the database file failed");
            }
            Ok(13) => return StoreError::Unavailable("the disk is full"),
            Ok(14) => return StoreError::Unavailable("the database file cannot be opened"),
            Ok(11 | 26) => return StoreError::Corrupt("the database file is damaged"),
            _ => {}
        }
    } else {
        // Classes: https://www.postgresql.org/docs/current/errcodes-appendix.html
        match code.get(..2) {
            Some("40") => return StoreError::Conflict,
            // A replica, after a failover.
            Some("25") if code == "25006" => return StoreError::Unavailable("the server takes no writes"),
            Some("08" | "53" | "57" | "58") => {
                return StoreError::Unavailable("the server is out of resources or shutting down");
            }
            _ => {}
        }
    }
    StoreError::Other(format!("code {code}"))
}

fn unique(error: &dyn DatabaseError) -> Unique {
    let named = error.constraint();
    let columns = error.message().rsplit_once("constraint failed: ").map(|(_, columns)| columns);
    UNIQUE
        .iter()
        .find(|(_, name, of)| named == Some(name) || (named.is_none() && columns == Some(of)))
        .map_or(Unique::Id, |(unique, ..)| *unique)
}

/// Why a commit failed. Only an answer of the database proves that it did not happen.
pub(crate) fn of_commit(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(_) => match StoreError::from(error) {
            StoreError::Unavailable("the database file is locked" | "the disk is full") => {
                StoreError::Unavailable("the commit was refused")
            }
            StoreError::Unavailable(_) | StoreError::Corrupt(_) => StoreError::OutcomeUnknown,
            known => known,
        },
        _ => StoreError::OutcomeUnknown,
    }
}

/// Why a store did not open; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on this database.
    #[error(
        "another Keystead process already uses {database}. Stop it first, or give this one a folder of its own. Several nodes can share a PostgreSQL database, never a SQLite file."
    )]
    AlreadyOwned {
        /// Which, without credentials.
        database: String,
    },
    /// The database was written by a newer Keystead.
    #[error(
        "the database has schema {found} and this Keystead knows up to {supported}. Install the Keystead that wrote it, or a newer one; a database is never taken back."
    )]
    NewerSchema {
        /// The schema's number in the database.
        found: i64,
        /// The last one that this binary knows.
        supported: i64,
    },
    /// The database or its folder cannot be reached.
    #[error("{database} cannot be opened: {reason}. {fix}")]
    Unreachable {
        /// Which, without credentials.
        database: String,
        /// What was wrong.
        reason: String,
        /// What to do.
        fix: &'static str,
    },
    /// What no other variant names.
    #[error("the database could not be prepared: {0}")]
    Other(String),
}
