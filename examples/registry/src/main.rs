//! A small registry of Internet numbers. Whoever calls shows a key, and Keystead says whether it may.

mod api;
mod changes;
mod contacts;
mod guard;
mod networks;
mod organizations;
mod problem;
mod records;
mod reports;
mod routes;
mod say;
mod zones;

use anyhow::{Context, Result};
use guard::Guard;
use lexopt::prelude::*;
use records::Registry;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
A small registry of Internet numbers, guarded by Keystead

Usage: registry [--listen ADDRESS]

Options:
  --listen ADDRESS  Where to listen [default: 127.0.0.1:7800]
  -h, --help        Print this

Environment:
  KEYSTEAD_URL  Where Keystead answers [default: http://127.0.0.1:7700]
  KEYSTEAD_KEY  A key that may ask for verdicts (keys.verify) in one environment
                of the project whose keys are accepted

Everything is kept in memory, and begins anew with each start.";

#[tokio::main]
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
    let Some(listen) = parse()? else {
        say::line(HELP);
        return Ok(());
    };
    let url = std::env::var("KEYSTEAD_URL").unwrap_or_else(|_| "http://127.0.0.1:7700".to_owned());
    let key = std::env::var("KEYSTEAD_KEY").context("KEYSTEAD_KEY is missing: see --help")?;
    let router = api::router(&Guard::new(&url, key)?, Registry::with_examples(now)?);
    let listener = TcpListener::bind(&listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let mut stop = signal(SignalKind::terminate())?;
    say::line(&format!("http://{}", listener.local_addr()?));
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = stop.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock; all else is passed it")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn parse() -> Result<Option<String>> {
    let mut listen = "127.0.0.1:7800".to_owned();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => listen = parser.value()?.string()?,
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(listen))
}
