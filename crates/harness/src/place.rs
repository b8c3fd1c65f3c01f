//! Where an installation lives while it is tormented: a folder, and a database of its own on either engine.

use crate::server::Launcher;
use anyhow::{Context, Result, bail};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

const SETTLE_TRIES: u32 = 6_000;
const SETTLE_PAUSE: Duration = Duration::from_millis(10);

/// A fresh place. It goes when [`Place::remove`] is called, and stays to be looked at when not.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    postgres: Option<Own>,
}

/// A database of PostgreSQL's, made for this run.
struct Own {
    server: PgConnectOptions,
    server_url: String,
    name: String,
    /// A proxy that the server goes through.
    through: Option<SocketAddr>,
}

impl Place {
    /// Makes one; `postgres` is the URL of a server whose user may create databases.
    pub(crate) async fn make(postgres: Option<&str>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("keystead-harness-").tempdir()?;
        let Some(url) = postgres else {
            return Ok(Self { folder, postgres: None });
        };
        let server = PgConnectOptions::from_str(url).context("the PostgreSQL URL cannot be read")?;
        // The folder's name ends with what no other of this moment has.
        let unique = folder.path().file_name().unwrap_or_default().as_encoded_bytes();
        let name = format!("harness_{}", hex_of_end(unique));
        let own = Own { server, server_url: url.to_owned(), name, through: None };
        own.on_server(format!("CREATE DATABASE {}", own.name)).await.context("cannot make a database")?;
        Ok(Self { folder, postgres: Some(own) })
    }

    /// A file name beside the folder, not in it.
    pub(crate) fn beside(&self) -> Result<PathBuf> {
        let name = self.folder.path().file_name().context("the folder has no name")?.to_string_lossy();
        Ok(self.folder.path().with_file_name(format!("{name}.img")))
    }

    /// How the server is started here.
    pub(crate) fn launcher(&self, program: &Path) -> Launcher {
        Launcher {
            program: program.to_owned(),
            folder: self.folder.path().to_owned(),
            database: self.postgres.as_ref().map(Own::url),
        }
    }

    /// Runs a statement behind the server's back; answers how many rows it touched.
    pub(crate) async fn meddle(&self, sql: String) -> Result<u64> {
        let Some(own) = &self.postgres else {
            let options = SqliteConnectOptions::new().filename(self.folder.path().join("keystead.db"));
            let mut connection = options.connect().await?;
            let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await?;
            return Ok(done.rows_affected());
        };
        let mut connection = own.server.clone().database(&own.name).connect().await?;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    }

    /// Where PostgreSQL listens: `host:port`.
    pub(crate) fn address(&self) -> Result<String> {
        let own = self.postgres.as_ref().context("only PostgreSQL listens")?;
        Ok(format!("{}:{}", own.server.get_host(), own.server.get_port()))
    }

    /// From now on, the server that is launched here reaches its database through this proxy.
    pub(crate) fn through(&mut self, proxy: SocketAddr) -> Result<()> {
        self.postgres.as_mut().context("only PostgreSQL is reached through a proxy")?.through = Some(proxy);
        Ok(())
    }

    /// Lets nothing be written into the database, or everything again. Sessions that are open end, as they
    /// do in a failover.
    pub(crate) async fn read_only(&self, read_only: bool) -> Result<()> {
        let own = self.postgres.as_ref().context("only PostgreSQL can be made read-only")?;
        let (name, on) = (&own.name, if read_only { "on" } else { "off" });
        own.on_server(format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}")).await?;
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
        own.on_server(format!("{ended}'{name}'")).await
    }

    /// Waits until nothing of a killed server is under way: PostgreSQL finishes what it was sent before the
    /// kill, and only then is what was not answered either done or not.
    pub(crate) async fn settle(&self) -> Result<()> {
        let Some(own) = &self.postgres else { return Ok(()) };
        let mut connection = own.server.connect().await?;
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
        for _ in 0..SETTLE_TRIES {
            let (open,): (i64,) = sqlx::query_as(open).bind(&own.name).fetch_one(&mut connection).await?;
            if open == 0 {
                return Ok(connection.close().await?);
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        bail!("sessions of a killed server do not end")
    }

    /// Takes everything away.
    pub(crate) async fn remove(self) -> Result<()> {
        if let Some(own) = &self.postgres {
            own.on_server(format!("DROP DATABASE {} WITH (FORCE)", own.name)).await?;
        }
        Ok(self.folder.close()?)
    }

    /// Leaves everything where it is; where that is.
    pub(crate) fn keep(self) -> String {
        let database =
            self.postgres.as_ref().map_or_else(String::new, |own| format!(", database {}", own.name));
        format!("{}{database}", self.folder.keep().display())
    }
}

impl Own {
    fn url(&self) -> String {
        let url = with_database(&self.server_url, &self.name);
        let Some(proxy) = self.through else { return url };
        let address = format!("{}:{}", self.server.get_host(), self.server.get_port());
        url.replacen(&address, &proxy.to_string(), 1)
    }

    async fn on_server(&self, sql: String) -> Result<()> {
        let mut connection = self.server.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

fn hex_of_end(bytes: &[u8]) -> String {
    bytes.iter().rev().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A PostgreSQL URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{server}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        for (url, with) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/x"),
            ("postgres://u@h", "postgres://u@h/x"),
            ("postgresql://h/a?sslmode=disable&b=/c", "postgresql://h/x?sslmode=disable&b=/c"),
        ] {
            assert_eq!(with_database(url, "x"), with);
        }
    }
}
