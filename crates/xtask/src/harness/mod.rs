//! `cargo xtask harness`: kills the real server again and again, and checks that nothing was lost.

mod options;

use crate::debian::{self, C_COMPILER, POSTGRESQL};
use crate::process::{cargo, command, run};
use crate::say;
use crate::signals::Signals;
use crate::test::{Cluster, POSTGRES_URL};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use options::{HELP, Options};
use std::ffi::OsString;
use std::process::ExitCode;

/// The programs that are built for it.
const PROGRAMS: [&str; 2] = ["keystead", "keystead-harness"];
/// Set by `.ci/run`. Not `CI`: that has Hypothesis, under schemathesis, try the same inputs each time.
pub(crate) const NOTHING_SKIPPED: &str = "KEYSTEAD_TEST_NOTHING_SKIPPED";

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let Some(options) = Options::parse(arguments)? else {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    };
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    debian::install(if options.postgres { &[C_COMPILER, POSTGRESQL] } else { &[C_COMPILER] }, &signals)?;
    build(&workspace, &signals)?;
    if options.sqlite {
        on_engine(&workspace, None, &options.arguments, &signals)?;
    }
    if options.postgres {
        let cluster = Cluster::start()?;
        on_engine(&workspace, Some(cluster.url()), &options.arguments, &signals)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What CI runs, on both engines: some rounds, the damages that must be found, and the faults.
pub(crate) fn in_test(workspace: &Workspace, postgres: &str, signals: &Signals) -> Result<()> {
    build(workspace, signals)?;
    for url in [None, Some(postgres)] {
        on_engine(workspace, url, &["--rounds".into(), "50".into()], signals)?;
        on_engine(workspace, url, &["--self-test".into()], signals)?;
    }
    on_engine(workspace, Some(postgres), &["--nodes".into()], signals)?;
    // SQLite's last: its disks may be more than this machine allows, and all else has been tried by then.
    let faults = faults(std::env::var_os(NOTHING_SKIPPED).is_some());
    for url in [Some(postgres), None] {
        on_engine(workspace, url, &faults, signals)?;
    }
    Ok(())
}

/// How the faults are asked for: a machine that may not mount disks leaves out what needs them.
fn faults(nothing_skipped: bool) -> Vec<String> {
    let mut arguments = vec!["--faults".to_owned()];
    if !nothing_skipped {
        arguments.push("--may-skip".to_owned());
    }
    arguments
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

    #[test]
    fn nothing_is_skipped_in_ci() {
        assert_eq!(faults(true), ["--faults"]);
        assert_eq!(faults(false), ["--faults", "--may-skip"]);
        let script = include_str!("../../../../.ci/run");
        assert!(script.contains(&format!("\nexport {NOTHING_SKIPPED}=1\n")), "{script}");
    }
}
