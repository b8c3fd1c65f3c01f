//! After each death: does what the server has now agree with the journal?

use crate::audit::Audit;
use crate::credits;
use crate::journal::{Action, Journal, Known, Record};
use crate::worker::{PROJECT, ask};
use anyhow::{Context, Result};
use keystead_sdk::api::{AuditRecord, Code, Key, KeyQuery, KeyStatus, VerifyBatch};
use keystead_sdk::{Client, list_all};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// More keys than a run keeps.
const KEYS_MAX: usize = 100_000;
const BATCH: usize = 500;

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// SIGKILL.
    Killed,
    /// SIGTERM, and waited for.
    Stopped,
}

/// Compares everything, then takes what is now as the start of the next round.
///
/// # Errors
/// When the server does not answer.
pub(crate) async fn check(
    client: &Client,
    journal: &mut Journal,
    audit: &mut Audit,
    end: End,
) -> Result<Vec<String>> {
    let mut findings = std::mem::take(&mut journal.findings);
    for record in audit.news(client).await.context("the audit cannot be read")? {
        enter(journal, &record, &mut findings);
    }
    let listed = keys(client).await.context("the keys cannot be listed")?;
    for (name, key) in &listed {
        if !journal.keys.contains_key(name) {
            findings.push(format!("{name} ({}): is there, and nobody asked for it", key.id));
        }
    }
    for (name, known) in &mut journal.keys {
        known.records.sort_by_key(|record| record.version);
        findings.extend(compare(known, listed.get(name)).into_iter().map(|what| format!("{name}: {what}")));
        if let (Some(credits), Some(key)) = (&mut known.credits, listed.get(name)) {
            let left = key.credits.as_ref().map_or(0, |credits| credits.remaining);
            let (forfeited, wrong) = credits::settle(credits, left, end);
            journal.totals.credits_forfeited += forfeited;
            findings.extend(wrong.map(|what| format!("{name}: {what}")));
        }
    }
    findings.extend(verdicts(client, journal, &listed).await.context("the keys cannot be verified")?);
    settle(journal, &listed);
    Ok(findings)
}

/// Enters an audit record where it belongs.
fn enter(journal: &mut Journal, record: &AuditRecord, findings: &mut Vec<String>) {
    if record.target.kind != "key" {
        return;
    }
    let Some(known) = journal.keys.get_mut(&record.target.name) else {
        let what = if journal.gone.contains(&record.target.id) { "is purged" } else { "nobody made" };
        findings.push(format!("audit record {} ({}) tells of a key that {what}", record.id, record.action));
        return;
    };
    let after = record.after.clone().unwrap_or(Value::Null);
    let version = after.get("version").and_then(Value::as_i64);
    known.records.push(Record { action: record.action.clone(), version, after });
    known.id.get_or_insert_with(|| record.target.id.clone());
}

async fn keys(client: &Client) -> Result<BTreeMap<String, Key>> {
    let all = list_all(KEYS_MAX, async |page| {
        let query = KeyQuery { limit: page.limit, cursor: page.cursor, ..KeyQuery::default() };
        client.list_keys(PROJECT, &query).await
    })
    .await?;
    Ok(all.items.into_iter().map(|key| (key.name.clone(), key)).collect())
}

/// What does not agree about one key.
fn compare(known: &Known, now: Option<&Key>) -> Vec<String> {
    let mut wrong = Vec::new();
    for action in Action::ALL {
        let asked = known.asked.get(&action).copied().unwrap_or_default();
        let told = known.count(action);
        let least = asked.settled + asked.acknowledged;
        if told < least || told > least + asked.unknown {
            wrong.push(format!(
                "{least} × {} acknowledged, {} unanswered, and the audit has {told}",
                action.name(),
                asked.unknown
            ));
        }
    }
    let should_be = known.count(Action::Create) > 0 && known.count(Action::Delete) == 0;
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
    let versions: Vec<i64> = known.records.iter().filter_map(|record| record.version).collect();
    if versions != (1..=now.version).collect::<Vec<_>>() {
        wrong.push(format!("version {} and its audit has {versions:?}", now.version));
    }
    if known.version > now.version {
        wrong.push(format!("version {} was acknowledged and it has {}", known.version, now.version));
    }
    let mut told = Map::new();
    for record in &known.records {
        if let Value::Object(after) = &record.after {
            told.extend(after.clone());
        }
    }
    let Ok(Value::Object(is)) = serde_json::to_value(now) else {
        return wrong;
    };
    for field in ["status", "revocation", "name", "version", "owner", "expires_at"] {
        if told.get(field) != is.get(field) {
            wrong.push(format!("{field} is {:?} and its audit says {:?}", is.get(field), told.get(field)));
        }
    }
    wrong
}

/// Whether each key is answered as it must be.
async fn verdicts(client: &Client, journal: &Journal, listed: &BTreeMap<String, Key>) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let with_key: Vec<(&String, &String)> =
        journal.keys.iter().filter_map(|(name, known)| Some((name, known.key.as_ref()?))).collect();
    for some in with_key.chunks(BATCH) {
        // A cost of 0 takes nothing, so that looking spends no credits.
        let items = some.iter().map(|(_, key)| ask((*key).clone(), 0)).collect();
        let verdicts = client.verify_batch(&VerifyBatch { items }).await?;
        for ((name, _), verdict) in some.iter().zip(verdicts.items) {
            let must = match listed.get(*name).map(|key| key.status) {
                None => Code::NotFound,
                Some(KeyStatus::Active) => Code::Valid,
                Some(KeyStatus::Revoked) => Code::Revoked,
                Some(_) => Code::Disabled,
            };
            if verdict.code != must {
                wrong.push(format!("{name}: is answered {} and must be {must}", verdict.code));
            }
        }
    }
    Ok(wrong)
}

/// What is known now is certain.
fn settle(journal: &mut Journal, listed: &BTreeMap<String, Key>) {
    let Journal { keys, gone, .. } = journal;
    keys.retain(|name, known| {
        for action in Action::ALL {
            let told = known.count(action);
            let asked = known.asked.entry(action).or_default();
            (asked.settled, asked.acknowledged, asked.unknown) = (told, 0, 0);
        }
        if !listed.contains_key(name) {
            gone.extend(known.id.take());
        }
        listed.contains_key(name)
    });
}

impl Known {
    fn count(&self, action: Action) -> u64 {
        let told = self.records.iter().filter(|record| record.action == action.name()).count();
        u64::try_from(told).unwrap_or(u64::MAX)
    }
}
