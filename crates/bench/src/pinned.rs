//! A process of its own on a core of its own: what is measured, beside what asks it.

use crate::installation::wait_until;
use crate::measure::own_command;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The core of what is measured.
pub(crate) const CORE: &str = "1";
/// The core of what asks it, and of what stands behind it.
pub(crate) const LOAD_CORE: &str = "0";

/// A program on a core.
pub(crate) fn on_core(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// A program that is asked to end with this value, and killed when it does not.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        end(&mut self.0);
    }
}

fn end(child: &mut Child) {
    if wait_until(Duration::from_secs(5), || matches!(child.try_wait(), Ok(Some(_)))).is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// One of this program's hidden commands, which is told and answers in lines; it ends when its standard input does.
pub(crate) struct Pinned {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Pinned {
    /// Starts it on the core of what is measured.
    pub(crate) fn start(command: &str, folder: &Path) -> Result<Self> {
        let own = own_command(command)?;
        let mut child = on_core(CORE, Path::new(own.get_program()))
            .args(own.get_args())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start taskset, which pins the server to one core")?;
        let output = BufReader::new(child.stdout.take().context("the server's output")?);
        let input = child.stdin.take();
        Ok(Self { child, input, output })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the server has ended");
        Ok(line.trim().to_owned())
    }

    /// Tells it a line.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("the server was told to end")?;
        writeln!(input, "{line}").context("the server does not listen")
    }

    /// Ends it in order.
    pub(crate) fn end(&mut self) -> Result<()> {
        drop(self.input.take());
        ensure!(self.child.wait()?.success(), "the server failed at its end");
        Ok(())
    }

    /// Ends it in order; its last line.
    pub(crate) fn stop(&mut self) -> Result<String> {
        drop(self.input.take());
        let told = self.line()?;
        self.end()?;
        Ok(told)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        drop(self.input.take());
        end(&mut self.child);
    }
}
