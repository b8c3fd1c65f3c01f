//! `cargo xtask fuzz`: runs the fuzz targets for as long as asked; fuzz/README.md describes them.

use crate::process::{cargo, run, stream};
use crate::say::{self, Stopwatch, duration};
use crate::signals::Signals;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::Duration;

const HELP: &str = "\
Fuzzes what strangers send; fuzz/README.md tells what each target holds

Usage: cargo xtask fuzz [TARGET] [--seconds N]

Arguments:
  [TARGET]       token, verify, query, restrictions, endpoints or passkeys; all when left out

Options:
  --seconds N    How long, the targets side by side [default: 60]. It goes in rounds of 20,000 new
                 inputs for each target, and ends the round that it is in
  -h, --help     Print this";

const PACKAGE: &str = "keystead-fuzz";
const TARGETS: [&str; 6] = ["token", "verify", "query", "restrictions", "endpoints", "passkeys"];
/// What fuzz/src/mutation.rs reads: the inputs of each target in one run.
const INPUTS_VARIABLE: &str = "PROPTEST_CASES";
/// Inputs of each target in one round, which takes some seconds.
const ROUND_INPUTS: u64 = 20_000;

/// What is fuzzed, and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    target: Option<String>,
    time: Duration,
}

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let Some(options) = parse(arguments)? else {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    };
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    run(test(&workspace).arg("--no-run"), &signals)?;
    let watch = Stopwatch::start();
    let rounds = rounds(options.time, || watch.elapsed(), || round(&workspace, &options, &signals))?;
    let inputs = rounds * ROUND_INPUTS;
    let which = options.target.as_deref().unwrap_or("each target");
    say::line(&format!("{inputs} inputs of {which} in {}: all held", duration(watch.elapsed())));
    Ok(ExitCode::SUCCESS)
}

/// The options; `None` when help was asked for.
fn parse(arguments: Vec<OsString>) -> Result<Option<Options>> {
    let (mut target, mut seconds) = (None, 60);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seconds") => seconds = parser.value()?.parse()?,
            Short('h') | Long("help") => return Ok(None),
            Value(name) if target.is_none() => target = Some(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if seconds == 0 {
        bail!("--seconds must be at least 1");
    }
    match target {
        Some(target) if !TARGETS.contains(&target.as_str()) => {
            bail!("there is no fuzz target {target}\n\n{HELP}")
        }
        target => Ok(Some(Options { target, time: Duration::from_secs(seconds) })),
    }
}

/// Begins rounds until the time is up; answers how many there were.
fn rounds(
    time: Duration,
    elapsed: impl Fn() -> Duration,
    mut round: impl FnMut() -> Result<()>,
) -> Result<u64> {
    let mut count = 0;
    while elapsed() < time {
        round()?;
        count += 1;
    }
    Ok(count)
}

/// One run of the targets, on inputs that proptest draws anew. It is told of only when one fails.
fn round(workspace: &Workspace, options: &Options, signals: &Signals) -> Result<()> {
    let mut test = test(workspace);
    test.env(INPUTS_VARIABLE, ROUND_INPUTS.to_string());
    test.args(options.target.as_ref().map(|target| format!("{target}::")));
    let mut said = Vec::new();
    let ended = stream(&mut test, signals, |line| said.push(line.to_owned()));
    if ended.is_err() {
        said.iter().for_each(|line| say::line(line));
    }
    ended
}

fn test(workspace: &Workspace) -> Command {
    let mut cargo = cargo(&workspace.root);
    cargo.args(["test", "--locked", "--package", PACKAGE]);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn parsed(arguments: &[&str]) -> Result<Option<Options>> {
        parse(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn rounds_go_on_until_the_time_is_up() {
        let clock = Cell::new(0);
        let round = || {
            clock.set(clock.get() + 3);
            Ok(())
        };
        let elapsed = || Duration::from_secs(clock.get());
        assert_eq!(rounds(Duration::from_secs(10), elapsed, round).unwrap(), 4);
        assert!(rounds(Duration::from_secs(99), elapsed, || bail!("an input does not hold")).is_err());
    }

    #[test]
    fn the_targets_read_what_they_are_told() {
        let read = format!("var_os(\"{INPUTS_VARIABLE}\")");
        assert!(include_str!("../../../fuzz/src/mutation.rs").contains(&read));
    }

    #[test]
    fn every_target_is_known_and_no_other_file() {
        let modules = include_str!("../../../fuzz/src/lib.rs").lines().filter_map(|line| {
            line.strip_prefix("mod ")?.strip_suffix(';').filter(|name| *name != "mutation")
        });
        let (mut modules, mut targets) = (modules.collect::<Vec<_>>(), TARGETS.to_vec());
        modules.sort_unstable();
        targets.sort_unstable();
        assert_eq!(modules, targets);
        assert!(TARGETS.iter().all(|target| parsed(&[target]).is_ok()));
        assert!(parsed(&["mutation"]).is_err() && parsed(&["--seconds", "0"]).is_err());
    }
}
