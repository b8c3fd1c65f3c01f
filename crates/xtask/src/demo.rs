//! `cargo xtask demo`: the release binary with a demo organization in it, until Ctrl-C.

use crate::process::{cargo, command, run};
use crate::say;
use crate::signals::{Signals, Told, signal};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

const HELP: &str = "\
Builds the release binary, starts it, and fills it with a demo organization

Usage: cargo xtask demo [OPTIONS]

Options:
  --listen ADDRESS  Where to listen [default: 127.0.0.1:7700]
  --data DIR        Where everything is kept [default: demo-data]
  --fresh           Throw away what an earlier demo kept
  -h, --help        Print this

Ctrl-C stops it; starting it again finds everything as it was.";

/// How a server says the key that it makes on its first start.
const KEY_LINE: &str = "KEYSTEAD_KEY=";
pub(crate) const ADMIN_KEY: &str = "admin.key";
const LOG: &str = "server.log";
const LOG_LINES_SHOWN: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Where a demo runs.
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) data: PathBuf,
    /// Whether what an earlier one kept is thrown away.
    pub(crate) fresh: bool,
    /// The folder that the programs are in.
    pub(crate) programs: PathBuf,
}

/// A server that runs; it is stopped when this is dropped.
pub(crate) struct Server {
    child: Child,
    _told: Told,
}

/// Runs the command.
pub(crate) fn main(arguments: Vec<OsString>) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let Some(options) = parse(arguments, &workspace)? else {
        say::line(HELP);
        return Ok(ExitCode::SUCCESS);
    };
    let signals = Signals::take_over()?;
    prepare(&options)?;
    say::step("building the release binary");
    let build = ["build", "--release", "--locked", "-p", "keystead", "-p", "keystead-demo"];
    run(cargo(&workspace.root).args(build), &signals)?;
    say::step("starting the server");
    let mut server = start(&options, &signals)?;
    say::step("filling it with a demo organization");
    fill(&options, &mut server, &signals)?;
    if !signals.asked_to_stop() {
        say::line(&format!("It runs until Ctrl-C; its log is {}.", options.data.join(LOG).display()));
    }
    let status = server.child.wait()?;
    if !status.success() {
        bail!("the server ended ({status}); its log ends with\n{}", log_end(&options));
    }
    say::line("Stopped. Start it again, and everything is as it was.");
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: Vec<OsString>, workspace: &Workspace) -> Result<Option<Options>> {
    let mut options = Options {
        listen: "127.0.0.1:7700".to_owned(),
        data: workspace.root.join("demo-data"),
        fresh: false,
        programs: workspace.release(""),
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => options.listen = parser.value()?.string()?,
            Long("data") => options.data = std::path::absolute(parser.value()?)?,
            Long("fresh") => options.fresh = true,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.listen.ends_with(":0") {
        bail!("--listen needs a port that is known beforehand, not 0");
    }
    Ok(Some(options))
}

/// Makes the data folder; with `--fresh`, anew.
pub(crate) fn prepare(options: &Options) -> Result<()> {
    let data = &options.data;
    let is_empty = fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    if options.fresh && !is_empty {
        // A slip of the pen in --data must not cost somebody's home.
        if !data.join(ADMIN_KEY).is_file() {
            bail!("{} holds no demo ({ADMIN_KEY} is not there): remove it yourself", data.display());
        }
        fs::remove_dir_all(data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.with_context(|| format!("cannot make {}", data.display()))
}

/// Starts the server; its administrator's key goes into a file.
pub(crate) fn start(options: &Options, signals: &Signals) -> Result<Server> {
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(options.data.join(LOG))?;
    let mut serve = command(options.programs.join("keystead"));
    serve.arg("serve").arg("--data").arg(&options.data).args(["--listen", &options.listen]);
    serve.stdout(Stdio::piped()).stderr(log).process_group(0);
    let mut child = serve.spawn().context("cannot start keystead")?;
    let output = child.stdout.take();
    let told = signals.tell(child.id());
    let key_file = options.data.join(ADMIN_KEY);
    std::thread::spawn(move || output.map(|output| keep_key(output, &key_file)));
    Ok(Server { child, _told: told })
}

/// Reads what the server prints, to its end, and keeps the key that is printed only once.
fn keep_key(output: ChildStdout, file: &Path) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let Some(key) = line.trim().strip_prefix(KEY_LINE) else {
            continue;
        };
        let kept = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
        if let Err(error) = kept.and_then(|mut file| writeln!(file, "{key}")) {
            say::error(&format!("cannot keep the admin key in {}: {error}. It is {key}", file.display()));
        }
    }
}

/// Runs the program that fills the server; gives up when the server ends first.
pub(crate) fn fill(options: &Options, server: &mut Server, signals: &Signals) -> Result<()> {
    let mut demo = command(options.programs.join("keystead-demo"));
    demo.args(["--url", &format!("http://{}", options.listen), "--data"]).arg(near(&options.data));
    demo.arg("--cli").arg(near(&options.programs.join("keystead")));
    let mut demo: Child =
        Command::process_group(&mut demo, 0).spawn().context("cannot start keystead-demo")?;
    let _told = signals.tell(demo.id());
    loop {
        if let Some(status) = demo.try_wait()? {
            if !status.success() && !signals.asked_to_stop() {
                bail!("the demo organization is not complete; start again once the reason above is mended");
            }
            return Ok(());
        }
        if let Some(status) = server.child.try_wait()?
            && !signals.asked_to_stop()
        {
            signal(demo.id(), "TERM");
            demo.wait()?;
            bail!("the server ended ({status}); its log ends with\n{}", log_end(options));
        }
        std::thread::sleep(PAUSE);
    }
}

/// The path from the current folder, where it is below: it is shown in commands to paste.
fn near(path: &Path) -> &Path {
    std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

fn log_end(options: &Options) -> String {
    let Ok(log) = File::open(options.data.join(LOG)) else {
        return String::new();
    };
    let lines: Vec<String> = BufReader::new(log).lines().map_while(Result::ok).collect();
    let (_, end) = lines.split_at(lines.len().saturating_sub(LOG_LINES_SHOWN));
    end.join("\n")
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(self.child.id(), "TERM");
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_removes_nothing_that_is_no_demo() {
        let data = std::env::temp_dir().join(format!("keystead-xtask-fresh-{}", std::process::id()));
        let options =
            Options { listen: String::new(), data: data.clone(), fresh: true, programs: PathBuf::new() };
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("thesis.txt"), "ten years").unwrap();
        assert!(prepare(&options).is_err());
        assert!(data.join("thesis.txt").exists());
        fs::write(data.join(ADMIN_KEY), "k").unwrap();
        prepare(&options).unwrap();
        assert!(!data.join("thesis.txt").exists());
        fs::remove_dir_all(&data).unwrap();
    }
}
