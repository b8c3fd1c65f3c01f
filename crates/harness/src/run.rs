//! Rounds: work, death, restart, check; again and again.

use crate::audit::Audit;
use crate::chance::Chance;
use crate::check::{End, check};
use crate::damage::Damage;
use crate::journal::{Action, Journal, Known, Totals};
use crate::place::Place;
use crate::server::{Launcher, Server};
use crate::worker::{ENVIRONMENT, PROJECT, Worker};
use crate::{credits, say, worker};
use anyhow::{Context, Result, ensure};
use keystead_sdk::Client;
use keystead_sdk::api::{CreateEnvironment, CreateProject};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

const WORKERS: u64 = 6;
/// Every so often the server is stopped in order: then not one credit may be missing.
const STOP_ONCE_IN: u64 = 8;
/// Every so often it is killed again while it starts.
const KILL_STARTING_ONCE_IN: u64 = 5;

/// What drives an installation through its deaths.
pub(crate) struct Run<'a> {
    place: &'a Place,
    launcher: Launcher,
    admin_key: String,
    journal: Arc<Mutex<Journal>>,
    audit: Audit,
    seed: u64,
    chance: Chance,
}

impl<'a> Run<'a> {
    /// Makes an installation with a project to work in, and stops it again.
    pub(crate) async fn prepare(place: &'a Place, program: &Path, seed: u64) -> Result<Self> {
        let launcher = place.launcher(program);
        let server = launcher.start(&[]).await?;
        let admin_key = server.admin_key.clone().context("the first start printed no key")?;
        let client = Client::new(&server.url, admin_key.as_str())?;
        let project = CreateProject { name: "Harness".into(), slug: PROJECT.into(), prefix: None };
        client.create_project(&project).await?;
        let name = "Production".into();
        let environment = CreateEnvironment { name, slug: ENVIRONMENT.into(), tag: Some("live".into()) };
        client.create_environment(PROJECT, &environment).await?;
        let mut audit = Audit::default();
        audit.news(&client).await?;
        server.stop().await?;
        let chance = Chance::new(seed, 0);
        Ok(Self { place, launcher, admin_key, journal: Arc::default(), audit, seed, chance })
    }

    /// One round; what it found.
    pub(crate) async fn round(&mut self, round: u64) -> Result<Vec<String>> {
        let end = self.live_and_die(round).await?;
        self.look(end).await
    }

    /// One round with a damage between death and restart; whether it was inflicted, and what was found.
    pub(crate) async fn damaged_round(&mut self, round: u64, damage: Damage) -> Result<(bool, Vec<String>)> {
        let end = self.live_and_die(round).await?;
        let journal = std::mem::take(&mut *self.journal.lock());
        let inflicted = damage.inflict(self.place, &journal).await;
        *self.journal.lock() = journal;
        Ok((inflicted?, self.look(end).await?))
    }

