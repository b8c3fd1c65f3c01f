//! How far a long command is: one line on a terminal's standard error, and nothing elsewhere.

use std::io::{self, IsTerminal, Write};

/// Columns of the bar.
const WIDTH: u64 = 24;

/// A line that is written over itself.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    what: &'static str,
}

impl Progress {
    /// For so many `what`; shown only to a person who watches.
    pub(crate) fn new(what: &'static str, wanted: bool) -> Self {
        Self { shown: wanted && io::stderr().is_terminal(), what }
    }

    /// Shows how many are done of how many.
    pub(crate) fn at(&self, done: u64, of: u64) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r{}", line(done, of, self.what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = writeln!(io::stderr().lock());
        }
    }
}

fn line(done: u64, of: u64, what: &str) -> String {
    let full = (done.min(of) * WIDTH).checked_div(of).unwrap_or(WIDTH);
    let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
    format!("[{bar}] {done} of {of} {what}")
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_fills_and_never_overflows() {
        assert_eq!(line(0, 8, "keys"), format!("[{}] 0 of 8 keys", ".".repeat(24)));
        assert_eq!(line(4, 8, "keys"), format!("[{}{}] 4 of 8 keys", "#".repeat(12), ".".repeat(12)));
        assert_eq!(line(9, 8, "keys"), format!("[{}] 9 of 8 keys", "#".repeat(24)));
        assert_eq!(line(0, 0, "keys"), format!("[{}] 0 of 0 keys", "#".repeat(24)));
    }
}
