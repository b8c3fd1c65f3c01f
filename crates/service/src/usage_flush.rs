//! Writing usage: gathered in memory, flushed at a stated interval and on a graceful stop. A crash
//! loses at most one interval.

use crate::Keystead;
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::sightings::{Aggregate, FEW, UnknownAggregate, merge};
use crate::usage::{Gathered, UnknownKey, UsageEvent};
use keystead_api::{Seen, Sighting};
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;
use keystead_store::{DrainPhase, DrainSeenRow, Ledger, SeenRow, UnknownAttemptsRow};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Rows gathered before a flush comes early.
const ROWS_MAX: usize = 10_000;
/// How long events wait to be gathered together: waking for each would cost every verification.
const GATHER_PAUSE: Duration = Duration::from_millis(5);
/// Events gathered at once; when there are so many, more are waiting.
const BATCH: usize = 1_024;
/// Rows written in one transaction: administrative acts wait behind at most so many.
const CHUNK: usize = 256;

impl Keystead {
    /// Gathers events until the stop, flushing every `interval`.
    pub(crate) async fn keep_usage(self: Arc<Self>, mut events: Receiver<UsageEvent>, interval: Duration) {
        let mut gathered = Gathered::default();
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let mut hurry = false;
            tokio::select! {
                count = events.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    batch.drain(..).for_each(|event| gathered.add(event));
                    hurry = count == BATCH;
                }
                _ = ticks.tick() => {
                    gathered = self.flush(gathered).await;
                    self.flush_observed().await;
                }
                () = self.stopping.cancelled() => break,
            }
            if gathered.rows() >= ROWS_MAX {
                gathered = self.flush(gathered).await;
            }
            if !hurry {
                tokio::select! {
                    () = tokio::time::sleep(GATHER_PAUSE) => {}
                    () = self.stopping.cancelled() => break,
                }
            }
        }
        while let Ok(event) = events.try_recv() {
            gathered.add(event);
        }
        self.flush(gathered).await;
        self.flush_observed().await;
    }

    /// Writes what was gathered. What cannot be written is dropped, counted and reported: a database
    /// that is away must not fill the memory.
    async fn flush(&self, gathered: Gathered) -> Gathered {
        if !gathered.is_empty() {
            let mut rows: Vec<Row> = Vec::with_capacity(gathered.rows());
            rows.extend(
                gathered
                    .lineages
                    .into_iter()
                    .map(|((organization, lineage), seen)| Row::Lineage(organization, lineage, seen)),
            );
            rows.extend(
                gathered
                    .drains
                    .into_iter()
                    .map(|((organization, key, phase), seen)| Row::Drain(organization, key, phase, seen)),
            );
            rows.extend(gathered.unknown.into_iter().map(|(key, unknown)| Row::Unknown(key, unknown)));
            while !rows.is_empty() {
                let chunk = rows.split_off(rows.len().saturating_sub(CHUNK));
                let count = chunk.len();
                let written = self
                    .store
                    .bookkeeping(move |ledger| Box::pin(async move { write(ledger, chunk).await }))
                    .await;
                if let Err(error) = written {
                    tracing::error!(%error, count, "usage aggregates could not be written and are lost");
                    self.usage.count_lost(count as u64);
                }
            }
        }
        Gathered::default()
    }
}

enum Row {
    Lineage(OrganizationId, KeyId, Aggregate),
    Drain(OrganizationId, KeyId, DrainPhase, Aggregate),
    Unknown(UnknownKey, UnknownAggregate),
}

impl Row {
    const fn lineage(&self) -> Option<KeyId> {
        match self {
            Self::Lineage(_, lineage, _) => Some(*lineage),
            Self::Drain(..) | Self::Unknown(..) => None,
        }
    }
}

