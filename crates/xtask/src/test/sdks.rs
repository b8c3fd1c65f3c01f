//! The SDKs that are not Rust: each with its own tools, against the real server.

use crate::debian::{self, C_COMPILER, GO, PYTHON};
use crate::harness::NOTHING_SKIPPED;
use crate::npm;
use crate::process::{capture, cargo, command, run};
use crate::pypi;
use crate::say;
use crate::signals::Signals;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
Tests the SDKs for Python, TypeScript and Go against the real server

Usage: cargo xtask sdks

What each language needs is installed like `cargo xtask test` does, which runs this too.";

/// The variable that tells the tests of SDKs which server to start.
const BINARY: &str = "KEYSTEAD_TEST_BINARY";
/// What Python's tests need, and all that it needs.
const REQUIREMENTS: &str = include_str!("../../../../sdks/python/tests/requirements.txt");

/// What the SDKs are tested with.
struct Sdks<'a> {
    workspace: &'a Workspace,
    /// The server.
    binary: PathBuf,
    signals: &'a Signals,
}

/// Runs the command.
pub(crate) fn main(arguments: &[OsString]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        say::line(HELP);
        let asked = arguments.iter().all(|argument| argument == "--help" || argument == "-h");
        return Ok(if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let workspace = Workspace::load()?;
    let signals = Signals::take_over()?;
    debian::install(&[C_COMPILER], &signals)?;
    test(&workspace, &signals)?;
    Ok(ExitCode::SUCCESS)
}

/// Tests them. One that fails does not keep the others from being tested.
pub(crate) fn test(workspace: &Workspace, signals: &Signals) -> Result<()> {
    build(workspace, signals)?;
    let sdks = Sdks { workspace, binary: workspace.debug("keystead"), signals };
    let mut failed = Vec::new();
    for (name, tested) in [("Python", sdks.python()), ("TypeScript", sdks.typescript()), ("Go", sdks.go())] {
        match tested {
            Ok(true) => say::line(&format!("SDK for {name}: ok")),
            // Said already.
            Ok(false) => {}
            Err(error) => failed.push(format!("{name}: {error:#}")),
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// With the features of every other step, so that nothing is compiled twice.
fn build(workspace: &Workspace, signals: &Signals) -> Result<()> {
    let mut cargo = cargo(&workspace.root);
    cargo.args(["build", "--workspace", "--locked", "--features", &workspace.features(None).join(",")]);
    run(cargo.args(["--bin", "keystead"]), signals).context("cannot build the server")
}

/// Each answers whether it was tested.
impl Sdks<'_> {
    fn python(&self) -> Result<bool> {
        if !self.can("Python", || debian::install(&[PYTHON], self.signals))? {
            return Ok(false);
        }
        let target = &self.workspace.target;
        let programs = pypi::install(target, "sdk-python", REQUIREMENTS, self.signals)?;
        let folder = self.folder("python");
        let mut mypy = self.tool(&programs.join("python"), &folder);
        mypy.args(["-m", "mypy", "--no-error-summary", "--cache-dir"]).arg(target.join("sdk-python-types"));
        run(&mut mypy, self.signals)?;
        run(self.tool(&programs.join("python"), &folder).args(["-B", "-m", "pytest"]), self.signals)?;
        Ok(true)
    }

    fn typescript(&self) -> Result<bool> {
        if !self.can("TypeScript", npm::found)? {
            return Ok(false);
        }
        let folder = self.folder("typescript");
        npm::install_in(&folder, self.signals)?;
        // The scripts of packages do not run, also not before and after ours: what compiles is named.
        let mut npm = self.tool(Path::new("npm"), &folder);
        npm.args(["run", "--silent", "--ignore-scripts", "--loglevel=error", "pretest"]);
        run(&mut npm, self.signals)?;
        let mut node = self.tool(Path::new("node"), &folder);
        run(node.args(["--test", "--test-reporter=dot", "build/tests/"]), self.signals)?;
        Ok(true)
    }

    fn go(&self) -> Result<bool> {
        if !self.can("Go", || debian::install(&[GO], self.signals))? {
            return Ok(false);
        }
        let folder = self.folder("go");
        let unformatted = capture(self.tool(Path::new("gofmt"), &folder).args(["-l", "."]))?;
        ensure!(unformatted.is_empty(), "`gofmt -w` mends {}", unformatted.trim().replace('\n', ", "));
        for arguments in [&["vet", "./..."][..], &["test", "-count=1", "./..."][..]] {
            let mut go = self.tool(Path::new("go"), &folder);
            // It needs nothing that would have to be fetched, so it must not.
            go.env("GOPROXY", "off").env("GOFLAGS", "-mod=mod").env("GOTOOLCHAIN", "local");
            go.env("GOCACHE", self.workspace.target.join("sdk-go-cache"));
            run(go.args(arguments), self.signals)?;
        }
        Ok(true)
    }

    /// Whether a language is here; where it cannot be had its SDK is not tested, unless nothing may be skipped.
    fn can(&self, name: &str, have: impl FnOnce() -> Result<()>) -> Result<bool> {
        if self.signals.asked_to_stop() {
            bail!("interrupted");
        }
        match have() {
            Ok(()) => Ok(true),
            Err(error) if std::env::var_os(NOTHING_SKIPPED).is_none() => {
                say::line(&format!("not run: the SDK for {name}: {error:#}"));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.workspace.root.join("sdks").join(name)
    }

    fn tool(&self, program: &Path, folder: &Path) -> Command {
        let mut tool = command(program);
        tool.current_dir(folder).env(BINARY, &self.binary);
        tool
    }
}
