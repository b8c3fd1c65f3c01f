//! `keystead-bench`: measures what Keystead promises, each figure beside its bound.

use anyhow::{Result, bail};
use keystead_bench::{
    audit, creates, figure, guard, http, in_process, load, measure, memory, nodes, people, policies, say,
    soak,
};
use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;
use std::future::Future;
use std::path::PathBuf;

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
Measures what Keystead promises, each figure beside its bound

Usage: cargo xtask bench <COMMAND> [OPTIONS]

Commands:
  verify   Verification in process, memory, loading 1,000,000 keys, and over HTTP
  http     Over HTTP only: a verification against an echo, latencies at half load (needs wrk, taskset)
  guard    Keystead behind nginx, Envoy, Caddy, Traefik and HAProxy, and its own proxy, beside what these do without it
  overload Three times as much as the server can answer, for a minute (needs wrk, taskset)
  sign-ins Verifications beside a flood of sign-ins (needs wrk, taskset)
  soak     50,000,000 verifications in process while 100,000 keys come and go
  creates  Durable creates a second on SQLite and PostgreSQL
  audit    What the audit's tree costs 16 writers of one organization
  people   How soon a change of what a team may do holds for 10,000 keys
  nodes    Several nodes on one PostgreSQL: how soon a revocation holds, how much passes a rate limit

Options:
  --json            One JSON object instead of a table
  --in-process      With verify: leave HTTP out
  --fresh           With verify: fill the database of 1,000,000 keys anew
  --seconds N       With overload: how long [default: 60]
  --peers NAMES     With guard: only these, such as own,envoy_key [default: all]
  --verifies N      With soak: how many [default: 50000000]
  --postgres URL    With creates, audit, nodes: this server instead of a throw-away cluster that syncs

Examples:
  cargo xtask bench verify --json
  cargo xtask bench creates";

const OVERLOAD_SECONDS: u64 = 60;

/// What was asked for.
#[derive(Default)]
struct Asked {
    command: Option<String>,
    folder: Option<PathBuf>,
    json: bool,
    in_process: bool,
    fresh: bool,
    postgres: Option<String>,
    seconds: Option<u64>,
    peers: Option<String>,
    verifies: Option<u64>,
}

fn main() -> Result<()> {
    let asked = read()?;
    let machine = measure::machine();
    let figures = match (asked.command.as_deref(), &asked.folder) {
        (Some("verify"), None) => verify(&asked)?,
        (Some("http"), None) => run(http::figures())?,
        (Some("guard"), None) => run(guard::figures(asked.peers.as_deref()))?,
        (Some("overload"), None) => run(http::overload(asked.seconds.unwrap_or(OVERLOAD_SECONDS)))?,
        (Some("sign-ins"), None) => run(http::sign_ins())?,
        (Some("soak"), None) => run(soak::figures(asked.verifies.unwrap_or(soak::VERIFIES)))?,
        (Some("creates"), None) => run(creates::figures(asked.postgres))?,
        (Some("audit"), None) => run(audit::figures(asked.postgres))?,
        (Some("people"), None) => run(people::figures())?,
        (Some("nodes"), None) => run(nodes::figures(asked.postgres))?,
        (Some(load::COMMAND), Some(folder)) => return run(load::child(folder)),
        (Some(guard::COMMAND), Some(folder)) => return run(guard::child(folder)),
        (Some(http::COMMAND), Some(folder)) => return run(http::child(folder)),
        (Some(http::FLOOD), Some(server)) => return run(http::flood(&server.to_string_lossy())),
        (Some("help") | None, _) => {
            say::result(USAGE);
            return Ok(());
        }
        (Some(command), _) => bail!("there is no command {command}\n\n{USAGE}"),
    };
    figure::print(figures, &machine, asked.json);
    Ok(())
}

fn verify(asked: &Asked) -> Result<Vec<figure::Figure>> {
    let mut figures = in_process::figures()?;
    figures.extend(policies::figures()?);
    figures.extend(memory::figures()?);
    figures.extend(run(load::figures(asked.fresh))?);
    if !asked.in_process {
        figures.extend(run(http::figures())?);
    }
    Ok(figures)
}

fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn read() -> Result<Asked> {
    let mut asked = Asked::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("json") => asked.json = true,
            Long("in-process") => asked.in_process = true,
            Long("fresh") => asked.fresh = true,
            Long("seconds") => asked.seconds = Some(arguments.value()?.parse()?),
            Long("peers") => asked.peers = Some(arguments.value()?.string()?),
            Long("verifies") => asked.verifies = Some(arguments.value()?.parse()?),
            Long("postgres") => asked.postgres = Some(arguments.value()?.string()?),
            Long("help") | Short('h') => asked.command = Some("help".into()),
            Value(command) if asked.command.is_none() => asked.command = Some(command.string()?),
            Value(folder) if asked.folder.is_none() => asked.folder = Some(folder.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(asked)
}
