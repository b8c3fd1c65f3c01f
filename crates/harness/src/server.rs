//! The real server, as an operator's machine runs it: started, killed, stopped in order.

use anyhow::{Context, Result, anyhow, bail, ensure};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Longer than any start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// What a stop may take at most (docs/RELIABILITY.md): requests in work 20 s, and 32 s for all else.
pub(crate) const STOP_TIME_MAX: Duration = Duration::from_secs(52);
/// A killed process's sessions end a moment after it; a supervisor that starts it again tries again.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
const OWNED: &str = "another Keystead process already uses";
const ROOT_KEY: &str = "root.key";
const LOG: &str = "server.log";

/// What is needed to start the server again and again.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) database: Option<String>,
}

/// A running server; dropping it kills it.
pub(crate) struct Server {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
    /// The administrator's key, where this start made one.
    pub(crate) admin_key: Option<String>,
    /// Where it answers; empty before it is ready.
    pub(crate) url: String,
}

impl Launcher {
    /// For another server on the same database, in a folder of its own with the same root key.
    ///
    /// # Errors
    /// When the folder or the copy of the key cannot be made.
    pub(crate) fn beside(&self) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("node-").tempdir_in(&self.folder)?.keep();
        std::fs::copy(self.folder.join(ROOT_KEY), folder.join(ROOT_KEY)).context("no root key to copy")?;
        Ok(Self { folder, ..self.clone() })
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends instead, or takes too long.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Result<Server> {
        for _ in 0..TRIES {
            let mut server = self.begin(arguments)?;
            let ready = timeout(PATIENCE, server.read_until_ready()).await;
            if ready.with_context(|| format!("the server was not ready in {PATIENCE:?}"))?? {
                return Ok(server);
            }
            server.child.wait().await?;
            let said = read_end(&self.log())?;
            let is_owned = said.lines().rev().take(8).any(|line| line.contains(OWNED));
            ensure!(is_owned, "the server did not start: {}", said.lines().last().unwrap_or_default());
            tokio::time::sleep(PAUSE).await;
        }
        bail!("another process still owns the database {TRIES} starts after it was killed")
    }

    /// Starts it, which must fail; what it says.
    ///
    /// # Errors
    /// When it starts.
    pub(crate) async fn fails(&self) -> Result<String> {
        let mut serve = self.command(&[]);
        let output = timeout(PATIENCE, serve.output()).await.context("it neither starts nor fails")??;
        ensure!(!output.status.success(), "it started");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts it, and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Result<Server> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut serve = self.command(arguments);
        serve.stdout(Stdio::piped()).stderr(log);
        let mut child = serve.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let output = child.stdout.take().context("the server has no output")?;
        let output = BufReader::new(output).lines();
        Ok(Server { child, output, log: self.log(), admin_key: None, url: String::new() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut serve = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KEYSTEAD_") {
                serve.env_remove(name);
            }
        }
        serve.arg("serve").arg("--data").arg(&self.folder).args(["--listen", "127.0.0.1:0"]).args(arguments);
        if let Some(database) = &self.database {
            serve.env("KEYSTEAD_DATABASE", database);
        }
        serve.stdin(Stdio::null()).kill_on_drop(true);
        serve
    }

    /// Where its log is.
    fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }
}

impl Server {
    /// Reads what it prints until it says where it answers; `false` when it ended before.
    async fn read_until_ready(&mut self) -> Result<bool> {
        while let Some(line) = self.output.next_line().await? {
            if let Some(key) = line.strip_prefix("KEYSTEAD_KEY=") {
                self.admin_key = Some(key.to_owned());
            } else if line.starts_with("http://") {
                self.url = line;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Kills it: no handler runs, nothing is tidied up. Answers the administrator's key if it was
    /// printed before that.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub(crate) async fn kill(mut self) -> Result<Option<String>> {
        ensure!(self.child.try_wait()?.is_none(), "the server ended before it was killed");
        self.child.kill().await?;
        while let Ok(Some(line)) = self.output.next_line().await {
            if let Some(key) = line.strip_prefix("KEYSTEAD_KEY=") {
                self.admin_key = Some(key.to_owned());
            }
        }
        Ok(self.admin_key)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it fails to.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("the server ended before it was stopped")?;
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "the server cannot be told to stop");
        let ended = tokio::select! {
            ended = self.child.wait() => Ok(ended),
            () = pulses(STOP_TIME_MAX) => Err(anyhow!("{STOP_TIME_MAX:?} have passed")),
        };
        let log = read_end(&self.log)?;
        let ended = ended.with_context(|| format!("the server does not stop; it said at last:\n{log}"))??;
        ensure!(ended.success(), "the server failed at its end ({ended}); it said at last:\n{log}");
        Ok(())
    }
}

/// Waits for so long by its own pulse: a machine that is paused pauses the server too, and nothing that it
/// should have done meanwhile is late.
pub(crate) async fn pulses(time: Duration) {
    let mut left = time;
    while !left.is_zero() {
        tokio::time::sleep(PAUSE).await;
        left = left.saturating_sub(PAUSE);
    }
}

/// The last few kilobytes of a log.
fn read_end(path: &Path) -> Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(8_192)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
