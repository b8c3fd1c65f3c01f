//! `cargo xtask fuzz`: runs the fuzz targets for as long as asked; fuzz/README.md describes them.

use crate::process::{cargo, run};
use crate::say;
use crate::signals::Signals;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
Fuzzes what strangers send; fuzz/README.md tells what each target holds

Usage: cargo xtask fuzz [TARGET] [--seconds N]

Arguments:
  [TARGET]       token, verify, query, restrictions or endpoints; all when left out

Options:
  --seconds N    How long each target runs, side by side [default: 60]
  -h, --help     Print this";

const PACKAGE: &str = "keystead-fuzz";

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let mut target = None;
    let mut seconds: u64 = 60;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seconds") => seconds = parser.value()?.parse()?,
            Short('h') | Long("help") => {
                say::line(HELP);
                return Ok(ExitCode::SUCCESS);
            }
            Value(name) if target.is_none() => target = Some(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if seconds == 0 {
        bail!("--seconds must be at least 1");
    }
    let workspace = Workspace::load()?;
    if let Some(target) = &target
        && !workspace.root.join("fuzz/src").join(format!("{target}.rs")).is_file()
    {
        bail!("there is no fuzz target {target}\n\n{HELP}");
    }
    let mut cargo = cargo(&workspace.root);
    cargo.env("BOLERO_RANDOM_ITERATIONS", u64::MAX.to_string());
    cargo.env("BOLERO_RANDOM_TEST_TIME_MS", seconds.saturating_mul(1_000).to_string());
    cargo.args(["test", "--locked", "--package", PACKAGE]);
    cargo.args(target.map(|target| format!("{target}::")));
    run(&mut cargo, &Signals::take_over()?)?;
    Ok(ExitCode::SUCCESS)
}
