//! A throw-away PostgreSQL cluster that keeps its promises: unlike the tests' own, it syncs.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running cluster; dropping it stops it and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    runs_as: Option<(u32, u32)>,
    url: String,
}

impl Cluster {
    /// Makes and starts one on a free port, on disk.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        let programs = programs().context("the PostgreSQL server is not installed")?;
        // Where temporary files are on disk, and the user that runs the server may go.
        let folder = tempfile::Builder::new().prefix("keystead-bench-").tempdir_in("/var/tmp")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let is_root = folder.path().metadata()?.uid() == 0;
        // PostgreSQL refuses to run as root.
        let runs_as =
            if is_root { Some(user("postgres").context("there is no user `postgres`")?) } else { None };
        let server = folder.path().join("server");
        fs::create_dir(&server)?;
        if let Some((uid, gid)) = runs_as {
            chown(&server, Some(uid), Some(gid))?;
        }
        let mut cluster = Self { folder, programs, runs_as, url: String::new() };
        cluster.initialize(&server)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=100 \
             -c fsync=on -c synchronous_commit=on -c full_page_writes=on -c logging_collector=off",
            server.display()
        );
        cluster.control(&["--wait", "--timeout=60", "--options", &options, "start"])?;
        cluster.url = format!("postgres://keystead:bench@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }

    /// Where it is, for clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn initialize(&self, server: &Path) -> Result<()> {
        let password = server.join("password");
        fs::write(&password, "bench")?;
        let mut initdb = self.program("initdb");
        initdb.args(["--username=keystead", "--auth-local=reject", "--auth-host=scram-sha-256"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata"]).arg(server.join("data"));
        initdb.arg("--pwfile").arg(&password).stdout(Stdio::null());
        ensure!(initdb.status().context("cannot start initdb")?.success(), "initdb failed");
        Ok(())
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let server = self.folder.path().join("server");
        let mut pg_ctl = self.program("pg_ctl");
        pg_ctl.arg("--pgdata").arg(server.join("data")).arg("--log").arg(server.join("log")).arg("--silent");
        pg_ctl.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        if !pg_ctl.status().context("cannot start pg_ctl")?.success() {
            bail!("PostgreSQL: {}", fs::read_to_string(server.join("log")).unwrap_or_default());
        }
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.programs.join(name));
        program.current_dir(self.folder.path()).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            // PGDATA, PGPORT and their like speak of a developer's own server.
            if name.to_string_lossy().starts_with("PG") {
                program.env_remove(name);
            }
        }
        if let Some((uid, gid)) = self.runs_as {
            program.uid(uid).gid(gid);
        }
        program
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A folder that stays behind is no failure of the benchmark.
        let _ = self.control(&["--mode=immediate", "--wait", "stop"]);
    }
}

/// The newest of Debian's, else what the path has.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max();
    newest.map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
}

fn user(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let mut fields = line.split(':').skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
