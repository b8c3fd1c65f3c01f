//! A throw-away PostgreSQL cluster: made, used by one test run, and gone.

use crate::debian::{postgres_programs, user};
use crate::process::{capture, command, uid};
use crate::say;
use anyhow::{Context, Result, bail};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER_PREFIX: &str = "keystead-test-postgres-";
const LOCK: &str = "owner.lock";
const ATTEMPTS: u32 = 3;

/// A running cluster; dropping it stops it and removes its folder.
pub(crate) struct Cluster {
    folder: Folder,
    url: String,
    /// Held as long as this program lives: what a killed run left behind is known by its free lock.
    _lock: File,
}

/// Where a cluster lives, and who runs it.
struct Folder {
    path: PathBuf,
    programs: PathBuf,
    /// PostgreSQL refuses to run as root; then this user and group run it.
    runs_as: Option<(u32, u32)>,
}

impl Cluster {
    /// Removes what killed runs left behind, then makes and starts a cluster on a free port.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the error ends with its log.
    pub(crate) fn start() -> Result<Self> {
        let programs = postgres_programs().context("the PostgreSQL server is not installed")?;
        let uid = uid()?;
        let root = uid == 0;
        let runs_as = root.then(|| user("postgres")).transpose().context(
            "PostgreSQL does not run as root, and there is no user `postgres` to run it: \
             `adduser --system --group postgres` makes one",
        )?;
        // Root's own temporary folder may be closed to the user that runs the server.
        let parent = if root { PathBuf::from("/tmp") } else { std::env::temp_dir() };
        remove_left_behind(&parent, &programs, uid, runs_as);
        let random = random_hex()?;
        let (short, _) = random.split_at(12);
        let folder = Folder { path: parent.join(format!("{FOLDER_PREFIX}{short}")), programs, runs_as };
        let lock = folder.make()?;
        let mut cluster = Self { folder, url: String::new(), _lock: lock };
        cluster.folder.initialize(&random)?;
        let port = cluster.folder.launch()?;
        cluster.url = format!("postgres://keystead:{random}@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }

    /// Where the cluster is, for clients: its superuser on its first database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.folder.remove();
    }
}

impl Folder {
    /// Makes it anew and locks it.
    fn make(&self) -> Result<File> {
        let made = DirBuilder::new().mode(0o711).create(&self.path);
        made.with_context(|| format!("cannot make {}", self.path.display()))?;
        let lock = File::create(self.path.join(LOCK))?;
        lock.lock().context("cannot lock the cluster's folder")?;
        let inner = self.path.join("server");
        DirBuilder::new().mode(0o700).create(&inner)?;
        if let Some((uid, gid)) = self.runs_as {
            chown(&inner, Some(uid), Some(gid))?;
        }
        Ok(lock)
    }

    fn server(&self) -> PathBuf {
        self.path.join("server")
    }

    fn data(&self) -> PathBuf {
        self.server().join("data")
    }

    /// Makes the cluster's files. Its superuser has a password, because a superuser can run programs:
    /// without one, everybody on this machine could act as whoever runs the tests. md5 (not scram) since
    /// tests connect thousands of times from unoptimized code.
    fn initialize(&self, password: &str) -> Result<()> {
        let password_file = self.server().join("password");
        fs::write(&password_file, password)?;
        fs::set_permissions(&password_file, Permissions::from_mode(0o600))?;
        if let Some((uid, gid)) = self.runs_as {
            chown(&password_file, Some(uid), Some(gid))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--username=keystead", "--auth-local=reject", "--auth-host=md5", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync", "--pgdata"]).arg(self.data());
        initdb.arg("--pwfile").arg(&password_file);
        capture(&mut initdb)?;
        let conf = self.data().join("postgresql.conf");
        let socket = self.server();
        let settings = format!(
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 300\n\
             fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n\
             password_encryption = md5\nlog_min_messages = warning\n",
            socket.display().to_string().replace('\'', "''")
        );
        let before = fs::read_to_string(&conf).with_context(|| format!("cannot read {}", conf.display()))?;
        fs::write(&conf, before + &settings).with_context(|| format!("cannot write {}", conf.display()))
    }

    /// Starts the server and answers its port.
    fn launch(&self) -> Result<u16> {
        let log = self.server().join("log");
        let mut last = None;
        for _ in 0..ATTEMPTS {
            // Between letting go of the port and the server's start, another program may take it.
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut pg_ctl = self.program("pg_ctl");
            pg_ctl.arg("--pgdata").arg(self.data()).arg("--log").arg(&log);
            pg_ctl.args(["--wait", "--timeout=60", "--silent", "--options", &format!("-p {port}"), "start"]);
            // The server inherits the streams: a pipe would never end.
            pg_ctl.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            if pg_ctl.status().context("cannot start pg_ctl")?.success() {
                return Ok(port);
            }
            last = fs::read_to_string(&log).ok();
        }
        bail!("PostgreSQL did not start; its log says:\n{}", last.unwrap_or_default())
    }

    /// Stops the server, if it runs, and removes everything.
    fn remove(&self) {
        if self.data().join("postmaster.pid").exists() {
            let mut pg_ctl = self.program("pg_ctl");
            pg_ctl.arg("--pgdata").arg(self.data()).args(["--mode=immediate", "--wait", "--silent", "stop"]);
            if let Err(error) = capture(&mut pg_ctl) {
                say::error(&format!("cannot stop the PostgreSQL in {}: {error:#}", self.path.display()));
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            say::error(&format!("cannot remove {}: {error}", self.path.display()));
        }
    }

    /// One of PostgreSQL's programs, as the user that runs the cluster.
    fn program(&self, name: &str) -> Command {
        let mut program = command(self.programs.join(name));
        program.current_dir(self.server()).env("LC_ALL", "C");
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

/// Stops and removes the clusters of runs that were killed.
fn remove_left_behind(parent: &Path, programs: &Path, uid: u32, runs_as: Option<(u32, u32)>) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let named_so = entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX);
        // Anybody can make a folder of that name, with a process id in it that is not a server's.
        let is_ours = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == uid);
        if named_so && is_ours && is_abandoned(&entry.path()) {
            say::line(&format!("removing {}, left behind by a run that was killed", entry.path().display()));
            Folder { path: entry.path(), programs: programs.to_owned(), runs_as }.remove();
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