    async fn live_and_die(&mut self, round: u64) -> Result<End> {
        let end = if self.chance.once_in(STOP_ONCE_IN) { End::Stopped } else { End::Killed };
        let server = self.launcher.start(&[]).await?;
        let client = Client::builder().url(&server.url).key(self.admin_key.as_str());
        // What was not answered is not sent again behind the journal's back.
        let client = client.retries_max(0).build()?;
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let worker = Worker {
                client: client.clone(),
                journal: Arc::clone(&self.journal),
                chance: Chance::new(self.seed, 1 + round * WORKERS + number),
                round: format!("r{round}w"),
                name: format!("r{round}w{number}"),
                made: 0,
                groups: Vec::new(),
            };
            workers.spawn(worker.work());
        }
        tokio::time::sleep(self.chance.between_ms(5, 400)).await;
        match end {
            End::Killed => drop(server.kill().await?),
            End::Stopped => server.stop().await?,
        }
        while let Some(worker) = workers.join_next().await {
            worker.context("a worker failed")?;
        }
        self.place.settle().await?;
        if self.chance.once_in(KILL_STARTING_ONCE_IN) {
            let starting = self.launcher.begin(&[])?;
            tokio::time::sleep(self.chance.between_ms(0, 150)).await;
            starting.kill().await?;
        }
        Ok(end)
    }

    async fn look(&mut self, end: End) -> Result<Vec<String>> {
        let (server, client) = self.start().await?;
        let mut journal = std::mem::take(&mut *self.journal.lock());
        self.ask_again(&client, &mut journal).await?;
        let findings = check(&client, &mut journal, &mut self.audit, end).await?;
        *self.journal.lock() = journal;
        server.stop().await?;
        Ok(findings)
    }

    /// Half of the creations that nobody answered are asked for again, under the same `Idempotency-Key`:
    /// whether they were done before the kill or not, they are done once, and answered with the key.
    async fn ask_again(&mut self, client: &Client, journal: &mut Journal) -> Result<()> {
        let unanswered = |known: &Known| {
            let alone = known.born == Action::Create && known.group.is_none() && known.replaces.is_none();
            alone && known.key.is_none() && !known.was_acknowledged(Action::Create)
        };
        let names = journal.keys.iter().filter(|(_, known)| unanswered(known));
        let granted = |name: &String| journal.credits.get(name).map(|credits| credits.granted);
        let names: Vec<(String, Option<u64>)> =
            names.map(|(name, _)| (name.clone(), granted(name))).collect();
        for (name, granted) in names {
            if self.chance.once_in(2) {
                let created = worker::create(client, &name, granted).await.context("asked again")?;
                journal.made(&name, &created);
            }
        }
        Ok(())
    }

    /// After the last round: the whole audit again, and every credit spent.
    pub(crate) async fn finish(&mut self) -> Result<Vec<String>> {
        let (server, client) = self.start().await?;
        let mut findings = self.audit.whole(&client).await?;
        let journal = std::mem::take(&mut *self.journal.lock());
        findings.extend(credits::drain(&client, &journal).await?);
        *self.journal.lock() = journal;
        server.stop().await?;
        Ok(findings)
    }

    /// What was done in all.
    pub(crate) fn totals(&self) -> Totals {
        self.journal.lock().totals
    }

    async fn start(&self) -> Result<(Server, Client)> {
        let server = self.launcher.start(&[]).await.context("after its death")?;
        let client = Client::new(&server.url, self.admin_key.as_str())?;
        Ok((server, client))
    }
}

/// Kills first starts: whatever moment it was, the next start makes a working installation.
pub(crate) async fn first_starts(
    program: &Path,
    postgres: Option<&str>,
    count: u64,
    seed: u64,
) -> Result<()> {
    let mut chance = Chance::new(seed, u64::MAX);
    for number in 0..count {
        let place = Place::make(postgres).await?;
        let launcher = place.launcher(program);
        let starting = launcher.begin(&[])?;
        tokio::time::sleep(chance.between_ms(0, 200)).await;
        let mut admin_key = starting.kill().await?;
        let server = launcher.start(&[]).await.with_context(|| format!("first start {number}"))?;
        admin_key = admin_key.or_else(|| server.admin_key.clone());
        let server = if admin_key.is_none() {
            // It was made and never seen: as if it had been lost.
            server.stop().await?;
            launcher.start(&["--new-admin-key"]).await?
        } else {
            server
        };
        let admin_key = admin_key.or_else(|| server.admin_key.clone());
        let client = Client::new(&server.url, admin_key.context("no administrator's key")?)?;
        let project = CreateProject { name: "Harness".into(), slug: PROJECT.into(), prefix: None };
        client.create_project(&project).await.with_context(|| format!("first start {number}"))?;
        server.stop().await?;
        place.remove().await?;
    }
    ensure!(count > 0, "no first start was killed");
    say::line(&format!("{count} first starts were killed, and the next start worked"));
    Ok(())
}
