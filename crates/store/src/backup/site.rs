//! Where a restore is built so that nobody sees it before it is whole: on SQLite a file beside the
//! database's that gets its name at the end, on PostgreSQL one transaction.

use super::fault::BackupError;
use super::places;
use crate::conn::{Conn, Engine};
use crate::database::Database;
use crate::folder::sync_folder_of;
use crate::open;
use crate::owner::{FileOwner, open_private, unreachable};
use crate::schema;
use crate::transaction::steer;
use sqlx::{Connection, PgPool, SqlitePool};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) struct Site {
    pub(super) conn: Conn,
    place: Place,
}

enum Place {
    File { pool: SqlitePool, draft: Draft, path: PathBuf, _owner: FileOwner },
    Transaction { pool: PgPool },
}

impl Site {
    /// Takes an empty place.
    pub(super) async fn take(database: &Database) -> Result<Self, BackupError> {
        match database {
            Database::Sqlite(path) => Self::in_file(path, database).await,
            Database::Postgres(url) => {
                let pool = open::postgres_pool(url, "keystead restore")?;
                let connection =
                    pool.acquire().await.map_err(|error| open::unreachable_server(database, &error))?;
                let mut conn = Conn::new(Engine::Postgres(connection), false);
                if !places::is_empty(&mut conn).await? {
                    return Err(BackupError::NotEmpty(database.to_string()));
                }
                if let Engine::Postgres(connection) = &mut conn.engine {
                    // Begun by the driver, so that the schema's steps become savepoints in it; it
                    // lasts until `keep`, or until the connection closes.
                    std::mem::forget(connection.begin().await?);
                    connection.close_on_drop();
                }
                Ok(Self { conn, place: Place::Transaction { pool } })
            }
        }
    }

    async fn in_file(path: &Path, database: &Database) -> Result<Self, BackupError> {
        let unreachable = |error: std::io::Error| BackupError::from(unreachable(database, &error));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().map_err(unreachable)?;
        let path = folder.join(path.file_name().unwrap_or_default());
        let owner = FileOwner::take(&path, database)?;
        // A journal that a lost database left would be played over the new one.
        let holds = |end: &&str| fs::metadata(beside(&path, end)).is_ok_and(|there| there.len() > 0);
        if let Some(end) = ["", "-wal", "-journal"].into_iter().find(holds) {
            return Err(BackupError::NotEmpty(format!("{database}{end}")));
        }
        let draft = beside(&path, ".restoring");
        let draft = Draft(draft);
        // What a restore that was killed left behind.
        draft.remove().map_err(unreachable)?;
        open_private(&draft.0).map_err(unreachable)?;
        let pool = open::draft(&draft.0);
        let conn = Conn::new(Engine::Sqlite(pool.acquire().await?), false);
        Ok(Self { conn, place: Place::File { pool, draft, path, _owner: owner } })
    }

    /// Runs the schema's steps up to this one.
    pub(super) async fn bring_to(&mut self, step: i64) -> Result<(), BackupError> {
        match &mut self.conn.engine {
            Engine::Sqlite(connection) => {
                schema::prepare(&mut **connection, &schema::SQLITE, Some(step)).await?;
            }
            Engine::Postgres(connection) => {
                schema::prepare(&mut **connection, &schema::POSTGRES, Some(step)).await?;
            }
        }
        Ok(())
    }

    /// Begins to write rows. PostgreSQL is in its transaction from the start.
    pub(super) async fn begin(&mut self) -> Result<(), BackupError> {
        if matches!(self.place, Place::File { .. }) {
            steer(&mut self.conn, "BEGIN").await?;
        }
        Ok(())
    }

    /// The rows are written; the schema's steps may follow.
    pub(super) async fn settle(&mut self) -> Result<(), BackupError> {
        if matches!(self.place, Place::File { .. }) {
            steer(&mut self.conn, "COMMIT").await?;
        }
        Ok(())
    }

    /// Lets it stand.
    pub(super) async fn keep(self) -> Result<(), BackupError> {
        let Self { mut conn, place } = self;
        match place {
            Place::File { pool, draft, path, _owner: _ } => {
                drop(conn);
                pool.close().await;
                File::open(&draft.0)?.sync_all()?;
                fs::rename(&draft.0, &path)?;
                sync_folder_of(&path)?;
            }
            Place::Transaction { pool } => {
                steer(&mut conn, "COMMIT").await?;
                drop(conn);
                pool.close().await;
            }
        }
        Ok(())
    }
}

/// The file that is built; it goes unless it has got another name.
struct Draft(PathBuf);

impl Draft {
    fn remove(&self) -> std::io::Result<()> {
        for end in ["", "-journal"] {
            match fs::remove_file(beside(&self.0, end)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing is left to tell: the failure that led here is.
        let _ = self.remove();
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
