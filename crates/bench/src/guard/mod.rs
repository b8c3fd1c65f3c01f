//! Guarding an API: Keystead behind the proxies that people have, and its own, beside what these do without it. All in
//! one run, in turns.

mod child;
mod configurations;
mod house;
mod peers;
mod sockets;

pub use child::{COMMAND, child};

use crate::figure::Figure;
use crate::measure::{data_folder, median, resident_bytes_of};
use crate::say;
use crate::wrk::{self, Load, Pace};
use anyhow::{Context, Result};
use house::House;
use peers::{NAMES, Peer};
use std::collections::BTreeMap;

const ROUNDS: usize = 5;
const CONNECTIONS: u32 = 32;
const SECONDS: u64 = 2;
const MEBIBYTE: f64 = 1_048_576.0;

/// Requests a second of each peer, round by round.
type Rounds = BTreeMap<&'static str, Vec<f64>>;

/// Measures, all peers or those that were named; the decision and the WebSockets only with all.
///
/// # Errors
/// When a peer is not known, a proxy is not installed or does not start, wrk is not there, or a request is not answered
/// as it should be.
pub async fn figures(named: Option<&str>) -> Result<Vec<Figure>> {
    let names = chosen(named)?;
    let folder = tempfile::Builder::new().prefix("guard-").tempdir_in(data_folder()?)?;
    say::progress("making an installation with keys, and an API that is guarded");
    let mut house = House::make(folder.path()).await?;
    let mut peers = Vec::with_capacity(names.len());
    for name in &names {
        peers.push(Peer::start(name, &house)?);
    }
    say::progress("one core for each proxy and what it asks, the other for wrk and the API behind");
    let full = |seconds| Load { connections: CONNECTIONS, seconds, pace: Pace::Full };
    for peer in &peers {
        wrk::run(&house.target(peer.address), full(1))?;
    }
    let before = resident_bytes_of(house.process())?;
    let mut rounds = Rounds::new();
    for round in 1..=ROUNDS {
        say::progress(&format!("round {round} of {ROUNDS}"));
        for peer in &peers {
            let done = wrk::run(&house.target(peer.address), full(SECONDS))?;
            rounds.entry(peer.name).or_default().push(done.per_second);
        }
    }
    let grown = resident_bytes_of(house.process())?.saturating_sub(before) as f64 / MEBIBYTE;
    let mut figures = ratios(&rounds);
    figures.push(Figure::at_most(
        "guard_memory_grown_mib",
        grown,
        16.0,
        "more memory of Keystead after the rounds than before, MiB",
    ));
    if named.is_none() {
        figures.extend(decision(&mut house, of(&rounds, "own"))?);
        drop(peers);
        figures.extend(sockets::figures(&house).await?);
    }
    house.end()?;
    figures.extend(names.iter().filter_map(|name| {
        let (figure, what) = peers::told(name)?;
        Some(Figure::told(figure, of(&rounds, name), what))
    }));
    Ok(figures)
}

fn chosen(named: Option<&str>) -> Result<Vec<&'static str>> {
    let Some(named) = named else { return Ok(NAMES.to_vec()) };
    let known = |name: &str| NAMES.into_iter().find(|known| *known == name);
    let unknown = |name| format!("there is no peer {name}; there are {}", NAMES.join(", "));
    named.split(',').map(|name| known(name).with_context(|| unknown(name))).collect()
}

fn of(rounds: &Rounds, name: &str) -> f64 {
    rounds.get(name).map_or(0.0, |values| median(values.clone()))
}

/// The middle of the rounds' own ratios, because the machine's speed drifts between rounds; none where a peer was left
/// out.
fn ratio(rounds: &Rounds, name: &str, base: &str) -> Option<f64> {
    let (values, bases) = (rounds.get(name)?, rounds.get(base)?);
    Some(median(values.iter().zip(bases).map(|(value, base)| value / base).collect()))
}

fn ratios(rounds: &Rounds) -> Vec<Figure> {
    let at_least = |figure, name, base, bound, what| {
        ratio(rounds, name, base).map(|ratio| Figure::at_least(figure, ratio, bound, what))
    };
    let told =
        |figure, name, base, what| ratio(rounds, name, base).map(|ratio| Figure::told(figure, ratio, what));
    let figures = [
        at_least(
            "guard_nginx_over_constant",
            "nginx_keystead",
            "nginx_constant",
            0.85,
            "nginx with Keystead, of the same asking a second nginx that always allows",
        ),
        told(
            "guard_nginx_socket_over_constant",
            "nginx_keystead_socket",
            "nginx_constant",
            "nginx with Keystead at a socket, of the same",
        ),
        told(
            "guard_nginx_socket_over_constant_socket",
            "nginx_keystead_socket",
            "nginx_constant_socket",
            "nginx with Keystead at a socket, of the same asking a second nginx at a socket",
        ),
        told(
            "guard_nginx_over_inner",
            "nginx_keystead",
            "nginx_inner",
            "the same, of auth_request to a constant within the same nginx",
        ),
        at_least(
            "guard_own_over_envoy_key",
            "own",
            "envoy_key",
            2.0,
            "our own proxy, deciding, of Envoy with its api_key_auth",
        ),
        at_least(
            "guard_own_over_nginx_plain",
            "own",
            "nginx_plain",
            0.6,
            "our own proxy, deciding, of nginx that lets everything through",
        ),
        told(
            "guard_envoy_over_plain",
            "envoy_keystead",
            "envoy_plain",
            "Envoy with Keystead over HTTP, of Envoy that lets everything through",
        ),
        told("guard_envoy_grpc_over_plain", "envoy_grpc_keystead", "envoy_plain", "the same over gRPC"),
    ];
    figures.into_iter().flatten().collect()
}

/// What a decision takes inside our own proxy, at half of the most that it can.
fn decision(house: &mut House, full: f64) -> Result<Vec<Figure>> {
    say::progress("our own proxy at half load");
    let target = house.target(house.own());
    let half = wrk::at_half_load(&target, full, || house.forget())?;
    let took = house.took()?;
    Ok(vec![
        Figure::at_most("guard_decision_p50_us", took.p50_us, 20.0, "a decision at half load, median, µs"),
        Figure::at_most(
            "guard_decision_p99_us",
            took.p99_us,
            200.0,
            "a decision at half load, 99 of 100, µs",
        ),
        Figure::told("guard_own_p50_us", half.p50_us, "our own proxy's answer at half load, median, µs"),
        Figure::told("guard_own_p99_us", half.p99_us, "our own proxy's answer at half load, 99 of 100, µs"),
        Figure::told("guard_half_load_share", half.share, "of the most that was answered"),
    ])
}
