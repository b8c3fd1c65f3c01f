//! Verifications beside a flood of sign-ins from many networks: each sign-in that is looked at costs a password's
//! digest, some tens of milliseconds of a core, and the server has one.

use super::requests::Requests;
use super::server::Server;
use crate::figure::Figure;
use crate::installation::Installation;
use crate::measure::{data_folder, own_command};
use crate::pinned::{LOAD_CORE, on_core};
use crate::say;
use crate::wrk::{self, Done, Load, Pace};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// The hidden command that floods.
pub const FLOOD: &str = "flood-child";
const CONNECTIONS: u32 = 32;
/// Those who sign in at once.
const FLOODERS: u32 = 64;
/// How long each waits after an answer.
const PAUSE: Duration = Duration::from_millis(10);
/// At a quarter of the full load.
const REST: Duration = Duration::from_millis(4);
const SECONDS: u64 = 10;
/// How long the flood runs before it is measured.
const BEFORE: Duration = Duration::from_secs(2);

/// What was answered to those who signed in.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answered {
    /// A password was looked at.
    wrong: u64,
    /// None was: the server was busy with others.
    busy: u64,
    /// Anything else.
    other: u64,
}

/// Measures.
///
/// # Errors
/// When the server does not start, or wrk is not there, or a verification is not answered.
pub async fn sign_ins() -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("sign-ins-").tempdir_in(data_folder()?)?;
    say::progress("making an installation with keys to verify");
    let requests = Requests::prepare(&Installation::embedded(folder.path()), folder.path()).await?;
    let mut server = Server::start(folder.path())?;
    let full = Load { connections: CONNECTIONS, seconds: 3, pace: Pace::Full };
    let peak = wrk::run(&requests.verify(&server), full)?.per_second;
    let connections = format!("{:.0}", peak / 4.0 * REST.as_secs_f64()).parse::<u32>()?.max(2);
    let quarter = Load { connections, seconds: SECONDS, pace: Pace::Rest(REST) };
    let alone = wrk::run(&requests.verify(&server), quarter)?;
    say::progress(&format!("{FLOODERS} sign in without a pause, each time from another network"));
    let flood = Flood::start(server.address())?;
    std::thread::sleep(BEFORE);
    let beside = wrk::run(&requests.verify(&server), quarter)?;
    let answered = flood.stop()?;
    server.stop()?;
    ensure!(answered.wrong > 0 && answered.busy > 0, "there was no flood: {answered:?}");
    ensure!(answered.other == 0, "sign-ins were answered otherwise: {answered:?}");
    Ok(figures(&alone, &beside, &answered))
}

fn figures(alone: &Done, beside: &Done, answered: &Answered) -> Vec<Figure> {
    let seconds = SECONDS as f64 + BEFORE.as_secs_f64();
    vec![
        Figure::told(
            "sign_in_flood_verified_share",
            beside.per_second / alone.per_second,
            "verifications beside a flood of sign-ins, of those without",
        ),
        Figure::told("sign_in_flood_alone_p50_us", alone.p50_us, "latency without it, median, µs"),
        Figure::told("sign_in_flood_alone_p99_us", alone.p99_us, "latency without it, 99 of 100, µs"),
        Figure::told("sign_in_flood_p50_us", beside.p50_us, "latency beside it, median, µs"),
        Figure::told("sign_in_flood_p99_us", beside.p99_us, "latency beside it, 99 of 100, µs"),
        Figure::told(
            "sign_in_flood_looked_at",
            answered.wrong as f64 / seconds,
            "passwords looked at a second",
        ),
        Figure::told("sign_in_flood_busy", answered.busy as f64 / seconds, "sign-ins answered 503 a second"),
    ]
}

/// A flood in a process of its own, on the core that sends; it ends when its standard input does.
struct Flood(Child);

impl Flood {
    fn start(server: SocketAddr) -> Result<Self> {
        let own = own_command(FLOOD)?;
        let child = on_core(LOAD_CORE, Path::new(own.get_program()))
            .args(own.get_args())
            .arg(server.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start taskset")?;
        Ok(Self(child))
    }

    fn stop(mut self) -> Result<Answered> {
        drop(self.0.stdin.take());
        let mut told = String::new();
        self.0.stdout.take().context("the flood's output")?.read_to_string(&mut told)?;
        ensure!(self.0.wait()?.success(), "the flood failed");
        Ok(serde_json::from_str(&told)?)
    }
}

/// Floods a server until the standard input ends.
///
/// # Errors
/// When the address is none.
pub async fn flood(server: &str) -> Result<()> {
    let server: SocketAddr = server.parse()?;
    let answered: Arc<[AtomicU64; 3]> = Arc::default();
    let number = Arc::new(AtomicU64::new(0));
    let mut flooders = tokio::task::JoinSet::new();
    for _ in 0..FLOODERS {
        let (answered, number) = (Arc::clone(&answered), Arc::clone(&number));
        flooders.spawn(async move {
            loop {
                let status = sign_in(server, number.fetch_add(1, Ordering::Relaxed)).await;
                let place = match status.as_deref() {
                    Ok("401") => 0,
                    Ok("503") => 1,
                    _ => 2,
                };
                if let Some(count) = answered.get(place) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    flooders.shutdown().await;
    let [wrong, busy, other] = std::array::from_fn(|place| {
        answered.get(place).map_or(0, |count: &AtomicU64| count.load(Ordering::Relaxed))
    });
    say::result(&serde_json::to_string(&Answered { wrong, busy, other })?);
    Ok(())
}

/// Signs in as nobody, from a network of its own: the status.
async fn sign_in(server: SocketAddr, number: u64) -> Result<String> {
    let [.., second, third] = number.to_be_bytes();
    let first = u8::try_from(number >> 16 & 0x7f)?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::new(127, first | 0x80, second, third.max(1)), 0).into())?;
    let mut stream = socket.connect(server).await?;
    let body = format!(
        r#"{{"email":"nobody-{number}@example.com","password":"a wrong horse battery","token":true}}"#
    );
    let request = format!(
        "POST /v1/sessions HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).context("no status")?.to_owned())
}
