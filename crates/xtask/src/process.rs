//! Children: started without the caller's settings, in a group of their own, and told when to stop.

use crate::signals::Signals;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A command that sees none of the caller's `KEYSTEAD_*` variables: a developer's own server address
/// or key must neither be used by tests nor end up in the demo.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KEYSTEAD_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// The cargo that runs this program, at the workspace's root.
pub(crate) fn cargo(root: &std::path::Path) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // What cargo told this program about the xtask package is not meant for the packages it builds.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a command to its end, its output going where this program's goes.
///
/// # Errors
/// When it cannot be started, when it fails, and when this program was asked to stop.
pub(crate) fn run(command: &mut Command, signals: &Signals) -> Result<()> {
    let mut child = command.process_group(0).spawn().with_context(|| cannot_start(command))?;
    let status = {
        let _told = signals.tell(child.id());
        child.wait()?
    };
    finish(command, status, signals)
}

/// Runs a command to its end and hands over each line of what it says, on either stream, in order.
///
/// # Errors
/// When it cannot be started, when it fails, and when this program was asked to stop.
pub(crate) fn stream(command: &mut Command, signals: &Signals, mut each: impl FnMut(&str)) -> Result<()> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.process_group(0).spawn().with_context(|| cannot_start(command))?;
    // The command holds the pipe's other end: unless it lets go, the reading below never ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = {
        let _told = signals.tell(child.id());
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
            line.clear();
        }
        child.wait()?
    };
    finish(command, status, signals)
}

/// Runs a command and returns what it wrote to standard output.
///
/// # Errors
/// When it cannot be started or fails; the error holds what it wrote to standard error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}): {}", shown(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program answers.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The id of the user that runs this program; 0 is root.
pub(crate) fn uid() -> Result<u32> {
    capture(command("id").arg("-u"))?.trim().parse().context("`id -u` answered no number")
}

fn finish(command: &Command, status: std::process::ExitStatus, signals: &Signals) -> Result<()> {
    if signals.asked_to_stop() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}: is it installed?", command.get_program().display())
}

fn shown(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut shown = name.to_string_lossy().into_owned();
    for argument in command.get_args().take(4) {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_arrive_in_order() {
        let signals = Signals::take_over().unwrap();
        let mut lines = Vec::new();
        let mut script = command("sh");
        script.args(["-c", "echo one; echo two >&2; echo three"]);
        stream(&mut script, &signals, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = capture(command("sh").args(["-c", "echo nothing works >&2; exit 3"])).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("sh -c") && error.contains("nothing works"), "{error}");
    }
}
