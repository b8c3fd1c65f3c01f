//! After each death: does what the server has now agree with the journal?

use crate::audit::Audit;
use crate::credits;
use crate::effects::compare;
use crate::journal::{Action, Journal, Known, Record};
use crate::rotations;
use crate::worker::{PROJECT, ask};
use anyhow::{Context, Result, bail};
use keystead_sdk::api::{AuditRecord, Code, Key, KeyQuery, KeyStatus, VerifyBatch};
use keystead_sdk::{Client, list_all};
use serde_json::Value;
use std::collections::BTreeMap;

/// More keys than a run keeps.
const KEYS_MAX: usize = 100_000;
const BATCH: usize = 500;
/// Looks until two agree: the server notes by itself what time has ended.
const LOOKS_MAX: u32 = 50;

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// SIGKILL.
    Killed,
    /// SIGTERM, and waited for.
    Stopped,
}

/// The keys that there are, by their labels.
pub(crate) type Listed = BTreeMap<String, Key>;

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
    let listed = look(client, journal, audit, &mut findings).await?;
    for (label, key) in &listed {
        if !journal.keys.contains_key(label) {
            findings.push(format!("{label} ({}): is there, and nobody asked for it", key.id));
        }
    }
    for (label, known) in &journal.keys {
        let wrong = compare(known, listed.get(label));
        findings.extend(wrong.into_iter().map(|what| format!("{label}: {what}")));
    }
    findings.extend(freed(journal, &listed));
    findings.extend(rotations::compare(journal, &listed, end));
    findings.extend(batches(journal));
    findings.extend(credits::compare(journal, &listed, end));
    findings.extend(verdicts(client, journal, &listed).await.context("the keys cannot be verified")?);
    settle(journal, &listed);
    Ok(findings)
}

/// Reads the audit and the keys of one moment.
async fn look(
    client: &Client,
    journal: &mut Journal,
    audit: &mut Audit,
    findings: &mut Vec<String>,
) -> Result<Listed> {
    let mut before = all_keys(client).await?;
    for _ in 0..LOOKS_MAX {
        let mut news = audit.news(client).await.context("the audit cannot be read")?;
        // The oldest first; and a key that another is rotated into is heard of by its creation.
        news.reverse();
        news.sort_by_key(|record| record.action != Action::Create.name());
        news.iter().for_each(|record| rotations::enter(journal, record));
        for record in &news {
            enter(journal, record, findings);
        }
        let after = all_keys(client).await?;
        if before == after && news.is_empty() {
            let labelled = after.into_iter().map(|key| (journal.label(&key.name, &key.id).to_owned(), key));
            return Ok(labelled.collect());
        }
        before = after;
    }
    bail!("the server changes its keys all the time, and nobody asks it to")
}

/// Enters an audit record where it belongs.
fn enter(journal: &mut Journal, record: &AuditRecord, findings: &mut Vec<String>) {
    if record.target.kind != "key" {
        return;
    }
    let after = record.after.clone().unwrap_or(Value::Null);
    let label = journal.label(&record.target.name, &record.target.id).to_owned();
    let Some(known) = journal.keys.get_mut(&label) else {
        let what = if journal.gone.contains(&record.target.id) { "is purged" } else { "nobody made" };
        findings.push(format!("audit record {} ({}) tells of a key that {what}", record.id, record.action));
        return;
    };
    let version = after.get("version").and_then(Value::as_i64);
    known.records.push(Record { action: record.action.clone(), version, after });
    known.id.get_or_insert_with(|| record.target.id.clone());
}

async fn all_keys(client: &Client) -> Result<Vec<Key>> {
    let all = list_all(KEYS_MAX, async |page| {
        let query = KeyQuery { limit: page.limit, cursor: page.cursor, ..KeyQuery::default() };
        client.list_keys(PROJECT, &query).await
    });
    Ok(all.await.context("the keys cannot be listed")?.items)
}

