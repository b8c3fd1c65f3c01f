//! Words for people: results on the standard output, progress on the standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program's output is its purpose")]

/// A line of the result.
pub fn result(text: &str) {
    println!("{text}");
}

/// A line about what is being done.
pub fn progress(text: &str) {
    eprintln!("bench: {text}");
}
