//! One value of one column, as both engines and the backup's lines have it.

use super::fault::BackupError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, Serializer};
use serde_json::Value as Json;

/// What a column holds: the few portable types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// BIGINT.
    Int,
    /// TEXT.
    Text,
    /// BYTEA or BLOB.
    Bytes,
    /// BOOLEAN.
    Bool,
}

impl Kind {
    /// From a column's declared type on either engine.
    pub(crate) fn of(declared: &str) -> Option<Self> {
        match declared.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Some(Self::Int),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            "boolean" => Some(Self::Bool),
            _ => None,
        }
    }
}

/// A value with its type, so that NULL is bound typed too: PostgreSQL wants that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Bool(Option<bool>),
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Bytes(value) => value.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer),
            Self::Bool(value) => value.serialize(serializer),
        }
    }
}

impl Cell {
    /// From a line's value, which must be of the column's kind.
    pub(crate) fn from_json(kind: Kind, value: Json) -> Result<Self, BackupError> {
        let wrong = || BackupError::Damaged("a value is not of its column's kind");
        Ok(match (kind, value) {
            (Kind::Int, Json::Null) => Self::Int(None),
            (Kind::Int, Json::Number(number)) => Self::Int(Some(number.as_i64().ok_or_else(wrong)?)),
            (Kind::Text, Json::Null) => Self::Text(None),
            (Kind::Text, Json::String(text)) => Self::Text(Some(text)),
            (Kind::Bytes, Json::Null) => Self::Bytes(None),
            (Kind::Bytes, Json::String(text)) => {
                Self::Bytes(Some(STANDARD.decode(text).map_err(|_| wrong())?))
            }
            (Kind::Bool, Json::Null) => Self::Bool(None),
            (Kind::Bool, Json::Bool(value)) => Self::Bool(Some(value)),
            _ => return Err(wrong()),
        })
    }
}

/// Reads a row's cell on the driver that the row is of.
macro_rules! read_cell {
    ($row:expr, $index:expr, $kind:expr) => {
        match $kind {
            $crate::backup::cell::Kind::Int => $row.try_get($index).map($crate::backup::cell::Cell::Int),
            $crate::backup::cell::Kind::Text => $row.try_get($index).map($crate::backup::cell::Cell::Text),
            $crate::backup::cell::Kind::Bytes => $row.try_get($index).map($crate::backup::cell::Cell::Bytes),
            $crate::backup::cell::Kind::Bool => $row.try_get($index).map($crate::backup::cell::Cell::Bool),
        }
    };
}
pub(crate) use read_cell;

/// Binds cells to a query of either driver.
macro_rules! bind_cells {
    ($query:expr, $cells:expr) => {{
        let mut query = $query;
        for cell in $cells {
            query = match cell {
                $crate::backup::cell::Cell::Int(value) => query.bind(*value),
                $crate::backup::cell::Cell::Text(value) => query.bind(value.as_deref()),
                $crate::backup::cell::Cell::Bytes(value) => query.bind(value.as_deref()),
                $crate::backup::cell::Cell::Bool(value) => query.bind(*value),
            };
        }
        query
    }};
}
pub(crate) use bind_cells;
