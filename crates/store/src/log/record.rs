//! The records of a log.

use crate::backup::cell::Cell;
use crate::backup::places::Column;
use keystead_domain::time::Micros;
use serde::{Deserialize, Serialize};

/// One record. Instants are microseconds since the epoch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// A process begins to write.
    Begin(Begin),
    /// What a commit changes.
    Rows(Images),
    /// The commit of that record failed.
    Undone {
        /// Its number in the file.
        record: u64,
    },
    /// A sign of life.
    Beat {
        /// When.
        at: i64,
    },
    /// Commits between these instants are not in the log: it could not be written.
    Gap {
        /// The first that is missing came after this.
        from: i64,
        /// And the last before this.
        to: i64,
    },
    /// The process ended in order.
    End {
        /// When.
        at: i64,
    },
}

/// A process begins to write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// Its session's number, counted by the database.
    pub(crate) number: i64,
    /// Which life of the database: a restore begins another.
    pub(crate) epoch: String,
    /// The schema of the rows that follow.
    pub(crate) schema: i64,
    /// On which machine, by which file.
    pub(crate) place: String,
    /// When.
    pub(crate) at: i64,
    /// Sessions of the same log that ended without a word before they wrote anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) follows: Vec<i64>,
    /// The session that this one goes on from, where that had another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<i64>,
}

/// Rows as a commit leaves them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Images {
    /// When; later than every commit that this one waited for.
    pub(crate) at: i64,
    /// PostgreSQL's number of the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transaction: Option<i64>,
    /// Of each table.
    pub(crate) sets: Vec<Set>,
}

/// Rows of one table: all that there are of these targets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Set {
    pub(crate) table: String,
    pub(crate) columns: Vec<Column>,
    /// What the rows were looked for by; a target without a row was deleted. Empty for policies,
    /// which are only ever added.
    #[serde(with = "targets")]
    pub(crate) targets: Vec<Vec<u8>>,
    /// As in a backup.
    pub(crate) rows: Vec<Vec<serde_json::Value>>,
}

impl Set {
    /// The cells of each row, in the order of the columns.
    pub(crate) fn cells(&self) -> Result<Vec<Vec<Cell>>, crate::backup::BackupError> {
        let cells = |row: &Vec<serde_json::Value>| {
            self.columns
                .iter()
                .zip(row)
                .map(|(column, value)| Cell::from_json(column.kind, value.clone()))
                .collect()
        };
        self.rows.iter().map(cells).collect()
    }
}

impl Record {
    /// When it was written, where it says so.
    pub(crate) fn at(&self) -> Option<Micros> {
        match self {
            Self::Begin(begin) => Some(Micros(begin.at)),
            Self::Rows(images) => Some(Micros(images.at)),
            Self::Beat { at } | Self::End { at } | Self::Gap { to: at, .. } => Some(Micros(*at)),
            Self::Undone { .. } => None,
        }
    }
}

/// Bytes as base64.
mod targets {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(targets: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(targets.iter().map(|target| STANDARD.encode(target)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| STANDARD.decode(text).map_err(D::Error::custom)).collect()
    }
}
