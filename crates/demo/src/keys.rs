//! Makes the demo's keys, uses them as if time had passed, and lets their fate befall them.

use crate::content::{Fate, Planned, PlannedKey};
use crate::fill::ITEMS_MAX;
use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use keystead_sdk::api::{Key, KeyQuery, RevokeKey, SuspendKey, VerifyBatch};
use keystead_sdk::{Client, Error, list_all};

/// Makes the keys that are missing; answers how many.
pub(crate) async fn fill(client: &Client, planned: &Planned, now: Timestamp) -> Result<usize> {
    let project = planned.project.slug.as_str();
    let there = with_tag(client, project, "demo").await?;
    let mut made = 0;
    for key in &planned.keys {
        let mark = key.mark().context("a key without a mark would be made again at each start")?;
        let known = there.iter().find(|known| known.tags.iter().any(|tag| tag == mark));
        match known {
            None => {
                make(client, project, key, now).await.with_context(|| mark.to_owned())?;
                made += 1;
            }
            // Its maker was stopped between making it and this; a key that somebody has changed is theirs.
            Some(known) if known.updated_at == known.created_at => {
                befall(client, &known.id, key, now).await?
            }
            Some(_) => {}
        }
    }
    Ok(made)
}

/// Keys of a project that have this tag.
pub(crate) async fn with_tag(client: &Client, project: &str, tag: &str) -> Result<Vec<Key>, Error> {
    let all = list_all(ITEMS_MAX, async |page| {
        let tag = Some(tag.to_owned());
        let query = KeyQuery { tag, limit: page.limit, cursor: page.cursor, ..KeyQuery::default() };
        client.list_keys(project, &query).await
    });
    Ok(all.await?.items)
}

async fn make(client: &Client, project: &str, planned: &PlannedKey, now: Timestamp) -> Result<()> {
    let mut new = planned.new.clone();
    new.not_before = planned.not_before_days.map(|days| days_after(now, days)).transpose()?;
    new.expires_at = planned.expires_days.map(|days| days_after(now, days)).transpose()?;
    let created = client.create_key(project, &new).await?;
    let mut uses = VerifyBatch::default();
    for used in &planned.uses {
        let request = used.request(&created.key, project, &new.environment)?;
        uses.items.extend(std::iter::repeat_n(request, used.times));
    }
    if !uses.items.is_empty() {
        client.verify_batch(&uses).await?;
    }
    befall(client, &created.details.id, planned, now).await
}

async fn befall(client: &Client, id: &str, planned: &PlannedKey, now: Timestamp) -> Result<()> {
    match &planned.then {
        Some(Fate::Disable(true)) => client.disable_key(id).await.map(drop)?,
        Some(Fate::SuspendDays(days)) => {
            client.suspend_key(id, &SuspendKey { until: days_after(now, *days)? }).await.map(drop)?;
        }
        Some(Fate::Revoke(reason)) => {
            client.revoke_key(id, &RevokeKey { reason: reason.clone() }).await.map(drop)?;
        }
        Some(Fate::Disable(false)) | None => {}
    }
    Ok(())
}

/// The same time of day, so many days later.
fn days_after(now: Timestamp, days: i64) -> Result<Timestamp> {
    Ok(now.checked_add(SignedDuration::from_hours(24 * days))?)
}
