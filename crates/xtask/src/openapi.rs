//! `cargo xtask openapi`: writes the committed OpenAPI document anew from the code.

use crate::process::{capture, cargo};
use crate::say;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::process::{ExitCode, Stdio};

const DOCUMENT: &str = "docs/openapi.json";

/// Runs the command; it takes no arguments.
pub(crate) fn main(arguments: &[OsString]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        bail!("cargo xtask openapi takes no arguments: it writes {DOCUMENT} anew from the code");
    }
    let workspace = Workspace::load()?;
    let mut print = cargo(&workspace.root);
    print.args(["run", "--quiet", "--locked", "-p", "keystead-server", "--example", "openapi"]);
    let document = capture(print.stderr(Stdio::inherit()))?;
    if document.trim().is_empty() {
        bail!("the example openapi of keystead-server printed nothing");
    }
    std::fs::write(workspace.root.join(DOCUMENT), document)
        .with_context(|| format!("cannot write {DOCUMENT}"))?;
    say::line(&format!("wrote {DOCUMENT}"));
    Ok(ExitCode::SUCCESS)
}
