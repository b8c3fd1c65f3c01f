//! What a record of retention says of others: up to which place they were deleted. What is deleted beyond that was
//! deleted by somebody else.

use serde::{Deserialize, Serialize};

/// The act that deletes old records.
pub const ACTION: &str = "audit.delete_old";
/// Who does it: nobody whose key could be used for it.
const ACTOR: &str = "server";

/// What was deleted, as the record of it has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// How many records in this act.
    pub deleted: u64,
    /// All before this place are deleted by now.
    pub before_position: u64,
}

#[derive(Deserialize)]
struct Text<'r> {
    #[serde(borrow)]
    actor_kind: std::borrow::Cow<'r, str>,
    #[serde(borrow)]
    action: std::borrow::Cow<'r, str>,
    before: Option<Deletion>,
}

/// The place before which all are deleted, when the text is that of a record that says so.
#[must_use]
pub fn before_position(text: &str) -> Option<u64> {
    // Most are of other acts, and need not be read.
    if !text.contains(ACTION) {
        return None;
    }
    let text: Text<'_> = serde_json::from_str(text).ok()?;
    let deletion = text.before.filter(|_| text.actor_kind == ACTOR && text.action == ACTION)?;
    Some(deletion.before_position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_record_says_what_was_deleted() {
        let text = r#"{"v":1,"actor_kind":"server","action":"audit.delete_old","before":{"deleted":2,"before_position":7}}"#;
        assert_eq!(before_position(text), Some(7));
        for (was, is) in [
            ("server", "key"),
            ("delete_old", "delete_older"),
            ("before_position", "other"),
            ("7", "-7"),
            ("}}", "}"),
        ] {
            assert_eq!(before_position(&text.replace(was, is)), None, "{was}");
        }
    }
}
