//! Which database, as it is configured, and never shown with its password.

use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which database.
    pub database: Database,
    /// How many connections may read at once; at least one is opened.
    pub readers: u32,
}

/// A database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file, owned by one process.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by its URL. The URL may hold a password: it is never shown.
    Postgres(String),
}

/// A text that names no database. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{detail}. Write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.")]
pub struct InvalidDatabase {
    detail: &'static str,
}

impl Database {
    /// From `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// When it is neither, or the URL cannot be read.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabase> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.starts_with(':') || path.contains('?') || path.contains('\0') {
                return Err(InvalidDatabase {
                    detail: "a SQLite database is a file's path, without options",
                });
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return PgConnectOptions::from_str(text)
                .map(|_| Self::Postgres(text.to_owned()))
                .map_err(|_| InvalidDatabase { detail: "the PostgreSQL URL cannot be read" });
        }
        Err(InvalidDatabase { detail: "the database is neither SQLite nor PostgreSQL" })
    }
}

impl FromStr for Database {
    type Err = InvalidDatabase;

    fn from_str(text: &str) -> Result<Self, InvalidDatabase> {
        Self::parse(text)
    }
}

impl fmt::Display for Database {
    /// Without the password, and without the URL's options, one of which may be a password too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => write!(
                    f,
                    "postgres://{}@{}:{}/{}",
                    options.get_username(),
                    options.get_host(),
                    options.get_port(),
                    options.get_database().unwrap_or_default()
                ),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_read_from_its_text() {
        assert_eq!(Database::parse("sqlite:a/b.db"), Ok(Database::Sqlite("a/b.db".into())));
        assert_eq!(Database::parse("sqlite:///a/b.db"), Ok(Database::Sqlite("/a/b.db".into())));
        for text in ["postgres://me@localhost/keystead", "postgresql://me@localhost/keystead"] {
            assert_eq!(Database::parse(text), Ok(Database::Postgres(text.to_owned())));
        }
        for text in ["", "sqlite:", "sqlite::memory:", "sqlite:a?mode=ro", "mysql://x", "postgres://h:port/"]
        {
            assert!(Database::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://me:canary@localhost:55/keystead",
            "postgres://me@localhost:55/keystead?password=canary",
        ] {
            let options = Options { database: Database::parse(text).unwrap(), readers: 1 };
            let shown = format!("{options:?} {}", options.database);
            assert!(!shown.contains("canary"), "{shown}");
            assert!(shown.contains("postgres://me@localhost:55/keystead"), "{shown}");
        }
        let refused = Database::parse("postgres://me:canary@host:port/").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("canary"));
    }
}
