//! An audit record as a line of CSV (RFC 4180), which a spreadsheet does not take for a formula.

use serde_json::{Map, Value};

/// The columns, by the names that they have in a record.
const COLUMNS: [&str; 15] = [
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
];

/// The first line.
pub(super) fn head() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

/// A record's line.
pub(super) fn line(record: &Map<String, Value>) -> String {
    let cells = COLUMNS.map(|column| match record.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cell(text),
        Some(value) => cell(&value.to_string()),
    });
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(cell("a b"), "a b");
        assert_eq!(cell("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        for formula in ["=1+1", "+1", "-1", "@a", "\t=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        let record = serde_json::from_str(r#"{"v":1,"position":7,"before":{"a":1},"at":"x","other":"y"}"#);
        assert_eq!(line(&record.unwrap()), "7,,x,,,,,,,,,,\"{\"\"a\"\":1}\",,\r\n");
        assert_eq!(head().split(',').count(), COLUMNS.len());
    }
}
