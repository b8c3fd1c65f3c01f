//! Rate limits over several nodes, under load, while nodes come and go: over all of them never more passes
//! than the limit over the time and a sixteenth of its window, and the burst.

use super::{Cluster, Node, PATIENCE, PAUSE};
use crate::place::Place;
use crate::worker::{PROJECT, ask};
use anyhow::{Context, Result, ensure};
use keystead_sdk::Client;
use keystead_sdk::api::{Code, CreateConsumer, CreateKey, LimitSpec};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LIMIT: u64 = 600;
const BURST: u64 = 100;
const WINDOW_SECONDS: u64 = 60;
/// How long nodes are loaded in each constellation.
const WHILE: Duration = Duration::from_secs(3);
/// Who asks on each node at once, for each key.
const ASKERS: usize = 2;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let cluster = Cluster::start(&place, program).await?;
    let (limited, shared) = limited_keys(&cluster.first).await?;
    let began = Instant::now();
    let passed = Passed::default();

    let first = Load::put_on(&cluster.first, &limited, &shared, &passed);
    tokio::time::sleep(WHILE).await;
    let second_node = cluster.another().await?;
    let second = Load::put_on(&second_node, &limited, &shared, &passed);
    tokio::time::sleep(WHILE).await;
    let third_node = cluster.another().await?;
    let third = Load::put_on(&third_node, &limited, &shared, &passed);
    tokio::time::sleep(WHILE).await;
    third.passes_something().await;
    let on_third = third.end().await?;
    third_node.server.stop().await?;
    tokio::time::sleep(WHILE).await;
    second.passes_something().await;
    let on_second = second.end().await?;
    second_node.server.stop().await?;
    tokio::time::sleep(WHILE).await;
    let on_first = first.end().await?;

    // Measured from outside, so longer than the servers took: that only allows more.
    let allowed = allowed(began.elapsed());
    for (of, passed) in [("a key", &passed.limited), ("a consumer", &passed.shared)] {
        let passed = passed.load(Ordering::SeqCst);
        ensure!(passed <= allowed, "{passed} requests passed the limit of {of}, and {allowed} may");
        ensure!(passed >= BURST, "only {passed} requests passed the limit of {of}: not even the burst");
    }
    ensure!(on_second > 0 && on_third > 0 && on_first > 0, "nothing passed on one of the nodes");
    cluster.first.server.stop().await?;
    place.remove().await
}

/// What may pass in a time: the promise is `limit × 1.1 + burst` in a window.
fn allowed(time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let window = WINDOW_SECONDS * 1_000_000;
    LIMIT * (micros + window / 16) / window + BURST
}

/// A key with a limit of its own, and two that share their consumer's.
async fn limited_keys(node: &Node) -> Result<(String, [String; 2])> {
    let limit = || LimitSpec { name: "main".into(), limit: LIMIT, window: "60s".into(), burst: Some(BURST) };
    let own = CreateKey { name: "own".into(), limits: vec![limit()], ..CreateKey::default() };
    let own = node.create(own).await?.key;
    let consumer =
        CreateConsumer { name: "Customer".into(), limits: vec![limit()], ..CreateConsumer::default() };
    let consumer = node.client.create_consumer(PROJECT, &consumer).await?.id;
    let shared = async |name: &str| {
        let key = CreateKey { name: name.into(), consumer: Some(consumer.clone()), ..CreateKey::default() };
        anyhow::Ok(node.create(key).await?.key)
    };
    Ok((own, [shared("one").await?, shared("other").await?]))
}

/// How much passed over all nodes.
#[derive(Default, Clone)]
struct Passed {
    limited: Arc<AtomicU64>,
    shared: Arc<AtomicU64>,
}

/// Those who ask one node without end.
struct Load {
    /// How much of it has passed.
    passed: Arc<AtomicU64>,
    ending: Arc<AtomicBool>,
    askers: Vec<JoinHandle<Result<()>>>,
}

impl Load {
    fn put_on(node: &Node, limited: &str, shared: &[String; 2], passed: &Passed) -> Self {
        let (ending, own) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut askers = Vec::new();
        let keys = [
            (limited, &passed.limited),
            (shared[0].as_str(), &passed.shared),
            (shared[1].as_str(), &passed.shared),
        ];
        for (key, passed) in keys {
            for _ in 0..ASKERS {
                let (client, key) = (node.client.clone(), key.to_owned());
                let passed = [Arc::clone(passed), Arc::clone(&own)];
                let asker = hammer(client, key, passed, Arc::clone(&ending));
                askers.push(tokio::spawn(asker));
            }
        }
        Self { passed: own, ending, askers }
    }

    /// Waits until something has passed, for as long as is reasonable: a node may find its account dry for a while.
    async fn passes_something(&self) {
        let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
        while self.passed.load(Ordering::SeqCst) == 0 && tries > 0 {
            tokio::time::sleep(PAUSE).await;
            tries -= 1;
        }
    }

    /// How much of it passed.
    async fn end(self) -> Result<u64> {
        self.ending.store(true, Ordering::SeqCst);
        for asker in self.askers {
            asker.await.context("an asker failed")??;
        }
        Ok(self.passed.load(Ordering::SeqCst))
    }
}

/// Asks until the end, and counts what passes.
async fn hammer(
    client: Client,
    key: String,
    passed: [Arc<AtomicU64>; 2],
    ending: Arc<AtomicBool>,
) -> Result<()> {
    while !ending.load(Ordering::SeqCst) {
        match client.verify(&ask(key.clone(), 1)).await?.code {
            Code::Valid => passed.iter().for_each(|count| _ = count.fetch_add(1, Ordering::SeqCst)),
            Code::RateLimited | Code::Unavailable => tokio::time::sleep(Duration::from_millis(2)).await,
            other => anyhow::bail!("a key with a limit is answered {other}"),
        }
    }
    Ok(())
}
