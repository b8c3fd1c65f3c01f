//! Ctrl-C and its kin: passed on to the children that run, so that everything is tidied up behind them.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Incoming;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Knows whether this program was asked to stop, and tells the children that run.
#[derive(Clone)]
pub(crate) struct Signals(Arc<State>);

struct State {
    asked_to_stop: AtomicBool,
    groups: Mutex<Vec<u32>>,
}

/// While it lives, the process group is told when this program is asked to stop.
pub(crate) struct Told {
    signals: Signals,
    group: u32,
}

impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP for the rest of this program's life.
    pub(crate) fn take_over() -> Result<Self> {
        let mut incoming = Incoming::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
        let signals =
            Self(Arc::new(State { asked_to_stop: AtomicBool::new(false), groups: Mutex::new(Vec::new()) }));
        let listener = signals.clone();
        std::thread::spawn(move || {
            for _ in incoming.forever() {
                // The second time is said with more force: the first was not heard.
                let again = listener.0.asked_to_stop.swap(true, Ordering::SeqCst);
                let groups = listener.0.groups.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for group in groups {
                    signal(group, if again { "KILL" } else { "TERM" });
                }
            }
        });
        Ok(signals)
    }

    /// Whether this program was asked to stop.
    pub(crate) fn asked_to_stop(&self) -> bool {
        self.0.asked_to_stop.load(Ordering::SeqCst)
    }

    /// Passes signals on to a process group until the result is dropped.
    pub(crate) fn tell(&self, group: u32) -> Told {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner).push(group);
        // A signal that came between the child's start and this line was told to nobody.
        if self.asked_to_stop() {
            signal(group, "TERM");
        }
        Told { signals: self.clone(), group }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.signals
            .0
            .groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|group| *group != self.group);
    }
}

/// Sends a signal to a process group that this program started.
pub(crate) fn signal(group: u32, name: &str) {
    // A group that has just ended is no error.
    let _ = Command::new("kill")
        .args([&format!("-{name}"), "--", &format!("-{group}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