/// Minted keys that do not stand below what they were minted from, or live without it.
fn freed(journal: &Journal, listed: &Listed) -> Vec<String> {
    let minted = journal.keys.iter().filter_map(|(label, known)| {
        let (child, parent) = (listed.get(label)?, listed.get(known.parent.as_ref()?)?);
        Some((label, child, parent))
    });
    let is_free = |child: &Key, parent: &Key| {
        child.parent.as_ref() != Some(&parent.id)
            || (child.status == KeyStatus::Active && parent.status != KeyStatus::Active)
    };
    minted
        .filter(|(_, child, parent)| is_free(child, parent))
        .map(|(label, _, parent)| format!("{label}: it was minted from {}, and lives without it", parent.id))
        .collect()
}

/// Keys that were asked for together are all made, or none.
fn batches(journal: &mut Journal) -> Vec<String> {
    let batches = std::mem::take(&mut journal.batches);
    let made = |name: &String| journal.keys.get(name).is_some_and(|known| known.count(Action::Create) > 0);
    let halves = batches.iter().filter(|names| {
        let made = names.iter().filter(|name| made(name)).count();
        made != 0 && made != names.len()
    });
    halves.map(|names| format!("of the batch {names:?} some were made and some not")).collect()
}

/// Whether each key is answered as it must be.
async fn verdicts(client: &Client, journal: &Journal, listed: &Listed) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    // To look would take a use, or be the first use that ends another key.
    let to_ask = journal.keys.iter().filter(|(_, known)| {
        known.uses.is_none() && known.replaces.as_ref().is_none_or(|old| !rotations::waits(journal, old))
    });
    let with_key: Vec<(&String, &String)> =
        to_ask.filter_map(|(label, known)| Some((label, known.key.as_ref()?))).collect();
    for some in with_key.chunks(BATCH) {
        // A cost of 0 takes nothing, so that looking spends no credits.
        let items = some.iter().map(|(_, key)| ask((*key).clone(), 0)).collect();
        let verdicts = client.verify_batch(&VerifyBatch { items }).await?;
        for ((label, _), verdict) in some.iter().zip(verdicts.items) {
            let must = match listed.get(*label).map(|key| key.status) {
                None => Code::NotFound,
                Some(KeyStatus::Active) => Code::Valid,
                Some(KeyStatus::Revoked) => Code::Revoked,
                Some(KeyStatus::Expired) => Code::Expired,
                Some(_) => Code::Disabled,
            };
            // What is in the way of a minted key may be its parent's as well as its own.
            let is_minted = journal.keys.get(*label).is_some_and(|known| known.parent.is_some());
            let stopped = |code| matches!(code, Code::Revoked | Code::Expired | Code::Disabled);
            if verdict.code != must && !(is_minted && stopped(verdict.code) && stopped(must)) {
                wrong.push(format!("{label}: is answered {} and must be {must}", verdict.code));
            }
        }
    }
    Ok(wrong)
}

/// What is known now is certain.
fn settle(journal: &mut Journal, listed: &Listed) {
    let Journal { keys, gone, credits, .. } = journal;
    let purged =
        keys.iter().filter(|(label, known)| known.count(Action::Create) > 0 && !listed.contains_key(*label));
    let olds: Vec<String> = purged.filter_map(|(_, known)| known.replaces.clone()).collect();
    for old in olds {
        if let Some(known) = keys.get_mut(&old) {
            known.purged_successors += 1;
        }
    }
    keys.retain(|label, known| {
        for action in Action::ALL {
            let told = known.count(action);
            let asked = known.asked.entry(action).or_default();
            (asked.settled, asked.acknowledged, asked.unknown) = (told, 0, 0);
        }
        (known.is_busy, known.used) = (false, false);
        if !listed.contains_key(label) {
            gone.extend(known.id.take());
        }
        listed.contains_key(label)
    });
    credits.retain(|lineage, _| keys.values().any(|known: &Known| known.lineage == *lineage));
}
