//! One process owns a database: its keyring is the truth about who may pass, so a second process
//! that revokes a key behind its back would not be heard. (Several nodes arrive with the feed's
//! reader.)

use crate::conn::{Conn, Engine};
use crate::database::Database;
use crate::error::{OpenError, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;

/// Owns a SQLite file by an exclusive lock on the file beside it; the system lets go of it when
/// the process ends, however it ends.
pub(crate) struct FileOwner {
    _locked: File,
}

impl FileOwner {
    /// Takes the file, which exists.
    pub(crate) fn take(path: &Path, database: &Database) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = open_private(&PathBuf::from(name)).map_err(|error| unreachable(database, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _locked: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::AlreadyOwned { database: database.to_string() }),
            Err(TryLockError::Error(error)) => Err(unreachable(database, &error)),
        }
    }
}

/// Opens a file, and makes it for its owner's eyes only when it is not there. SQLite gives its
/// `-wal` and `-shm` files the mode of the database's.
pub(crate) fn open_private(path: &Path) -> Result<File, std::io::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn unreachable(database: &Database, error: &std::io::Error) -> OpenError {
    OpenError::Unreachable {
        database: database.to_string(),
        reason: error.to_string(),
        fix: "Make sure that its folder exists and that this user may write in it",
    }
}

/// How long a sign of life may take.
const CONFIRM_TIME_MAX: Duration = Duration::from_secs(5);

const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('keystead:' || current_schema(), 0))";
const UNLOCK: &str = "SELECT pg_advisory_unlock(hashtextextended('keystead:' || current_schema(), 0))";
const EPOCH: &str = "SELECT value FROM installation WHERE name = 'owner_epoch'";
const FENCE: &str = "SELECT value FROM installation WHERE name = 'owner_epoch' FOR SHARE";
const CLAIM: &str = "INSERT INTO installation (name, value) VALUES ('owner_epoch', '1') \
    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(installation.value AS BIGINT) + 1 AS TEXT) RETURNING value";

/// Owns a PostgreSQL database by a session's advisory lock. Each owner writes a new epoch, so that
/// one who lost the session knows whether somebody else was there before it came back, and so
/// that a paused owner's act cannot commit behind its successor's back: see [`Self::fence`].
pub(crate) struct PostgresOwner {
    options: PgConnectOptions,
    session: Mutex<Option<PgConnection>>,
    epoch: String,
}

/// The lock is taken; the schema may be prepared.
pub(crate) struct Taken {
    options: PgConnectOptions,
    session: PgConnection,
}

impl Taken {
    /// Takes the lock.
    pub(crate) async fn take(options: &PgConnectOptions, database: &Database) -> Result<Self, OpenError> {
        let unreachable = |error: sqlx::Error| OpenError::Unreachable {
            database: database.to_string(),
            reason: reason(&error),
            fix: "Check that the server runs, that the URL is right and that its user may connect",
        };
        let mut session = options.connect().await.map_err(unreachable)?;
        if lock(&mut session).await.map_err(unreachable)? {
            Ok(Self { options: options.clone(), session })
        } else {
            Err(OpenError::AlreadyOwned { database: database.to_string() })
        }
    }

    /// Gives the lock back: the database cannot be used.
    pub(crate) async fn release(self) {
        unlock(self.session).await;
    }

    /// Writes a new epoch: waits for the acts of the one before, and stops the rest of them.
    pub(crate) async fn claim(mut self) -> Result<PostgresOwner, sqlx::Error> {
        let (epoch,) = sqlx::query_as(CLAIM).fetch_one(&mut self.session).await?;
        Ok(PostgresOwner { options: self.options, session: Mutex::new(Some(self.session)), epoch })
    }
}

/// Why the server cannot be used. PostgreSQL's texts about connecting name users and databases,
/// never a password.
pub(crate) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        _ => "the connection failed".to_owned(),
    }
}

async fn lock(session: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_as(LOCK).fetch_one(session).await.map(|(locked,)| locked)
}

/// Closing alone would let the lock go a moment later, and a restart would find it taken.
async fn unlock(mut session: PgConnection) {
    let _ = sqlx::query(UNLOCK).execute(&mut session).await;
    let _ = session.close().await;
}

impl PostgresOwner {
    /// Proves that this process still owns the database.
    pub(crate) async fn confirm(&self) -> Result<(), StoreError> {
        tokio::time::timeout(CONFIRM_TIME_MAX, self.look())
            .await
            .unwrap_or(Err(StoreError::Unavailable("the server does not answer")))
    }

    async fn look(&self) -> Result<(), StoreError> {
        let mut slot = self.session.lock().await;
        // Taken out while it is asked: a cancelled question leaves no half-read session behind.
        if let Some(mut session) = slot.take()
            && session.ping().await.is_ok()
        {
            *slot = Some(session);
            return Ok(());
        }
        let mut session = self.options.connect().await?;
        let locked = lock(&mut session).await?;
        let (epoch,): (String,) = sqlx::query_as(EPOCH).fetch_one(&mut session).await?;
        if epoch != self.epoch {
            return Err(StoreError::Disowned);
        }
        if !locked {
            // The server may not have noticed yet that the session before is dead.
            return Err(StoreError::Unavailable("the lock on the database is not held"));
        }
        *slot = Some(session);
        Ok(())
    }

    /// Within a transaction: refuses when there is a newer owner, and makes one that comes now wait
    /// until this transaction has ended.
    pub(crate) async fn fence(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let Engine::Postgres(connection) = &mut conn.engine else {
            return Ok(());
        };
        let (epoch,): (String,) = sqlx::query_as(FENCE).fetch_one(&mut **connection).await?;
        if epoch == self.epoch { Ok(()) } else { Err(StoreError::Disowned) }
    }

    /// Gives the database up.
    pub(crate) async fn release(&self) {
        if let Some(session) = self.session.lock().await.take() {
            unlock(session).await;
        }
    }
}
