//! wrk, with a script that sends prepared requests and tells what came back.

use super::server::{LOAD_CORE, Server};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const SCRIPT: &str = include_str!("load.lua");

/// What is sent where.
pub(super) struct Target {
    pub(super) path: String,
    pub(super) asker: String,
    pub(super) bodies: PathBuf,
}

/// How much.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: u32,
    pub(super) seconds: u64,
    pub(super) pace: Pace,
}

/// How fast each connection sends.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// At once.
    Full,
    /// It rests after each answer.
    Rest(Duration),
}

/// What wrk saw.
#[derive(Debug, Deserialize)]
pub(super) struct Done {
    pub(super) requests: f64,
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    errors: u64,
}

impl Done {
    /// Requests that were not answered, or not with 2xx.
    pub(super) fn errors(&self) -> f64 {
        self.errors as f64
    }
}

/// Sends; every request must be answered well.
pub(super) fn run(server: &Server, target: &Target, load: Load) -> Result<Done> {
    let done = run_lossy(server, target, load)?;
    ensure!(done.errors == 0, "{} requests failed", done.errors);
    Ok(done)
}

/// Sends; requests may fail.
pub(super) fn run_lossy(server: &Server, target: &Target, load: Load) -> Result<Done> {
    let mut script = tempfile::NamedTempFile::new()?;
    script.write_all(SCRIPT.as_bytes())?;
    let rest = match load.pace {
        Pace::Full => 0,
        Pace::Rest(rest) => rest.as_millis(),
    };
    let output = Command::new("taskset")
        .args(["--cpu-list", LOAD_CORE, "wrk", "--threads", "1", "--timeout", "10s"])
        .args(["--connections", &load.connections.to_string()])
        .args(["--duration", &format!("{}s", load.seconds)])
        .arg("--script")
        .arg(script.path())
        .arg(format!("http://{}/", server.address()))
        .env("BENCH_PATH", &target.path)
        .env("BENCH_KEY", &target.asker)
        .env("BENCH_BODIES", &target.bodies)
        .env("BENCH_REST_MS", rest.to_string())
        .output()
        .context("cannot start taskset and wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk failed: {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(serde_json::from_str(line)?)
}
