//! wrk, with a script that sends prepared requests and tells what came back.

use crate::pinned::{LOAD_CORE, on_core};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCRIPT: &str = include_str!("wrk.lua");

/// What is sent where.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) lines: Lines,
}

/// A file whose lines are sent in turn.
pub(crate) enum Lines {
    /// Each is a body that the holder of this key posts.
    Bodies(PathBuf, String),
    /// Each is a key that something is got with.
    Keys(PathBuf),
}

/// How much.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) seconds: u64,
    pub(crate) pace: Pace,
}

/// How fast each connection sends.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// At once.
    Full,
    /// It rests after each answer.
    Rest(Duration),
}

/// What wrk saw.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    errors: u64,
}

impl Done {
    /// Requests that were not answered, or not with 2xx.
    pub(crate) fn errors(&self) -> f64 {
        self.errors as f64
    }
}

/// Sends; every request must be answered well.
pub(crate) fn run(target: &Target, load: Load) -> Result<Done> {
    let done = run_lossy(target, load)?;
    ensure!(done.errors == 0, "{} requests failed", done.errors);
    Ok(done)
}

/// Sends; requests may fail.
pub(crate) fn run_lossy(target: &Target, load: Load) -> Result<Done> {
    let mut script = tempfile::NamedTempFile::new()?;
    script.write_all(SCRIPT.as_bytes())?;
    let rest = match load.pace {
        Pace::Full => 0,
        Pace::Rest(rest) => rest.as_millis(),
    };
    let (lines, asker) = match &target.lines {
        Lines::Bodies(file, asker) => (file, Some(asker)),
        Lines::Keys(file) => (file, None),
    };
    let output = on_core(LOAD_CORE, Path::new("wrk"))
        .args(["--threads", "1", "--timeout", "10s"])
        .args(["--connections", &load.connections.to_string()])
        .args(["--duration", &format!("{}s", load.seconds)])
        .arg("--script")
        .arg(script.path())
        .arg(format!("http://{}/", target.address))
        .env("BENCH_PATH", &target.path)
        .env("BENCH_LINES", lines)
        .envs(asker.map(|asker| ("BENCH_KEY", asker)))
        .env("BENCH_REST_MS", rest.to_string())
        .output()
        .context("cannot start taskset and wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk failed: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(serde_json::from_str(line)?)
}

/// Latencies, and at which share of the full load.
pub(crate) struct Half {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) share: f64,
}

/// wrk has no rate: each connection rests between requests, and their number is set by trial. `begins` is called before
/// what is measured.
pub(crate) fn at_half_load(target: &Target, full: f64, begins: impl FnOnce() -> Result<()>) -> Result<Half> {
    const REST: Duration = Duration::from_millis(4);
    let mut connections = (full / 2.0 * (REST.as_secs_f64() + 0.0006)).round();
    let mut load = |seconds| {
        let whole = format!("{connections:.0}").parse::<u32>().unwrap_or(1).clamp(2, 4_000);
        let load = Load { connections: whole, seconds, pace: Pace::Rest(REST) };
        let done = run(target, load)?;
        connections *= full / 2.0 / done.per_second;
        Ok::<_, anyhow::Error>(done)
    };
    load(2)?;
    load(2)?;
    begins()?;
    let done = load(5)?;
    Ok(Half { p50_us: done.p50_us, p99_us: done.p99_us, share: done.per_second / full })
}
