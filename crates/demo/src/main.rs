//! Fills a Keystead server with a demo organization, through its public API; what is there stays.

mod say;
mod server;
mod tour;

use anyhow::{Context, Result};
use lexopt::prelude::*;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Fills a Keystead server with a demo organization; `cargo xtask demo` starts both

Usage: keystead-demo --url URL --data DIR [--cli PROGRAM]

Options:
  --url URL      The server
  --data DIR     Where the server's admin key is (admin.key), and what is shown only once is kept
  --cli PROGRAM  How the commands that are shown call keystead
  -h, --help     Print this";

struct Options {
    url: String,
    data: PathBuf,
    cli: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let Some(options) = parse()? else {
        say::line(HELP);
        return Ok(());
    };
    let admin_key = server::ready(&options.url, &options.data).await?;
    let client = keystead_sdk::Client::new(&options.url, admin_key.as_str())?;
    for line in keystead_demo::fill(&client, &options.data, now()).await? {
        say::line(&line);
    }
    tour::show(&options.url, &options.data, &options.cli, &admin_key)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the demo's keys expire relative to the day on which they are made"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn parse() -> Result<Option<Options>> {
    let (mut url, mut data, mut cli) = (None, None, PathBuf::from("keystead"));
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("url") => url = Some(parser.value()?.string()?),
            Long("data") => data = Some(PathBuf::from(parser.value()?)),
            Long("cli") => cli = PathBuf::from(parser.value()?),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    let url = url.context("--url is missing")?;
    let data = data.context("--data is missing")?;
    Ok(Some(Options { url, data, cli }))
}
