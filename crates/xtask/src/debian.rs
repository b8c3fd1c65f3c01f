//! What the chores need from the system, installed from Debian's packages when this program may.

use crate::process::{capture, command, run, uid, works};
use crate::say;
use crate::signals::Signals;
use anyhow::{Context, Result, bail};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program and the Debian packages it is in.
pub(crate) struct Needed {
    /// What it is, for people.
    pub(crate) what: &'static str,
    /// Debian's packages.
    pub(crate) packages: &'static [&'static str],
    /// Whether it is here.
    pub(crate) found: fn() -> bool,
}

/// A C compiler with the headers that SQLite and aws-lc want.
pub(crate) const C_COMPILER: Needed = Needed {
    what: "a C compiler (cc)",
    packages: &["gcc", "libc6-dev"],
    found: || on_path("cc") && Path::new("/usr/include/stdio.h").exists() || cfg!(not(target_os = "linux")),
};

/// The PostgreSQL server.
pub(crate) const POSTGRESQL: Needed = Needed {
    what: "the PostgreSQL server",
    packages: &["postgresql"],
    found: || postgres_programs().is_some(),
};

/// Python with virtual environments.
pub(crate) const PYTHON: Needed = Needed {
    what: "Python 3 with venv",
    packages: &["python3", "python3-venv"],
    found: || works(command("python3").args(["-c", "import venv, ensurepip"])),
};

/// A browser, and what speaks to it for tests.
pub(crate) const CHROMIUM: Needed = Needed {
    what: "Chromium with chromedriver",
    packages: &["chromium", "chromium-driver"],
    found: || chromedriver().is_some(),
};

/// Go, with its formatter.
pub(crate) const GO: Needed = Needed {
    what: "Go 1.19 or newer",
    packages: &["golang-go"],
    found: || on_path("go") && on_path("gofmt"),
};

/// nginx, which guards an API in tests.
pub(crate) const NGINX: Needed =
    Needed { what: "nginx", packages: &["nginx-light"], found: || on_path("nginx") };

/// HAProxy, which guards an API in tests.
pub(crate) const HAPROXY: Needed =
    Needed { what: "HAProxy", packages: &["haproxy"], found: || on_path("haproxy") };

/// The HTTP load generator.
pub(crate) const WRK: Needed =
    Needed { what: "the load generator wrk", packages: &["wrk"], found: || on_path("wrk") };

/// What Debian asks before a package starts a server (deb-systemd-invoke, invoke-rc.d): 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Whether new PostgreSQL packages make and start a cluster of their own, by Debian's default.
const CREATE_CLUSTER: &str = "/etc/postgresql-common/createcluster.conf";

/// Installs what is missing.
///
/// # Errors
/// When something is missing and this program may not install it (the error says what to type), or
/// the installation fails.
pub(crate) fn install(needed: &[Needed], signals: &Signals) -> Result<()> {
    let missing: Vec<&Needed> = needed.iter().filter(|needed| !(needed.found)()).collect();
    if missing.is_empty() {
        say::line("everything is here");
        return Ok(());
    }
    let what = missing.iter().map(|needed| needed.what).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|needed| needed.packages).copied().collect();
    if !on_path("apt-get") || uid()? != 0 {
        bail!(
            "missing: {what}. On Debian or Ubuntu type `sudo apt-get install {}`; elsewhere install \
             it with your system's packages, and see that it is on PATH",
            packages.join(" ")
        );
    }
    say::line(&format!("missing: {what}; installing {}", packages.join(" ")));
    want_no_cluster()?;
    let _servers = StartsNoServers::from_now_on()?;
    run(apt_get().arg("update"), signals).context("cannot read Debian's package lists")?;
    run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(&packages), signals)?;
    match missing.iter().find(|needed| !(needed.found)()) {
        None => Ok(()),
        Some(needed) => {
            bail!("{} is still not found after installing {}", needed.what, needed.packages.join(" "))
        }
    }
}

/// Where `initdb`, `pg_ctl` and `postgres` are: on the path, or where Debian puts the newest.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let complete =
        |dir: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| dir.join(name).is_file());
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, dir)| dir).chain(path_folders()).find(complete)
}

/// Where `chromedriver` is, beside a Chromium.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    let here = |name: &'static str| path_folders().map(move |dir| dir.join(name)).find(|path| path.is_file());
    here("chromium")?;
    here("chromedriver")
}

fn apt_get() -> std::process::Command {
    let mut apt_get = command("apt-get");
    apt_get.env("DEBIAN_FRONTEND", "noninteractive").env("UCF_FORCE_CONFFOLD", "1").arg("-q");
    apt_get
}

/// Tests start their own throw-away cluster; a server that nobody asked for must not be left running.
/// A machine that has PostgreSQL's packages already has an administrator's choice, which stays.
fn want_no_cluster() -> Result<()> {
    let path = Path::new(CREATE_CLUSTER);
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, "create_main_cluster = false\n").with_context(|| format!("cannot write {CREATE_CLUSTER}"))
}

/// Tests start servers of their own; those of packages that are installed meanwhile stay off, unless this machine's
/// administrator has a policy of theirs.
struct StartsNoServers {
    is_ours: bool,
}

impl StartsNoServers {
    fn from_now_on() -> Result<Self> {
        let is_ours = !Path::new(POLICY).exists();
        if is_ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for StartsNoServers {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

fn on_path(program: &str) -> bool {
    path_folders().any(|folder| folder.join(program).is_file())
}

fn path_folders() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

/// The user and group ids of a user of this system.
pub(crate) fn user(name: &str) -> Result<(u32, u32)> {
    let id = |flag: &str| -> Result<u32> { Ok(capture(command("id").args([flag, name]))?.trim().parse()?) };
    Ok((id("-u")?, id("-g")?))
}
