//! What `cargo xtask harness` can be told.

use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;

pub(super) const HELP: &str = "\
Kills the real server at random moments and checks that nothing acknowledged is lost, nothing revoked
lives, no credit is spent twice, and the audit tells what happened

Usage: cargo xtask harness [OPTIONS]

Options:
  --rounds N       How many times to kill it, on each engine [default: 1000]
  --engine ENGINE  sqlite, postgres or both [default: both]
  --seed N         Choose as an earlier run did; else the seed is drawn, and printed
  -h, --help       Print this

Instead of that:
  --self-test      Damage the database between rounds and expect each damage to be found
  --faults         Try a full disk, a read-only one and a slow database; on SQLite it needs root
  --nodes          Try several servers on one PostgreSQL database
  --old PROGRAM    With --nodes: a server of an earlier version beside this one, as in an upgrade

Examples:
  cargo xtask harness
  cargo xtask harness --rounds 100 --engine sqlite --seed 42";

/// The options of one run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) sqlite: bool,
    pub(super) postgres: bool,
    /// What the harness itself is told.
    pub(super) arguments: Vec<String>,
}

impl Options {
    /// Reads them; `None` when help was asked for.
    pub(super) fn parse(arguments: Vec<OsString>) -> Result<Option<Self>> {
        let (mut rounds, mut seed, mut engine, mut old) = (1_000_u64, None::<u64>, None, None);
        let mut instead = Vec::new();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("rounds") => rounds = parser.value()?.parse()?,
                Long("seed") => seed = Some(parser.value()?.parse()?),
                Long("engine") => engine = Some(parser.value()?.string()?),
                Long("old") => old = Some(parser.value()?.string()?),
                Long(name @ ("faults" | "nodes" | "self-test")) => instead.push(format!("--{name}")),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if rounds == 0 {
            bail!("--rounds must be at least 1");
        }
        if instead.len() > 1 {
            bail!("{} are one too many: each is a run of its own", instead.join(" and "));
        }
        let nodes = instead.iter().any(|name| name == "--nodes");
        if old.is_some() && !nodes {
            bail!("--old names a server to run beside this one: add --nodes");
        }
        let (sqlite, postgres) = engines(engine.as_deref(), nodes)?;
        let mut arguments = vec!["--rounds".to_owned(), rounds.to_string()];
        arguments.append(&mut instead);
        arguments.extend(old.into_iter().flat_map(|old| ["--old".to_owned(), old]));
        arguments.extend(seed.into_iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
        Ok(Some(Self { sqlite, postgres, arguments }))
    }
}

/// Whether SQLite and whether PostgreSQL was chosen.
fn engines(chosen: Option<&str>, nodes: bool) -> Result<(bool, bool)> {
    match chosen {
        Some("sqlite" | "both") if nodes => {
            bail!("--nodes needs PostgreSQL, since a SQLite file has one server: leave out --engine")
        }
        Some("postgres") => Ok((false, true)),
        None if nodes => Ok((false, true)),
        Some("sqlite") => Ok((true, false)),
        Some("both") | None => Ok((true, true)),
        Some(other) => bail!("{other} is no engine; there are sqlite, postgres and both"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Options>> {
        Options::parse(arguments.iter().map(OsString::from).collect())
    }

    fn engines(arguments: &[&str]) -> Option<(bool, bool)> {
        let options = parse(arguments).ok()??;
        Some((options.sqlite, options.postgres))
    }

    fn refusal(arguments: &[&str]) -> String {
        parse(arguments).unwrap_err().to_string()
    }

    #[test]
    fn both_engines_unless_one_is_named() {
        assert_eq!(engines(&[]), Some((true, true)));
        assert_eq!(engines(&["--engine", "sqlite"]), Some((true, false)));
        assert_eq!(engines(&["--engine", "postgres"]), Some((false, true)));
        assert_eq!(engines(&["--engine", "mysql"]), None);
    }

    #[test]
    fn several_nodes_are_on_postgresql_only_whatever_comes_first() {
        assert_eq!(engines(&["--nodes"]), Some((false, true)));
        assert_eq!(engines(&["--engine", "postgres", "--nodes"]), Some((false, true)));
        for arguments in [
            ["--nodes", "--engine", "sqlite"],
            ["--engine", "sqlite", "--nodes"],
            ["--nodes", "--engine", "both"],
        ] {
            assert!(refusal(&arguments).contains("needs PostgreSQL"), "{arguments:?}");
        }
    }

    #[test]
    fn nothing_that_is_said_is_dropped() {
        let told = |arguments: &[&str]| parse(arguments).unwrap().unwrap().arguments.join(" ");
        assert_eq!(told(&["--self-test", "--seed", "4"]), "--rounds 1000 --self-test --seed 4");
        assert_eq!(told(&["--old", "k", "--nodes"]), "--rounds 1000 --nodes --old k");
        assert_eq!(told(&["--faults", "--rounds", "7"]), "--rounds 7 --faults");
        assert!(refusal(&["--old", "k"]).contains("add --nodes"));
        assert!(refusal(&["--faults", "--nodes"]).contains("--faults and --nodes"));
    }
}
