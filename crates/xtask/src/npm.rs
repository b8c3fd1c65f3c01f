//! Programs from the npm registry, pinned by a lock file, in a folder of their own below the target folder.

use crate::process::{command, run, works};
use crate::say;
use crate::signals::Signals;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Written last: a folder without it was interrupted. It holds the lock file of what was installed.
const INSTALLED: &str = "installed.json";

/// Installs what a lock file pins, unless it is there; the folder that holds `node_modules`. Nothing of it runs while
/// it is installed.
pub(crate) fn install(
    target: &Path,
    name: &str,
    (package, lock): (&str, &str),
    signals: &Signals,
) -> Result<PathBuf> {
    let folder = target.join(name);
    if fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    found()?;
    say::line(&format!("installing {name} from npm into the target folder"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), package)?;
    fs::write(folder.join("package-lock.json"), lock)?;
    clean_install(&folder, signals).with_context(|| format!("cannot install {name} from npm"))?;
    fs::write(folder.join(INSTALLED), lock)?;
    Ok(folder)
}

/// Installs what the lock file of a package of this repository pins into its `node_modules`, unless it is there.
pub(crate) fn install_in(folder: &Path, signals: &Signals) -> Result<()> {
    let lock = fs::read_to_string(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules").join(INSTALLED);
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say::line(&format!("installing from npm into {}", folder.display()));
    clean_install(folder, signals).context("cannot install from npm")?;
    Ok(fs::write(installed, lock)?)
}

/// Whether Node.js is here.
pub(crate) fn found() -> Result<()> {
    for program in ["node", "npm"] {
        if !works(command(program).arg("--version")) {
            bail!("{program} is missing: install Node.js 20 or newer");
        }
    }
    Ok(())
}

fn clean_install(folder: &Path, signals: &Signals) -> Result<()> {
    let mut npm = command("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(&mut npm, signals)
}
