//! `cargo xtask harness`: kills the real server again and again, and checks that nothing was lost.

use crate::debian::{self, C_COMPILER, POSTGRESQL};
use crate::process::{cargo, command, run};
use crate::say;
use crate::signals::Signals;
use crate::test::{Cluster, POSTGRES_URL};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
Kills the real server at random moments and checks that nothing acknowledged is lost, nothing revoked
lives, no credit is spent twice, and the audit tells what happened

Usage: cargo xtask harness [OPTIONS]

Options:
  --rounds N       How many times to kill it, on each engine [default: 1000]
  --engine ENGINE  sqlite, postgres or both [default: both]
  --nodes          Try several servers on one PostgreSQL database instead
  --old PROGRAM    With --nodes: a server of an earlier version beside this one, as in an upgrade
  --faults         Try a full disk, a read-only one and a slow database instead; needs root
  --seed N         Choose as an earlier run did; else the seed is drawn, and printed
  -h, --help       Print this

Examples:
  cargo xtask harness
  cargo xtask harness --rounds 100 --engine sqlite --seed 42";

/// The programs that are built for it.
const PROGRAMS: [&str; 2] = ["keystead", "keystead-harness"];

struct Options {
    rounds: u64,
    sqlite: bool,
    postgres: bool,
    seed: Option<u64>,
    faults: bool,
    nodes: bool,
    old: Option<String>,
}

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let Some(options) = parse(arguments)? else {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    };
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    debian::install(if options.postgres { &[C_COMPILER, POSTGRESQL] } else { &[C_COMPILER] }, &signals)?;
    build(&workspace, &signals)?;
    let mut arguments = vec!["--rounds".to_owned(), options.rounds.to_string()];
    for (chosen, argument) in [(options.faults, "--faults"), (options.nodes, "--nodes")] {
        if chosen {
            arguments.push(argument.to_owned());
        }
    }
    if let Some(old) = &options.old {
        arguments.extend(["--old".to_owned(), old.clone()]);
    }
    if let Some(seed) = options.seed {
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if options.sqlite {
        on_engine(&workspace, None, &arguments, &signals)?;
    }
    if options.postgres {
        let cluster = Cluster::start()?;
        on_engine(&workspace, Some(cluster.url()), &arguments, &signals)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What CI runs, on both engines: some rounds, the damages that must be found, and the faults.
pub(crate) fn in_test(workspace: &Workspace, postgres: &str, signals: &Signals) -> Result<()> {
    build(workspace, signals)?;
    for url in [None, Some(postgres)] {
        on_engine(workspace, url, &["--rounds".into(), "50".into()], signals)?;
        on_engine(workspace, url, &["--self-test".into()], signals)?;
        on_engine(workspace, url, &["--faults".into()], signals)?;
    }
    on_engine(workspace, Some(postgres), &["--nodes".into()], signals)?;
    Ok(())
}

fn parse(arguments: Vec<OsString>) -> Result<Option<Options>> {
    let mut options = Options {
        rounds: 1_000,
        sqlite: true,
        postgres: true,
        seed: None,
        faults: false,
        nodes: false,
        old: None,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => options.rounds = parser.value()?.parse()?,
            Long("faults") => options.faults = true,
            Long("old") => options.old = Some(parser.value()?.string()?),
            Long("nodes") => (options.nodes, options.sqlite) = (true, false),
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("engine") => {
                (options.sqlite, options.postgres) = match parser.value()?.string()?.as_str() {
                    "sqlite" => (true, false),
                    "postgres" => (false, true),
                    "both" => (true, true),
                    other => bail!("{other} is no engine; there are sqlite, postgres and both"),
                }
            }
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.rounds == 0 {
        bail!("--rounds must be at least 1");
    }
    Ok(Some(options))
}

/// Builds as the tests are built, so that what they built is used again.
fn build(workspace: &Workspace, signals: &Signals) -> Result<()> {
    let mut cargo = cargo(&workspace.root);
    cargo.args(["build", "--workspace", "--locked", "--features", &workspace.features(None).join(",")]);
    for program in PROGRAMS {
        cargo.args(["--bin", program]);
    }
    run(&mut cargo, signals).context("cannot build the server and its harness")
}

fn on_engine(
    workspace: &Workspace,
    postgres: Option<&str>,
    arguments: &[String],
    signals: &Signals,
) -> Result<()> {
    let [server, harness] = PROGRAMS.map(|program| workspace.debug(program));
    let mut harness = command(harness);
    harness.arg("--keystead").arg(server).args(arguments);
    if let Some(url) = postgres {
        harness.env(POSTGRES_URL, url).arg("--postgres");
    }
    run(&mut harness, signals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines(arguments: &[&str]) -> Option<(bool, bool)> {
        let options = parse(arguments.iter().map(OsString::from).collect()).ok()??;
        Some((options.sqlite, options.postgres))
    }

    #[test]
    fn both_engines_unless_one_is_named() {
        assert_eq!(engines(&[]), Some((true, true)));
        assert_eq!(engines(&["--engine", "sqlite"]), Some((true, false)));
        assert_eq!(engines(&["--engine", "postgres"]), Some((false, true)));
        assert_eq!(engines(&["--engine", "mysql"]), None);
    }
}
