//! Three times as much as the server can answer, for a minute: what it still answers, whether its
//! administrators get through, what it needs of memory, and whether it is itself again at once.

use super::CONNECTIONS;
use super::requests::Requests;
use super::server::Server;
use crate::figure::Figure;
use crate::installation::Installation;
use crate::measure::{data_folder, instant, resident_bytes_of};
use crate::say;
use crate::wrk::{self, Load, Pace};
use anyhow::Result;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PEAK_SECONDS: u64 = 5;
/// The first second after, and no more: "at once" is what is measured.
const AFTER_SECONDS: u64 = 1;
const TIMES: f64 = 3.0;
/// Each connection would send so often if it were answered at once.
const REST: Duration = Duration::from_millis(4);
const WATCH_PAUSE: Duration = Duration::from_millis(100);
const MEBIBYTE: f64 = 1_048_576.0;

/// What was seen beside the load.
#[derive(Debug, Default)]
struct Watched {
    asked: f64,
    answered: f64,
    slowest: Duration,
    resident_max: u64,
}

/// Measures, the overload for so many seconds.
///
/// # Errors
/// When the server does not start, or wrk is not there.
pub async fn overload(seconds: u64) -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("overload-").tempdir_in(data_folder()?)?;
    say::progress("making an installation with keys to verify");
    let requests = Requests::prepare(&Installation::embedded(folder.path()), folder.path()).await?;
    let mut server = Server::start(folder.path())?;
    let full = |seconds| Load { connections: CONNECTIONS, seconds, pace: Pace::Full };
    wrk::run(&requests.verify(&server), full(2))?;
    let peak = wrk::run(&requests.verify(&server), full(PEAK_SECONDS))?.per_second;
    let before = resident_bytes_of(server.process())?;
    let connections = format!("{:.0}", TIMES * peak * REST.as_secs_f64()).parse()?;
    say::progress(&format!(
        "{peak:.0} a second at most; now {TIMES} times that on {connections} connections"
    ));
    let load = Load { connections, seconds, pace: Pace::Rest(REST) };
    let (done, watched) = beside(&server, &requests, || wrk::run_lossy(&requests.verify(&server), load))?;
    let after = wrk::run(&requests.verify(&server), full(AFTER_SECONDS))?.per_second;
    server.stop()?;
    let good = done.per_second * (1.0 - done.errors() / done.requests.max(1.0));
    let grown = watched.resident_max.saturating_sub(before) as f64 / MEBIBYTE;
    Ok(vec![
        Figure::at_least(
            "overload_goodput_share",
            good / peak,
            0.85,
            "answered under 3 times the load, of the peak",
        ),
        Figure::at_least(
            "overload_admin_share",
            watched.answered / watched.asked.max(1.0),
            1.0,
            "administrators' requests answered meanwhile",
        ),
        Figure::at_most("overload_memory_mib", grown, 64.0, "more memory of the server meanwhile, MiB"),
        Figure::at_least(
            "overload_after_share",
            after / peak,
            0.85,
            "answered in the first second after, of the peak",
        ),
        Figure::told("overload_peak_per_second", peak, "verifications a second, one core"),
        Figure::told("overload_p99_us", done.p99_us, "latency meanwhile, 99 of 100, µs"),
        Figure::told(
            "overload_admin_ms",
            watched.slowest.as_secs_f64() * 1e3,
            "an administrator's slowest, ms",
        ),
    ])
}

/// Runs `work` while an administrator asks now and then, and the server's memory is looked at.
fn beside<T>(server: &Server, requests: &Requests, work: impl FnOnce() -> Result<T>) -> Result<(T, Watched)> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut watched = Watched::default();
            while !over.load(Ordering::SeqCst) {
                let begun = instant();
                watched.asked += 1.0;
                if requests.administer(server.address()).is_ok() {
                    watched.answered += 1.0;
                }
                watched.slowest = watched.slowest.max(begun.elapsed());
                let resident = resident_bytes_of(server.process()).unwrap_or(0);
                watched.resident_max = watched.resident_max.max(resident);
                std::thread::sleep(WATCH_PAUSE);
            }
            watched
        });
        let done = work();
        over.store(true, Ordering::SeqCst);
        let watched = watching.join().map_err(|_| anyhow::anyhow!("watching failed"))?;
        Ok((done?, watched))
    })
}
