//! Programs from PyPI, each pinned with all that it needs, in a folder of its own below the target folder.

use crate::process::{command, run};
use crate::say;
use crate::signals::Signals;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Written last: a folder without it was interrupted. It holds what was installed.
const INSTALLED: &str = "installed.txt";

/// Installs what is asked for, unless it is there; the folder of its programs.
pub(crate) fn install(target: &Path, name: &str, requirements: &str, signals: &Signals) -> Result<PathBuf> {
    let folder = target.join(name);
    let programs = folder.join("bin");
    if fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == requirements) {
        return Ok(programs);
    }
    say::line(&format!("installing {name} from PyPI into the target folder"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(command("python3").args(["-m", "venv"]).arg(&folder), signals)?;
    let listed = folder.join("requirements.txt");
    fs::write(&listed, requirements)?;
    let mut pip = command(programs.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    run(pip.arg(&listed), signals).with_context(|| format!("cannot install {name} from PyPI"))?;
    fs::write(folder.join(INSTALLED), requirements)?;
    Ok(programs)
}
