//! What the harness can be told.

use crate::chance;
use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// Names a PostgreSQL server whose user may create databases; a URL holds a password, which must not be
/// among the arguments that everybody on the machine can read.
const POSTGRES_URL: &str = "KEYSTEAD_TEST_POSTGRES";

pub(crate) const HELP: &str = "\
Kills the real server at random moments and checks against its own journal that nothing acknowledged is
lost, nothing revoked lives, no credit is spent twice, and the audit tells what happened

Usage: keystead-harness --keystead PROGRAM [OPTIONS]; `cargo xtask harness` builds and runs it

Options:
  --keystead PROGRAM  The server to kill
  --postgres          On the PostgreSQL server that KEYSTEAD_TEST_POSTGRES names (a URL), in databases that
                      are made and dropped; else on SQLite
  --rounds N          How many times to kill it [default: 50]
  --seed N            Choose as an earlier run did; else the seed is drawn, and printed
  --faults            Try the faults instead: a full disk, a read-only one, a slow database; on SQLite it needs root
  --may-skip          With --faults: where disks cannot be mounted, leave out what needs them, and say so
  --nodes             Try several servers on one database instead; needs --postgres
  --old PROGRAM       With --nodes: a server of an earlier version beside this one, as in an upgrade
  --self-test         Damage the database between rounds and expect each damage to be found
  -h, --help          Print this";

/// The options of one run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) keystead: PathBuf,
    pub(crate) postgres: Option<String>,
    pub(crate) rounds: u64,
    pub(crate) seed: u64,
    pub(crate) self_test: bool,
    pub(crate) faults: bool,
    /// Whether faults may be left out for want of the right to mount disks.
    pub(crate) may_skip: bool,
    pub(crate) nodes: bool,
    /// A server of an earlier version.
    pub(crate) old: Option<PathBuf>,
}

impl Options {
    /// Reads them; `None` when help was asked for.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>> {
        let (mut keystead, mut old, mut postgres, mut seed) = (None, None, None, None);
        let (mut rounds, mut self_test, mut faults, mut may_skip, mut nodes) =
            (50, false, false, false, false);
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("keystead") => keystead = Some(PathBuf::from(parser.value()?)),
                Long("postgres") => {
                    let url = std::env::var(POSTGRES_URL);
                    postgres = Some(url.with_context(|| format!("{POSTGRES_URL} is not set"))?);
                }
                Long("rounds") => rounds = parser.value()?.parse()?,
                Long("seed") => seed = Some(parser.value()?.parse()?),
                Long("faults") => faults = true,
                Long("may-skip") => may_skip = true,
                Long("nodes") => nodes = true,
                Long("old") => old = Some(PathBuf::from(parser.value()?)),
                Long("self-test") => self_test = true,
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if rounds == 0 {
            bail!("--rounds must be at least 1");
        }
        let keystead = keystead.context("--keystead is missing")?;
        let seed = seed.map_or_else(chance::seed, Ok)?;
        Ok(Some(Self { keystead, postgres, rounds, seed, self_test, faults, may_skip, nodes, old }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_is_given_is_used() {
        let arguments = ["--keystead", "k", "--rounds", "9", "--seed", "4"].map(OsString::from);
        let options = Options::parse(arguments).unwrap().unwrap();
        assert_eq!((options.rounds, options.seed, options.self_test), (9, 4, false));
        assert!(!options.may_skip, "nothing is skipped unless that was allowed");
    }

    #[test]
    fn no_rounds_are_no_run() {
        assert!(Options::parse(["--keystead", "k", "--rounds", "0"].map(OsString::from)).is_err());
        assert!(Options::parse(["--rounds", "1"].map(OsString::from)).is_err());
    }
}
