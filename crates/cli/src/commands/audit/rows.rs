//! An audit record as a row of a table.

use serde_json::{Map, Value};

/// The columns, by the names that they have in a record.
pub(super) const COLUMNS: [&str; 20] = [
    "position",
    "id",
    "at",
    "actor_kind",
    "actor_key",
    "actor_owner",
    "address",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "project",
    "before",
    "after",
    "request_id",
    "actor_member",
    "actor_team",
    "actor_session",
    "actor_lineage",
    "target_lineage",
];

/// A record's cells.
pub(super) fn row(record: &Map<String, Value>) -> [String; COLUMNS.len()] {
    COLUMNS.map(|column| match record.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_what_the_record_has() {
        let record = serde_json::from_str(r#"{"v":1,"position":7,"before":{"a":1},"at":"x","other":"y"}"#);
        let row = row(&record.unwrap());
        assert_eq!((row[0].as_str(), row[2].as_str(), row[12].as_str()), ("7", "x", r#"{"a":1}"#));
        assert_eq!(row.iter().filter(|cell| cell.is_empty()).count(), COLUMNS.len() - 3);
    }
}
