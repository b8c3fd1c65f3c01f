//! Whether one key is what its audit made of it.

use crate::journal::{Action, Known};
use keystead_sdk::api::{Key, KeyStatus};
use serde_json::{Map, Value};

/// Why a key is revoked that nobody revoked.
const CANCELLED: &str = "The rotation that made it was cancelled.";

/// What does not agree about one key.
pub(crate) fn compare(known: &Known, now: Option<&Key>) -> Vec<String> {
    let mut wrong = Vec::new();
    for action in Action::ALL {
        let asked = known.asked.get(&action).copied().unwrap_or_default();
        let told = known.count(action);
        let least = asked.settled + asked.acknowledged;
        let most = if action.comes_by_itself() {
            least.max(known.count(Action::Rotate))
        } else {
            least + asked.unknown
        };
        if told < least || told > most {
            wrong.push(format!(
                "{least} × {} acknowledged, {} unanswered, and the audit has {told}",
                action.name(),
                asked.unknown
            ));
        }
    }
    let should_be = known.count(known.born) > 0 && known.count(Action::Delete) == 0;
    match now {
        Some(now) if should_be => wrong.extend(effects(known, now)),
        Some(_) => wrong.push("it is there, and by its audit it should not be".to_owned()),
        None if should_be => wrong.push("it is lost: made, by its audit, and not there".to_owned()),
        None => {}
    }
    wrong
}

/// Whether a key is what its audit records, one after the other, made of it.
fn effects(known: &Known, now: &Key) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(versions(known, now));
    if known.version > now.version {
        wrong.push(format!("version {} was acknowledged and it has {}", known.version, now.version));
    }
    if known.ended && now.status == KeyStatus::Active {
        wrong.push("it has ended, and lives".to_owned());
    }
    let mut told = Map::new();
    let mut records: Vec<_> = known.records.iter().collect();
    records.sort_by_key(|record| record.version);
    for record in records {
        if let Value::Object(after) = &record.after {
            told.extend(after.clone());
        }
    }
    let Ok(Value::Object(is)) = serde_json::to_value(now) else {
        return wrong;
    };
    let cancelled = known.count(Action::Cancel) > 0
        && now.revocation.as_ref().is_some_and(|revocation| revocation.reason == CANCELLED);
    for field in ["status", "revocation", "name", "version", "owner", "expires_at"] {
        let by_rotating = match field {
            // Of a rotation, its own records tell; and a minted key is what its parent is.
            "status" => turns(known) > 0 || known.parent.is_some(),
            "version" | "expires_at" => turns(known) > 0,
            "revocation" => cancelled,
            _ => false,
        };
        if !by_rotating && told.get(field) != is.get(field) {
            wrong.push(format!("{field} is {:?} and its audit says {:?}", is.get(field), told.get(field)));
        }
    }
    wrong
}

/// How often a rotation changed it, by the records of rotations, which tell of no version.
fn turns(known: &Known) -> u64 {
    [Action::Rotate, Action::Complete, Action::FirstUse, Action::Cancel]
        .into_iter()
        .map(|action| known.count(action))
        .sum()
}

fn versions(known: &Known, now: &Key) -> Option<String> {
    let mut versions: Vec<i64> = known.records.iter().filter_map(|record| record.version).collect();
    versions.sort_unstable();
    let told = u64::try_from(versions.len()).unwrap_or(u64::MAX);
    let each_once = versions.first() == Some(&1) && versions.is_sorted_by(|one, next| one < next);
    // A cancelled rotation changes its new key unless that was revoked before.
    let most = told + turns(known);
    let least = most - known.count(Action::Cancel);
    let is = u64::try_from(now.version).unwrap_or_default();
    (!each_once || !(least..=most).contains(&is)).then(|| {
        format!("version {}, {} by rotating, and its audit has {versions:?}", now.version, turns(known))
    })
}
