//! `cargo xtask test`: everything that CI runs, in steps that each say how they went.

mod banned;
mod cluster;
mod options;
pub(crate) mod sdks;
pub(crate) mod steps;
mod tally;

pub(crate) use cluster::Cluster;
pub(crate) use steps::POSTGRES_URL;

use crate::say::{self, Stopwatch, duration};
use crate::signals::Signals;
use crate::workspace::Workspace;
use crate::{harness, schemathesis};
use anyhow::{Result, bail};
use options::{HELP, Options};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;
use tally::Tally;

/// How one step went.
struct Ended {
    name: &'static str,
    elapsed: Duration,
    /// Why it failed, if it did.
    failure: Option<String>,
}

/// The steps so far.
struct Run<'a> {
    signals: &'a Signals,
    ended: Vec<Ended>,
}

impl Run<'_> {
    /// Runs a step and remembers how it went. A failed step does not end the run, so that one run
    /// tells all that is wrong.
    fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        if self.signals.asked_to_stop() {
            return None;
        }
        say::step(name);
        let watch = Stopwatch::start();
        let outcome = work();
        let elapsed = watch.elapsed();
        let (value, failure) = match outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        match &failure {
            None => say::line(&format!("<== {name}: done in {}", duration(elapsed))),
            Some(why) => say::line(&format!("<== {name}: FAILED after {}: {why}", duration(elapsed))),
        }
        self.ended.push(Ended { name, elapsed, failure });
        value
    }
}

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    if options.help {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::load()?;
    check_package(&workspace, &options)?;
    let signals = Signals::take_over()?;
    let whole = Stopwatch::start();
    let mut run = Run { signals: &signals, ended: Vec::new() };
    let tally = all_steps(&workspace, &options, &mut run);
    let failed = summary(&run, &tally, &options, whole.elapsed());
    if signals.asked_to_stop() {
        bail!("interrupted");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn check_package(workspace: &Workspace, options: &Options) -> Result<()> {
    let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    match &options.package {
        Some(package) if !names.contains(&package.as_str()) => {
            bail!("there is no package {package}; there are {}", names.join(", "))
        }
        _ => Ok(()),
    }
}

fn all_steps(workspace: &Workspace, options: &Options, run: &mut Run<'_>) -> Tally {
    let signals = run.signals;
    if run.step("what tests need", || steps::install(signals)).is_none() {
        return Tally::default();
    }
    if options.lint {
        run.step("format", || steps::format(workspace, signals));
        run.step("lints", || steps::lints(workspace, options, signals));
    }
    let Some(programs) = run.step("building the tests", || steps::build(workspace, options, signals)) else {
        return Tally::default();
    };
    let mut tally = Tally::new(programs);
    let others = steps::Others {
        mail_server: run.step("a mail server for the tests", || steps::mail_server(workspace, signals)),
        identity_provider: run
            .step("an OpenID Connect provider", || steps::identity_provider(workspace, signals)),
        chromedriver: run.step("a browser for the tests", || steps::browser(signals)).flatten(),
        proxies: run.step("proxies for the tests", || steps::proxies(workspace, signals)).flatten(),
    };
    // The cluster is gone when this block ends, before the summary.
    if let Some(cluster) = run.step("a throw-away PostgreSQL", Cluster::start) {
        run.step("tests", || steps::tests(workspace, options, cluster.url(), &others, &mut tally, signals));
        if options.is_whole() {
            run.step("killed again and again", || harness::in_test(workspace, cluster.url(), signals));
            run.step("the OpenAPI document", || schemathesis::in_test(workspace, signals));
        }
    }
    if options.is_whole() {
        run.step("SDKs: Python, TypeScript, Go", || sdks::test(workspace, signals));
    }
    if options.filter.is_none() && modelled(workspace, options) {
        run.step("model checks (loom)", || steps::model_checks(workspace, &mut tally, signals));
    }
    if options.lint {
        run.step("banned dependencies", || banned::check(workspace));
        run.step("dependencies", || steps::dependencies(workspace, signals));
    }
    tally
}

fn modelled(workspace: &Workspace, options: &Options) -> bool {
    workspace.modelled().any(|package| options.package.as_ref().is_none_or(|only| *only == package.name))
}

/// Prints the summary, its last line in the form that machines read; answers whether anything failed.
fn summary(run: &Run<'_>, tally: &Tally, options: &Options, elapsed: Duration) -> bool {
    say::step("summary");
    for (package, counts) in tally.packages() {
        say::line(&format!("{package:<24} {counts}"));
    }
    for (engine, counts) in tally.engines() {
        say::line(&format!("on {engine:<21} {counts}"));
    }
    for step in &run.ended {
        say::line(&format!("{:<24} {}", step.name, duration(step.elapsed)));
    }
    say::line(&format!("{:<24} {}", "in all", duration(elapsed)));
    let mut failures: Vec<String> = run
        .ended
        .iter()
        .filter_map(|step| Some(format!("{}: {}", step.name, step.failure.as_ref()?)))
        .collect();
    failures.extend(tally.failures().iter().map(|test| format!("test {test}")));
    if let Err(missing) = enough_ran(tally, options) {
        failures.push(missing.to_string());
    }
    for failure in &failures {
        say::line(&format!("FAILED {failure}"));
    }
    say::line(&tally.total().to_string());
    !failures.is_empty() || tally.total().failed > 0
}

/// A run that tested nothing, or only one engine, must not look like success.
fn enough_ran(tally: &Tally, options: &Options) -> Result<()> {
    if tally.total().ran() == 0 {
        bail!("no test ran");
    }
    if options.is_whole() {
        let idle = tally.engines().find(|(_, counts)| counts.ran() == 0);
        return idle
            .map_or(Ok(()), |(engine, _)| Err(engine))
            .map_err(|engine| anyhow::anyhow!("no test with `{engine}::` in its name ran"));
    }
    Ok(())
}
