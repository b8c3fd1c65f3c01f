//! The server that is measured: the real one, in a process of its own on a core of its own, with one
//! more route that echoes JSON.

use crate::installation::Installation;
use crate::pinned::Pinned;
use crate::say;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Path as PathValue;
use axum::routing::post;
use keystead_api::Code;
use keystead_server::body::Json;
use keystead_server::configuration;
use keystead_server::front::Front;
use keystead_server::metrics::Metrics;
use keystead_server::state::App;
use keystead_server::{listen, routes};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// The hidden command that serves.
pub const COMMAND: &str = "serve-child";
/// What a server tells at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) valid: u64,
    pub(super) refused: u64,
    pub(super) usage_dropped: u64,
}

/// A running server; it ends when its standard input does.
pub(super) struct Server {
    process: Pinned,
    address: SocketAddr,
}

impl Server {
    /// Starts this program as a server on its core.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let mut process = Pinned::start(COMMAND, folder)?;
        let address = process.line()?.parse().context("the server did not start")?;
        Ok(Self { process, address })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn process(&self) -> u32 {
        self.process.process()
    }

    /// Ends it in order.
    pub(super) fn stop(&mut self) -> Result<Told> {
        Ok(serde_json::from_str(&self.process.stop()?)?)
    }
}

/// What is echoed: the fields of a verification, as a program would read them without asking more.
#[derive(Serialize, Deserialize)]
struct Echo {
    key: String,
    project: String,
    environment: String,
    ip: String,
    method: String,
    path: String,
    permissions: String,
    #[serde(default)]
    filler: String,
}

async fn echo(PathValue(filler): PathValue<usize>, Json(mut sent): Json<Echo>) -> Json<Echo> {
    sent.filler = "-".repeat(filler.min(4_096));
    Json(sent)
}

/// Serves until the standard input ends.
///
/// # Errors
/// When the installation does not open or there is no free port.
pub async fn child(folder: &Path) -> Result<()> {
    let keystead = Installation::embedded(folder).open().await?.keystead;
    let limits =
        configuration::load(&[], []).map_err(|error| anyhow::anyhow!("{error}"))?.configuration.limits;
    let metrics = Metrics::new();
    let app = App { keystead: keystead.clone(), metrics: metrics.clone() };
    let router = routes::router(app).merge(Router::new().route("/echo/{filler}", post(echo)));
    let router = Front::new(&limits, metrics, &mut ChaCha8Rng::seed_from_u64(1)).before(router);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say::result(&listener.local_addr()?.to_string());
    let shutdown = CancellationToken::new();
    let ending = shutdown.clone();
    // A thread of its own, because reading waits; it ends with the process that started this one.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        ending.cancel();
    });
    listen::serve(listener, router, None, &limits, shutdown).await?;
    let all: u64 = keystead.counters().verdicts().map(|(_, count)| count).sum();
    let valid =
        keystead.counters().verdicts().find(|(code, _)| *code == Code::Valid).map_or(0, |(_, count)| count);
    let told = Told { valid, refused: all - valid, usage_dropped: keystead.usage_dropped() };
    keystead.close().await;
    say::result(&serde_json::to_string(&told)?);
    Ok(())
}
