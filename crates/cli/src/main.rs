//! The `keystead` binary: client commands over a server's public API, and the server itself.

mod arguments;
mod commands;
mod connection;
mod credentials;
mod exit;
mod flags;
mod input;
mod operate;
mod output;
mod session;

use arguments::{Cli, Command};
use clap::Parser;
use connection::ConnectionFlags;
use exit::{Failure, Outcome};
use keystead_sdk::api::Timestamp;
use output::Output;
use session::Session;
use std::process::ExitCode;

/// Puts the keyring on large pages: with a million keys, half of what a look-up waits for is the
/// processor finding small ones.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.printing.json, cli.printing.quiet);
    let exit = run(cli, output).unwrap_or_else(|failure| {
        failure.tell(&output);
        failure.exit()
    });
    ExitCode::from(exit as u8)
}

fn run(cli: Cli, output: Output) -> Outcome {
    let connection = cli.connection;
    match cli.command {
        Command::Operate(command) => command.run(connection.allow_plain_http, &output),
        Command::Completions(completions) => completions.run(&output),
        Command::Login(login) => client_runtime()?.block_on(login.run(&connection, &output)),
        Command::SignIn(command) => client_runtime()?.block_on(command.run(&connection, output, now())),
        Command::Audit(audit) => {
            let allow_plain_http = connection.allow_plain_http;
            audit.run(|| session(&connection, output), allow_plain_http, &output)
        }
        Command::Client(command) => client_runtime()?.block_on(command.run(&session(&connection, output)?)),
    }
}

fn session(connection: &ConnectionFlags, output: Output) -> Result<Session, Failure> {
    Ok(Session { client: connection.connect()?, output, now: now() })
}

/// One thread: a client command makes one call after the other, and threads take time to start.
fn client_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::local(format!("The runtime could not be started: {error}."), "Check this machine's limits.")
    })
}

/// The present second: what people write as a distance from now needs no fractions.
#[expect(clippy::disallowed_methods, reason = "the program's edge: every command gets its time from here")]
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
