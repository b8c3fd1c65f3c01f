//! Several nodes on one PostgreSQL: how long after its answer a revocation holds on the other node, and
//! how much of what a rate limit allows passes over all of them.

use crate::cluster::Cluster;
use crate::figure::Figure;
use crate::installation::{Installation, caller};
use crate::measure::{data_folder, instant};
use crate::say;
use anyhow::{Context, Result, anyhow, ensure};
use keystead_api::{Code, CreateKey, LimitSpec, RevokeKey, Verify};
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::Database;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const REVOCATIONS: usize = 300;
const REVOCATION_MS_MAX: f64 = 250.0;
const LATENCY_MAX: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_micros(200);
const LIMIT: u64 = 6_000;
const BURST: u64 = 600;
const WINDOW: Duration = Duration::from_secs(60);
const ROUND: Duration = Duration::from_secs(10);
const ASKERS: usize = 8;

/// Measures on two nodes and on three, on a throw-away PostgreSQL or the one that `postgres` names.
///
/// # Errors
/// When an installation cannot be made, or a node refuses what it must do.
pub async fn figures(postgres: Option<String>) -> Result<Vec<Figure>> {
    let (_cluster, url) = match postgres {
        Some(url) => (None, url),
        None => {
            let cluster = Cluster::start()?;
            let url = cluster.url().to_owned();
            (Some(cluster), url)
        }
    };
    let folder = tempfile::Builder::new().prefix("nodes-").tempdir_in(data_folder()?)?;
    let installation = Installation { folder: folder.path().to_owned(), database: Database::Postgres(url) };
    let key = installation.make().await?;
    let second = installation.beside("second")?;
    let mut nodes = vec![installation.open().await?.keystead, second.open().await?.keystead];
    let admin = caller(nodes.first().context("no node")?, &key)?;
    say::progress("revoking on one node, asking the other");
    let mut latencies = revocations(&nodes, &admin).await?;
    latencies.sort_by(f64::total_cmp);
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or(0.0);
    let mut figures = vec![
        Figure::at_most(
            "revocation_p99_ms",
            at(99),
            REVOCATION_MS_MAX,
            "until a revocation that was answered on one node holds on the other",
        ),
        Figure::told("revocation_p50_ms", at(50), "the same, of half of them"),
    ];
    say::progress("asking for more than a rate limit allows, on two nodes and on three");
    let two = limited(&nodes, &admin).await?;
    nodes.push(installation.beside("third")?.open().await?.keystead);
    let three = limited(&nodes, &admin).await?;
    figures.extend([
        Figure::at_most("limit_2_nodes", two.of_promise, 1.0, "passed of limit × 1.1 + burst, two nodes"),
        Figure::at_most("limit_3_nodes", three.of_promise, 1.0, "the same, three nodes"),
        Figure::told("limit_used_2_nodes", two.of_limit, "passed of the limit and the burst, two nodes"),
        Figure::told("limit_used_3_nodes", three.of_limit, "the same, three nodes"),
    ]);
    for node in nodes {
        node.close().await;
    }
    Ok(figures)
}

/// Milliseconds from the answer on the first node to the refusal on the second.
async fn revocations(nodes: &[Arc<Keystead>], admin: &Caller) -> Result<Vec<f64>> {
    let [here, there, ..] = nodes else { return Err(anyhow!("there are no two nodes")) };
    let mut latencies = Vec::with_capacity(REVOCATIONS);
    for number in 0..REVOCATIONS {
        let key = CreateKey { name: format!("revoked {number}"), ..new_key() };
        let made = here.create_key(admin, "bench", key).await.map_err(|refused| anyhow!("{refused}"))?;
        ensure!(verdict(there, admin, &made.key).await? == Code::Valid, "a new key does not work");
        let reason = RevokeKey { reason: "measured".into() };
        let revoked = here.revoke_key(admin, &made.details.id, reason, None).await;
        revoked.map_err(|refused| anyhow!("{refused}"))?;
        let answered = instant();
        while verdict(there, admin, &made.key).await? != Code::Revoked {
            ensure!(answered.elapsed() < LATENCY_MAX, "a revocation does not reach the other node");
            tokio::time::sleep(PAUSE).await;
        }
        latencies.push(answered.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(latencies)
}

/// How much passed of what a limit allows.
struct Passed {
    of_promise: f64,
    of_limit: f64,
}

async fn limited(nodes: &[Arc<Keystead>], admin: &Caller) -> Result<Passed> {
    let first = nodes.first().context("no node")?;
    let window = format!("{}s", WINDOW.as_secs());
    let limit = LimitSpec { name: "main".into(), limit: LIMIT, window, burst: Some(BURST) };
    let key = CreateKey { name: "limited".into(), limits: vec![limit], ..new_key() };
    let made = first.create_key(admin, "bench", key).await.map_err(|refused| anyhow!("{refused}"))?;
    let began = instant();
    let mut askers = JoinSet::new();
    for node in nodes {
        for _ in 0..ASKERS {
            askers.spawn(hammer(Arc::clone(node), admin.clone(), made.key.clone(), began));
        }
    }
    let mut passed = 0.0;
    while let Some(asker) = askers.join_next().await {
        passed += asker??;
    }
    let windows = began.elapsed().as_secs_f64() / WINDOW.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (limit, burst) = (LIMIT as f64, BURST as f64);
    Ok(Passed {
        of_promise: passed / (limit * (windows + 0.1) + burst),
        of_limit: passed / (limit * windows + burst),
    })
}

async fn hammer(node: Arc<Keystead>, admin: Caller, key: String, began: Instant) -> Result<f64> {
    let mut passed = 0.0;
    while began.elapsed() < ROUND {
        if verdict(&node, &admin, &key).await? == Code::Valid {
            passed += 1.0;
        } else {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(passed)
}

async fn verdict(node: &Arc<Keystead>, admin: &Caller, key: &str) -> Result<Code> {
    let ask = Verify {
        key: key.to_owned(),
        project: Some("bench".into()),
        environment: Some("production".into()),
        ..Verify::default()
    };
    Ok(node.verify(admin, &ask).await.map_err(|refused| anyhow!("{refused}"))?.code)
}

fn new_key() -> CreateKey {
    CreateKey { environment: "production".into(), ..CreateKey::default() }
}
