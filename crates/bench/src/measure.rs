//! Durations, medians, and what the kernel knows of a process.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Now, for durations.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "durations are what a benchmark measures")]
pub fn instant() -> Instant {
    Instant::now()
}

/// How long `work` took, and what it made.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = instant();
    let made = work();
    (begun.elapsed(), made)
}

/// The middle value; 0 of none. Of an even number, the upper one.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Bytes of this process that are in memory.
///
/// # Errors
/// Where there is no Linux `/proc`.
pub fn resident_bytes() -> Result<u64> {
    resident_bytes_of(std::process::id())
}

/// Bytes of a process that are in memory.
///
/// # Errors
/// When the process is gone, or there is no Linux `/proc`.
pub fn resident_bytes_of(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.context("no such process in Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kibibytes.context("no VmRSS in /proc")? * 1024)
}

/// Processor time of a process, user and system, since its start.
///
/// # Errors
/// When the process is gone.
pub fn cpu_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the server is gone")?;
    // The name in parentheses may hold spaces; `utime` and `stime` are fields 14 and 15.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // Linux fixes the unit of these fields at a hundredth of a second on every platform.
    Ok(Duration::from_millis(ticks * 10))
}

/// Where the benchmarks keep what they make: beside this program, in the build folder.
///
/// # Errors
/// When it cannot be made.
pub fn data_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program's own path")?;
    let target = program.parent().and_then(Path::parent).context("this program is in no folder")?;
    let folder = target.join("bench-data");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The machine and its system, for the table.
#[must_use]
pub fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}, load before {load}", kernel.trim())
}

/// This program as a child that runs one of its hidden commands.
///
/// # Errors
/// When this program does not know its own path.
pub fn own_command(command: &str) -> Result<Command> {
    let mut child = Command::new(std::env::current_exe().context("this program's own path")?);
    child.arg(command);
    Ok(child)
}
