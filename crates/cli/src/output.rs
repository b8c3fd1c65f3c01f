//! What a command prints: data on standard output, what it did on standard error.

pub(crate) mod csv;
pub(crate) mod plain;
pub(crate) mod progress;
pub(crate) mod table;

use crate::exit::Failure;
use clap::builder::styling::{AnsiColor, Style};
use plain::{plain, plain_json};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use table::Cell;

/// Something that the API answers and a person can read.
pub(crate) trait Present: Serialize {
    /// The columns of a list.
    const HEADINGS: &'static [&'static str];

    /// One row of a list: as many cells as there are headings.
    fn row(&self) -> Vec<Cell>;

    /// All of it.
    fn fields(&self) -> Vec<(&'static str, Cell)>;
}

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    pretty: bool,
    out_colour: bool,
    err_colour: bool,
}

impl Output {
    /// For this process: colours only on a terminal, and not where `NO_COLOR` is set (no-color.org).
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let pretty = io::stdout().is_terminal();
        let err_colour = colour && io::stderr().is_terminal();
        Self { json, quiet, pretty, out_colour: colour && pretty, err_colour }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The API's answer: indented for a terminal, one line for a pipe.
    pub(crate) fn json<T: Serialize>(&self, answer: &T) -> Result<(), Failure> {
        let written =
            if self.pretty { serde_json::to_string_pretty(answer) } else { serde_json::to_string(answer) };
        let mut text = plain_json(&written.map_err(io::Error::from)?);
        text.push('\n');
        self.data(&text)
    }

    /// Text that is already safe to print.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// A key on a line of its own. That nobody could read it is a failure: it is shown only once.
    pub(crate) fn secret(&self, key: &str) -> Result<(), Failure> {
        self.data(&format!("{}\n", plain(key))).map_err(|_| {
            Failure::local(
                "The key was created, but could not be shown: standard output is closed.",
                "Revoke it (keystead keys list shows it) and create another.",
            )
        })
    }

    pub(crate) fn fields(&self, fields: &[(&str, Cell)]) -> Result<(), Failure> {
        self.data(&table::fields(fields, self.out_colour))
    }

    pub(crate) fn columns(&self, headings: &[&str], rows: &[Vec<Cell>]) -> Result<(), Failure> {
        self.data(&table::columns(headings, rows, self.out_colour))
    }

    /// One answer: its fields, or its JSON.
    pub(crate) fn one<T: Present>(&self, item: &T) -> Result<(), Failure> {
        if self.json { self.json(item) } else { self.fields(&item.fields()) }
    }

    /// What was done, or what to do next, for people.
    pub(crate) fn note(&self, text: &str) {
        if !self.json && !self.quiet {
            self.tell(&plain(text));
        }
    }

    /// `note`, for a key that is shown once: not silenced by `--quiet`.
    pub(crate) fn warning(&self, text: &str) {
        if !self.json {
            self.tell(&self.styled("note:", AnsiColor::Yellow.on_default().bold(), &plain(text)));
        }
    }

    /// A failure in lines that are safe to print.
    pub(crate) fn problem(&self, lines: &[String]) {
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.tell(&self.styled("error:", AnsiColor::Red.on_default().bold(), line));
            } else {
                self.tell(&format!("  {line}"));
            }
        }
    }

    /// A failure as one line of JSON.
    pub(crate) fn problem_json(&self, problem: &serde_json::Value) {
        self.tell(&plain_json(&problem.to_string()));
    }

    fn styled(&self, label: &str, style: Style, text: &str) -> String {
        if self.err_colour { format!("{style}{label}{style:#} {text}") } else { format!("{label} {text}") }
    }

    /// A line on standard error. When that is closed too, nobody is left to tell.
    fn tell(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}
