//! The server that is measured, in a process of its own on a core of its own: Keystead's API with the doors for other
//! proxies, and our own proxy, whose decisions are timed.

use crate::installation::Installation;
use crate::measure::instant;
use crate::say;
use anyhow::{Context, Result, anyhow};
use keystead_proxy::{Decide, Judge, Plan, Proxy};
use keystead_server::configuration::{self, Loaded};
use keystead_server::front::Front;
use keystead_server::metrics::Metrics;
use keystead_server::own_place::OwnPlace;
use keystead_server::request_id::RequestIds;
use keystead_server::state::App;
use keystead_server::{listen, own_guard, routes};
use keystead_service::Keystead;
use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The hidden command that serves.
pub const COMMAND: &str = "guard-child";
/// Decisions that are remembered; later ones are not.
const TIMES_MAX: usize = 1_000_000;

/// What decisions took.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Took {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// Nanoseconds of each decision, from when that is asked for on: before, nothing is to pay for it.
#[derive(Default)]
struct Times {
    asked: AtomicBool,
    nanos: Mutex<Vec<u32>>,
}

/// Serves until the standard input ends; on its lines `forget` and `tell`, what decisions took is forgotten or told.
///
/// # Errors
/// When the installation does not open, or the configuration is wrong.
pub async fn child(folder: &Path) -> Result<()> {
    let keystead = Installation::embedded(folder).open().await?.keystead;
    let file = folder.join("keystead.toml").display().to_string();
    let loaded = configuration::load(&[("config".into(), file)], []).map_err(|error| anyhow!("{error}"))?;
    let (shutdown, mut serving) = (CancellationToken::new(), JoinSet::new());
    api(&keystead, &loaded, &mut serving, &shutdown).await?;
    let times = Arc::new(Times::default());
    // Its pages are touched, so that the process does not grow by them while it is measured.
    times.nanos.lock().resize(TIMES_MAX, 1);
    times.nanos.lock().clear();
    let ids = Arc::new(RequestIds::new(&mut ChaCha8Rng::seed_from_u64(2)));
    for guard in &loaded.guards {
        let Judge { decide, still } = own_guard::decide(&keystead, &guard.whose, &ids);
        let judge = Judge { decide: timed(decide, &times), still };
        let plan = Plan::new(guard.proxy.clone(), None).map_err(|error| anyhow!("{error}"))?;
        let proxy = Proxy::new(plan, judge);
        let listener = TcpListener::bind(guard.listen).await?;
        say::result(&listener.local_addr()?.to_string());
        let shutdown = shutdown.clone();
        serving.spawn(async move { Ok(keystead_proxy::serve(listener, proxy, shutdown).await?) });
    }
    tokio::task::spawn_blocking(move || answer(&times)).await??;
    shutdown.cancel();
    while let Some(served) = serving.join_next().await {
        served??;
    }
    keystead.close().await;
    Ok(())
}

/// Keystead's API, and the sockets of its doors.
async fn api(
    keystead: &Arc<Keystead>,
    loaded: &Loaded,
    serving: &mut JoinSet<Result<()>>,
    shutdown: &CancellationToken,
) -> Result<()> {
    let (metrics, limits) = (Metrics::new(), loaded.configuration.limits.clone());
    let app = App { keystead: Arc::clone(keystead), metrics: Arc::clone(&metrics) };
    let front = Front::new(&limits, metrics, &mut ChaCha8Rng::seed_from_u64(1));
    for door in &loaded.doors {
        let listener = UnixListener::bind(&door.socket)?;
        let place = Arc::new(OwnPlace::new(keystead, door.whose.clone()));
        let router = Arc::clone(&front).before(routes::doors(app.clone()));
        let (limits, shutdown) = (limits.clone(), shutdown.clone());
        serving
            .spawn(async move { Ok(listen::serve_door(listener, router, place, &limits, shutdown).await?) });
    }
    let router = front.before(routes::router(app));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say::result(&listener.local_addr()?.to_string());
    let shutdown = shutdown.clone();
    serving.spawn(async move { Ok(listen::serve(listener, router, None, &limits, shutdown).await?) });
    Ok(())
}

fn timed(decide: Decide, times: &Arc<Times>) -> Decide {
    let times = Arc::clone(times);
    Arc::new(move |parts, peer| {
        if !times.asked.load(Relaxed) {
            return decide(parts, peer);
        }
        let times = Arc::clone(&times);
        let begun = instant();
        let decision = decide(parts, peer);
        Box::pin(async move {
            let answer = decision.await;
            let took = u32::try_from(begun.elapsed().as_nanos()).unwrap_or(u32::MAX);
            let mut times = times.nanos.lock();
            if times.len() < TIMES_MAX {
                times.push(took);
            }
            answer
        })
    })
}

fn answer(times: &Times) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "forget" => {
                times.nanos.lock().clear();
                times.asked.store(true, Relaxed);
            }
            "tell" => say::result(&serde_json::to_string(&told(times.nanos.lock().clone())?)?),
            other => return Err(anyhow!("there is no command {other}")),
        }
    }
    Ok(())
}

fn told(mut times: Vec<u32>) -> Result<Took> {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).map(|nanos| f64::from(*nanos) / 1e3);
    let none = "nothing was decided";
    Ok(Took { p50_us: at(50).context(none)?, p99_us: at(99).context(none)? })
}
