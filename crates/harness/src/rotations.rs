//! Whether rotations are whole: each on record at both keys, the old key ended when it must be.

use crate::check::{End, Listed};
use crate::journal::{Action, Journal, Known};
use keystead_sdk::api::{AuditRecord, KeyStatus, RotationPart};
use serde_json::Value;

/// Enters the key that an unanswered rotation made, as the old key's record tells.
pub(crate) fn enter(journal: &mut Journal, record: &AuditRecord) {
    if record.action != Action::Rotate.name() {
        return;
    }
    let after = record.after.as_ref();
    let Some(new) = after.and_then(|after| after.get("new_key_id")).and_then(Value::as_str) else { return };
    if journal.keys.contains_key(new) {
        return;
    }
    let old = journal.label(&record.target.name, &record.target.id).to_owned();
    let was_asked = |known: &Known| known.asked.get(&Action::Rotate).is_some_and(|asked| asked.unknown > 0);
    if journal.keys.get(&old).is_some_and(was_asked) {
        journal.succeed(&old, new);
    }
}

/// Whether an old key's end waits for the first use of the new one.
pub(crate) fn waits(journal: &Journal, old: &str) -> bool {
    let Some(known) = journal.keys.get(old) else { return false };
    known.is_being_rotated()
        && last(known).is_some_and(|last| last.first_use)
        && known.count(Action::FirstUse) == 0
}

/// What does not agree about rotations.
pub(crate) fn compare(journal: &Journal, listed: &Listed, end: End) -> Vec<String> {
    let mut wrong = Vec::new();
    for (label, known) in &journal.keys {
        let mut successors = journal.keys.iter().filter(|(_, new)| new.replaces.as_ref() == Some(label));
        let made = successors.clone().filter(|(_, new)| new.count(Action::Create) > 0).count();
        let purged = known.purged_successors;
        if u64::try_from(made).unwrap_or(u64::MAX) + purged != known.count(Action::Rotate) {
            wrong.push(format!(
                "{label}: was rotated {} times by its audit, into {made} keys and {purged} that are purged",
                known.count(Action::Rotate)
            ));
        }
        let Some(old) = listed.get(label) else { continue };
        if is_over(known) && old.status == KeyStatus::Active {
            wrong.push(format!("{label}: it was rotated away, by its audit, and lives"));
        }
        let Some((new_label, new)) = successors
            .find(|(new_label, new)| new.count(Action::Cancel) == 0 && listed.contains_key(*new_label))
        else {
            continue;
        };
        let runs = known.is_being_rotated() && !is_over(known) && known.count(Action::Revoke) == 0;
        let shown = old.rotating.as_ref().filter(|rotating| rotating.part == RotationPart::Old);
        if shown.map(|rotating| &rotating.other_key_id) != new.id.as_ref().filter(|_| runs) {
            wrong.push(format!("{label}: is shown as {shown:?}, and a rotation runs: {runs}"));
        }
        // What a use sets off is done beside the request: a kill may lose it, until the next use.
        if end == End::Stopped && new.used && runs && waits(journal, label) {
            wrong.push(format!("{label}: {new_label} was used, and its end did not begin"));
        }
    }
    wrong
}

/// How the last rotation of a key was to end it.
struct Last {
    first_use: bool,
    at_once: bool,
}

fn last(known: &Known) -> Option<Last> {
    let record = known.records.iter().rev().find(|record| record.action == Action::Rotate.name())?;
    let text = |field: &str| record.after.get(field).and_then(Value::as_str);
    Some(Last {
        first_use: text("mode") == Some("first_use"),
        at_once: text("ends_at").is_some() && text("ends_at") == text("started_at"),
    })
}

/// Whether, by its audit, a key has ended because another took over.
fn is_over(known: &Known) -> bool {
    let ended = known.count(Action::Complete) + known.count(Action::FirstUse) > 0;
    ended || (known.is_being_rotated() && last(known).is_some_and(|last| last.at_once))
}
