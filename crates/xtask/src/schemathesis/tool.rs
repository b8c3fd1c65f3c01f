//! schemathesis itself: from PyPI, pinned with all that it needs, in the target folder.

use crate::process::{command, run};
use crate::say;
use crate::signals::Signals;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const REQUIREMENTS: &str = include_str!("requirements.txt");
/// Written last: a folder without it was interrupted. It holds what was installed.
const INSTALLED: &str = "installed.txt";

/// Installs it, unless it is there; where it is.
pub(super) fn install(target: &Path, signals: &Signals) -> Result<PathBuf> {
    let folder = target.join("schemathesis");
    let program = folder.join("bin/schemathesis");
    if fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(program);
    }
    say::line("installing schemathesis from PyPI into the target folder");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(command("python3").args(["-m", "venv"]).arg(&folder), signals)?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    let mut pip = command(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    run(pip.arg(&requirements), signals).context("cannot install schemathesis from PyPI")?;
    fs::write(folder.join(INSTALLED), REQUIREMENTS)?;
    Ok(program)
}
