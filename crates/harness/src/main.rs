//! Kills the real server at random moments, starts it again, and checks against its own journal that
//! nothing acknowledged is lost, nothing revoked lives, no credit is spent twice, and the audit tells
//! what happened.

mod acts;
mod audit;
mod chance;
mod check;
mod credits;
mod damage;
mod effects;
mod faults;
mod journal;
mod nodes;
mod options;
mod place;
mod rotations;
mod run;
mod say;
mod server;
mod worker;

use anyhow::{Context, Result, bail, ensure};
use damage::Damage;
use journal::Totals;
use options::{HELP, Options};
use place::Place;
use run::Run;
use say::Stopwatch;
use std::process::ExitCode;

/// Rounds in which a damage must find something to be done to.
const DAMAGE_ROUNDS: u64 = 100;
const FINDINGS_SHOWN: usize = 20;
const PROGRESS_EVERY: u64 = 50;
/// In so many rounds something is rotated.
const ROUNDS_WITH_ROTATION: u64 = 10;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
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
    let Some(options) = Options::parse(std::env::args_os().skip(1))? else {
        say::line(HELP);
        return Ok(());
    };
    let engine = if options.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
    say::line(&format!("on {engine}, seed {}", options.seed));
    if options.faults {
        return match options.postgres.as_deref() {
            Some(url) => faults::on_postgres(&options.keystead, url).await,
            None => faults::on_sqlite(&options.keystead, options.may_skip).await,
        };
    }
    if options.nodes {
        let url = options.postgres.as_deref().context("several nodes need --postgres")?;
        return match &options.old {
            Some(old) => nodes::upgrade(old, &options.keystead, url).await,
            None => nodes::all(&options.keystead, url).await,
        };
    }
    if options.self_test {
        for damage in Damage::ALL {
            is_found(&options, damage).await?;
        }
        return Ok(());
    }
    let starts = (options.rounds / 10).clamp(3, 20);
    run::first_starts(&options.keystead, options.postgres.as_deref(), starts, options.seed).await?;
    rounds(&options).await
}

async fn rounds(options: &Options) -> Result<()> {
    let watch = Stopwatch::start();
    let place = Place::make(options.postgres.as_deref()).await?;
    let totals = match all_rounds(options, &place, &watch).await {
        Ok(totals) => totals,
        Err(error) => {
            let (seed, kept) = (options.seed, place.keep());
            return Err(error.context(format!("with seed {seed}; everything is kept in {kept}")));
        }
    };
    place.remove().await?;
    say::line(&format!(
        "{} rounds in {:.1} s: {} acts ({} rotations among them) and {} verifications were answered, {} were \
         not; {} credits were spent, {} forfeited; nothing was lost",
        options.rounds,
        watch.elapsed().as_secs_f64(),
        totals.acts,
        totals.rotations,
        totals.verifies,
        totals.unanswered,
        totals.credits_spent,
        totals.credits_forfeited
    ));
    // A run that did nothing must not look like success.
    let rotated = totals.rotations > 0 || options.rounds < ROUNDS_WITH_ROTATION;
    ensure!(totals.acts >= options.rounds && totals.verifies > 0 && rotated, "hardly anything was done");
    Ok(())
}

async fn all_rounds(options: &Options, place: &Place, watch: &Stopwatch) -> Result<Totals> {
    let mut run = Run::prepare(place, &options.keystead, options.seed).await?;
    for round in 1..=options.rounds {
        let mut findings = run.round(round).await.with_context(|| format!("round {round}"))?;
        if round == options.rounds {
            findings.extend(run.finish().await?);
        }
        if !findings.is_empty() {
            let count = findings.len();
            findings.truncate(FINDINGS_SHOWN);
            bail!("round {round}: {count} findings\n  {}", findings.join("\n  "));
        }
        if round % PROGRESS_EVERY == 0 && round < options.rounds {
            say::line(&format!("{round} rounds, {:.0} s", watch.elapsed().as_secs_f64()));
        }
    }
    Ok(run.totals())
}

/// Damages an installation on purpose: the check must find it.
async fn is_found(options: &Options, damage: Damage) -> Result<()> {
    let place = Place::make(options.postgres.as_deref()).await?;
    let mut run = Run::prepare(&place, &options.keystead, options.seed).await?;
    for round in 1..=DAMAGE_ROUNDS {
        let (inflicted, findings) = run.damaged_round(round, damage).await?;
        if inflicted {
            ensure!(
                !findings.is_empty(),
                "{damage:?} was inflicted and not found; all is in {}",
                place.keep()
            );
            let first = findings.first().map_or("", String::as_str);
            say::line(&format!("{damage:?} was inflicted and found: {first}"));
            return place.remove().await;
        }
        ensure!(findings.is_empty(), "found without damage: {findings:?}");
    }
    bail!("{damage:?} found nothing to damage in {DAMAGE_ROUNDS} rounds")
}
