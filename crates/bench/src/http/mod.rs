//! A verification over HTTP against a JSON echo of the same sizes, on the same server, in turns.

mod overload;
mod requests;
mod server;
mod sign_ins;

pub use overload::overload;
pub use server::{COMMAND, child};
pub use sign_ins::{FLOOD, flood, sign_ins};

use crate::figure::Figure;
use crate::installation::Installation;
use crate::measure::{cpu_time, data_folder, median};
use crate::say;
use crate::wrk::{self, Load, Pace};
use anyhow::{Result, ensure};
use requests::Requests;
use server::Server;

const ROUNDS: usize = 5;
const ROUND_SECONDS: u64 = 3;
const CONNECTIONS: u32 = 32;

/// Processor microseconds of the server a request, and requests a second.
struct Cost {
    cpu_us: f64,
    per_second: f64,
}

/// Measures.
///
/// # Errors
/// When the server does not start, wrk is not there, or a request is not answered as it should be.
pub async fn figures() -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("http-").tempdir_in(data_folder()?)?;
    say::progress("making an installation with keys to verify");
    let installation = Installation::embedded(folder.path());
    let requests = Requests::prepare(&installation, folder.path()).await?;
    let mut server = Server::start(folder.path())?;
    let sizes = requests.match_sizes(server.address())?;
    say::progress(&format!(
        "bodies: {} bytes in, {} bytes out; server on one core, wrk on the other",
        sizes.request, sizes.response
    ));
    let (echoing, verifying) = (requests.echo(&server, &sizes), requests.verify(&server));
    for target in [&echoing, &verifying] {
        wrk::run(target, Load { connections: CONNECTIONS, seconds: 2, pace: Pace::Full })?;
    }
    let (mut echo, mut verify) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        echo.push(cost(&server, &echoing)?);
        verify.push(cost(&server, &verifying)?);
    }
    let ratios = verify.iter().zip(&echo).map(|(verify, echo)| verify.cpu_us / echo.cpu_us).collect();
    let of = |costs: &[Cost], figure: fn(&Cost) -> f64| median(costs.iter().map(figure).collect());
    let full = of(&verify, |cost| cost.per_second);
    let half = wrk::at_half_load(&verifying, full, || Ok(()))?;
    let told = server.stop()?;
    ensure!(told.refused == 0, "{} verdicts were not `valid`", told.refused);
    say::progress(&format!("{} verdicts, {} usage events dropped", told.valid, told.usage_dropped));
    Ok(vec![
        Figure::at_most(
            "http_cpu_over_echo",
            median(ratios),
            1.35,
            "server CPU of a verification over an echo",
        ),
        Figure::told("http_cpu_us_verify", of(&verify, |cost| cost.cpu_us), "server CPU a verification, µs"),
        Figure::told("http_cpu_us_echo", of(&echo, |cost| cost.cpu_us), "server CPU an echo, µs"),
        Figure::told("http_per_second_verify", full, "verifications a second, one core"),
        Figure::told("http_per_second_echo", of(&echo, |cost| cost.per_second), "echoes a second, one core"),
        Figure::told("http_p50_us", half.p50_us, "latency at half load, median, µs"),
        Figure::told("http_p99_us", half.p99_us, "latency at half load, 99 of 100, µs"),
        Figure::told("http_half_load_share", half.share, "of the most that was answered"),
        Figure::told(
            "http_usage_dropped_share",
            told.usage_dropped as f64 / (told.valid as f64).max(1.0),
            "usage events dropped, told by the server",
        ),
    ])
}

fn cost(server: &Server, target: &wrk::Target) -> Result<Cost> {
    let before = cpu_time(server.process())?;
    let load = Load { connections: CONNECTIONS, seconds: ROUND_SECONDS, pace: Pace::Full };
    let done = wrk::run(target, load)?;
    let cpu = cpu_time(server.process())?.saturating_sub(before);
    Ok(Cost { cpu_us: cpu.as_secs_f64() * 1e6 / done.requests, per_second: done.per_second })
}