async fn write(ledger: &mut Ledger, rows: Vec<Row>) -> Result<(), Refused> {
    // What is there is read, added to and written: two nodes at once would lose one's part of it, or
    // wait for each other's rows.
    ledger.claim_job("usage", Micros(0), Micros(0)).await?;
    let lineages: Vec<KeyId> = rows.iter().filter_map(Row::lineage).collect();
    let known = ledger.seen_of(&lineages).await?;
    let mut known: HashMap<KeyId, SeenRow> = known.into_iter().map(|row| (row.lineage_id, row)).collect();
    for row in rows {
        match row {
            Row::Lineage(organization, lineage, aggregate) => {
                let before = known.remove(&lineage);
                write_seen(ledger, (organization, lineage), before, aggregate).await?
            }
            Row::Drain(organization, key, phase, aggregate) => {
                write_drain(ledger, (organization, key, phase), aggregate).await?
            }
            Row::Unknown(key, aggregate) => write_unknown(ledger, key, aggregate).await?,
        }
    }
    Ok(())
}

async fn write_seen(
    ledger: &mut Ledger,
    (organization, lineage): (OrganizationId, KeyId),
    before: Option<SeenRow>,
    aggregate: Aggregate,
) -> Result<(), Refused> {
    let before = match before {
        Some(row) => json::<Seen>(&row.body)?,
        None => Seen::default(),
    };
    let seen = aggregate.onto(before);
    let row = SeenRow {
        lineage_id: lineage,
        organization_id: organization,
        last_used_at: seen.last_used_at.map(Micros::from),
        last_refused_at: seen.last_refused_at.map(Micros::from),
        passed: i64::try_from(seen.passed).unwrap_or(i64::MAX),
        refused: i64::try_from(seen.refused).unwrap_or(i64::MAX),
        body: serde_json::to_string(&seen)
            .map_err(|_| Refused::Internal("an aggregate that is no JSON".into()))?,
    };
    Ok(ledger.put_seen(&row).await?)
}

async fn write_drain(
    ledger: &mut Ledger,
    (organization, key, phase): (OrganizationId, KeyId, DrainPhase),
    aggregate: Aggregate,
) -> Result<(), Refused> {
    let known = ledger.drain_seen(key).await?;
    let before = match known.iter().find(|row| row.phase == phase) {
        Some(row) => json::<Seen>(&row.body)?,
        None => Seen::default(),
    };
    let body = to_json(&aggregate.onto(before))?;
    Ok(ledger
        .put_drain_seen(&DrainSeenRow { key_id: key, phase, organization_id: organization, body })
        .await?)
}

async fn write_unknown(
    ledger: &mut Ledger,
    key: UnknownKey,
    aggregate: UnknownAggregate,
) -> Result<(), Refused> {
    let project = key.project.unwrap_or(ProjectId([0; 16]));
    let environment = key.environment.unwrap_or(EnvironmentId([0; 16]));
    let known = ledger.unknown_attempts(key.organization, project).await?;
    let before =
        known.into_iter().find(|row| row.environment_id == environment && row.code == key.code.as_str());
    let (Some(first_at), Some(last_at)) = (aggregate.first_at, aggregate.last_at) else {
        return Ok(());
    };
    let mut networks: Vec<Sighting> =
        before.as_ref().map_or_else(|| Ok(Vec::new()), |row| json(&row.body))?;
    merge(&mut networks, aggregate.networks, FEW);
    let row = UnknownAttemptsRow {
        organization_id: key.organization,
        project_id: project,
        environment_id: environment,
        code: key.code.as_str().into(),
        count: before
            .as_ref()
            .map_or(0, |row| row.count)
            .saturating_add(i64::try_from(aggregate.count).unwrap_or(i64::MAX)),
        first_at: before.as_ref().map_or(first_at, |row| row.first_at.min(first_at)),
        last_at: before.as_ref().map_or(last_at, |row| row.last_at.max(last_at)),
        body: serde_json::to_string(&networks)
            .map_err(|_| Refused::Internal("an aggregate that is no JSON".into()))?,
    };
    Ok(ledger.put_unknown_attempts(&row).await?)
}
