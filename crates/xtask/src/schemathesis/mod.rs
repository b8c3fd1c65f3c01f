//! `cargo xtask schemathesis`: sends a real server what its OpenAPI document allows and what it forbids;
//! no answer may be a 5xx, have a status that is not documented, or break its schema.

mod known;

use crate::debian::{self, C_COMPILER, PYTHON};
use crate::demo;
use crate::process::{cargo, command, run, stream};
use crate::pypi;
use crate::say;
use crate::signals::Signals;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
Tests a real server against its OpenAPI document with schemathesis: no 5xx, no undocumented status, no
answer that breaks its schema

Usage: cargo xtask schemathesis [OPTIONS]

Options:
  --minutes N  How long [default: 10]
  --seed N     Generate as an earlier run did; else the seed is drawn, and printed
  -h, --help   Print this

schemathesis is installed from PyPI into the target folder; its version is pinned.

Examples:
  cargo xtask schemathesis
  cargo xtask schemathesis --minutes 1 --seed 7";

/// schemathesis and all that it needs.
const REQUIREMENTS: &str = include_str!("requirements.txt");
const PROGRAMS: [&str; 2] = ["keystead", "keystead-demo"];
/// What CI runs.
const SECONDS_IN_TEST: u64 = 60;
/// A run that tried less, whatever the machine, did not test the document.
const CASES_MIN: u64 = 50;

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let (mut minutes, mut seed) = (10_u64, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => minutes = parser.value()?.parse()?,
            Long("seed") => seed = Some(parser.value()?.parse()?),
            Short('h') | Long("help") => {
                say::line(HELP);
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if minutes == 0 {
        bail!("--minutes must be at least 1");
    }
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    debian::install(&[C_COMPILER, PYTHON], &signals)?;
    against(&workspace, minutes.saturating_mul(60), seed, &signals)?;
    Ok(ExitCode::SUCCESS)
}

/// What CI runs: shorter, and the same each time.
pub(crate) fn in_test(workspace: &Workspace, signals: &Signals) -> Result<()> {
    against(workspace, SECONDS_IN_TEST, Some(1), signals)
}

fn against(workspace: &Workspace, seconds: u64, seed: Option<u64>, signals: &Signals) -> Result<()> {
    build(workspace, signals)?;
    let tool = pypi::install(&workspace.target, "schemathesis", REQUIREMENTS, signals)?.join("schemathesis");
    let data = workspace.target.join("schemathesis-data");
    let mut options = demo::Options {
        // Between letting go of the port and the server's start another program may take it: it then says so.
        listen: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.to_string(),
        data: data.clone(),
        fresh: true,
        programs: workspace.debug(""),
    };
    // A folder that an earlier run left, whatever became of it.
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    demo::prepare(&options)?;
    let mut server = demo::start(&options, signals)?;
    demo::fill(&options, &mut server, signals)?;
    options.fresh = false;
    let known = known::ask(&options)?;
    let config = data.join("schemathesis.toml");
    fs::write(&config, known.config())?;
    fs::write(data.join("hooks.py"), include_str!("hooks.py"))?;
    let cases = tested(&tool, &config, &options.listen, &known, seconds, seed, signals)?;
    ensure!(cases >= CASES_MIN, "only {cases} cases were tried");
    // Once its own key is refused, nothing but refusals is tested.
    known::ask(&options).context("the run's own key does not work any more")?;
    drop(server);
    Ok(fs::remove_dir_all(&data)?)
}

fn build(workspace: &Workspace, signals: &Signals) -> Result<()> {
    let mut cargo = cargo(&workspace.root);
    cargo.args(["build", "--workspace", "--locked", "--features", &workspace.features(None).join(",")]);
    for program in PROGRAMS {
        cargo.args(["--bin", program]);
    }
    run(&mut cargo, signals).context("cannot build the server")
}

/// Runs schemathesis; how many cases it tried.
fn tested(
    tool: &Path,
    config: &Path,
    address: &str,
    known: &known::Known,
    seconds: u64,
    seed: Option<u64>,
    signals: &Signals,
) -> Result<u64> {
    let mut schemathesis = command(tool);
    schemathesis.arg("--config-file").arg(config).arg("run").arg(format!("http://{address}/openapi.json"));
    // One thread: in two, Python 3.11 before 3.11.8 now and then fails to parse (python/cpython#106905), which is an
    // error of nobody's API.
    schemathesis.args(["--max-time", &seconds.to_string(), "--workers", "1", "--no-color"]);
    schemathesis.args(["--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"]);
    if let Some(seed) = seed {
        schemathesis.args(["--seed", &seed.to_string()]);
    }
    if let Some(folder) = config.parent() {
        schemathesis.current_dir(folder);
    }
    schemathesis.env("SCHEMATHESIS_KEY", known.key()).env("SCHEMATHESIS_OWN", known.own());
    schemathesis.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", ".");
    let mut cases = 0;
    stream(&mut schemathesis, signals, |line| {
        if let Some((count, _)) = line.trim().split_once(" generated") {
            cases = count.replace(',', "").parse().unwrap_or(cases);
        }
        say::line(line);
    })?;
    Ok(cases)
}
