//! What `cargo xtask test` can be told.

use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;

pub(crate) const HELP: &str = "\
Runs everything that CI runs: format, lints, all tests on SQLite and PostgreSQL

Usage: cargo xtask test [OPTIONS] [FILTER]

Arguments:
  [FILTER]       Only tests with this text in their path

Options:
  --no-lint      Leave out format, lints and the dependency check
  -p PACKAGE     Only this package
  -h, --help     Print this

PostgreSQL is installed from Debian's packages where it is missing and this runs as root; a throw-away
cluster is started on a free port and removed at the end. KEYSTEAD_* variables are not passed on.

Examples:
  cargo xtask test
  cargo xtask test --no-lint -p keystead-store postgres::";

/// The options of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) lint: bool,
    pub(crate) package: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) help: bool,
}

impl Options {
    /// Reads them.
    pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Self> {
        let mut options = Self { lint: true, ..Self::default() };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("no-lint") => options.lint = false,
                Short('p') | Long("package") => options.package = Some(parser.value()?.string()?),
                Short('h') | Long("help") => options.help = true,
                Value(filter) if options.filter.is_none() => options.filter = Some(filter.string()?),
                Value(second) => bail!("one filter is enough; what is {}?\n\n{HELP}", second.display()),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }

    /// Whether everything is to run.
    pub(crate) fn is_whole(&self) -> bool {
        self.package.is_none() && self.filter.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        Options::parse(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn all_options_are_read() {
        let options = parse(&["--no-lint", "-p", "keystead-store", "postgres::"]).unwrap();
        assert!(!options.lint && !options.is_whole());
        assert_eq!(options.package.as_deref(), Some("keystead-store"));
        assert_eq!(options.filter.as_deref(), Some("postgres::"));
        assert!(parse(&[]).unwrap().is_whole());
    }

    #[test]
    fn unknown_options_and_second_filters_are_refused() {
        assert!(parse(&["--nolint"]).is_err());
        assert!(parse(&["a", "b"]).is_err());
    }
}
