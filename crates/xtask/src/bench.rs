//! `cargo xtask bench`: builds the benchmarks in release and becomes them.

use crate::debian::{self, WRK};
use crate::process::{cargo, run};
use crate::signals::Signals;
use crate::test::steps::{self, PROXIES};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Runs the command; every argument is the benchmarks' own.
pub(crate) fn main(arguments: &[OsString]) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    if !(WRK.found)() {
        debian::install(&[WRK], &signals)?;
    }
    let mut bench = Command::new(workspace.release("keystead-bench"));
    if arguments.first().is_some_and(|command| command == "guard") {
        bench.env(PROXIES, steps::install_proxies(&workspace, &signals)?);
    }
    run(cargo(&workspace.root).args(["build", "--release", "--locked", "-p", "keystead-bench"]), &signals)?;
    // Returns only when it could not start.
    let error = bench.args(arguments).current_dir(&workspace.root).exec();
    Err(error).context("cannot start keystead-bench")
}
