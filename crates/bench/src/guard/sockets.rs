//! What an idle WebSocket costs of memory in our own proxy: its client, its upstream, and what stands between.

use super::house::House;
use crate::figure::Figure;
use crate::measure::resident_bytes_of;
use crate::population::PATH;
use crate::say;
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// As many as are wished for.
const SOCKETS: usize = 10_000;
/// Descriptors of a process that are no sockets.
const OTHER_FILES: usize = 200;
/// Those that connect at once.
const AT_ONCE: usize = 100;
/// For each to be there.
const TIME_MAX: Duration = Duration::from_secs(10);
const MESSAGE: &[u8] = b"\x82\x04ping";

/// Measures.
///
/// # Errors
/// When a connection is not upgraded.
pub(super) async fn figures(house: &House) -> Result<Vec<Figure>> {
    // A tunnel takes two of them in the proxy; here, too, where both its ends are.
    let count = SOCKETS.min((descriptors()?.saturating_sub(OTHER_FILES)) / 2);
    say::progress(&format!("{count} idle WebSockets through our own proxy"));
    let listener = TcpListener::bind(house.sockets_api).await?;
    let api = tokio::spawn(serve(listener));
    let key = house.keys.first().context("no key")?;
    let first = open(house, key).await?;
    let before = resident_bytes_of(house.process())?;
    let mut sockets = vec![first];
    while sockets.len() < count {
        let batch = AT_ONCE.min(count - sockets.len());
        let opened = futures_util::future::try_join_all((0..batch).map(|_| open(house, key))).await?;
        sockets.extend(opened);
    }
    let grown = resident_bytes_of(house.process())?.saturating_sub(before) as f64;
    api.abort();
    Ok(vec![
        Figure::told("guard_sockets", sockets.len() as f64, "idle WebSockets through our own proxy"),
        Figure::told("guard_socket_kib", grown / 1024.0 / (sockets.len() - 1) as f64, "memory of each, KiB"),
    ])
}

/// A connection that became a WebSocket and carried a message each way.
async fn open(house: &House, key: &str) -> Result<TcpStream> {
    let opening = async {
        let mut stream = TcpStream::connect(house.sockets()).await?;
        let request = format!(
            "GET {PATH} HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: {key}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let head = head(&mut stream).await?;
        ensure!(head.starts_with("HTTP/1.1 101"), "a WebSocket is answered {head}");
        stream.write_all(MESSAGE).await?;
        let mut back = [0; MESSAGE.len()];
        stream.read_exact(&mut back).await?;
        ensure!(back == MESSAGE, "a message came back as another one");
        Ok(stream)
    };
    tokio::time::timeout(TIME_MAX, opening).await.context("a WebSocket is not answered")?
}

/// The API: accepts everything and sends back what it gets.
async fn serve(listener: TcpListener) -> Result<()> {
    let mut sockets = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await?;
        sockets.spawn(async move {
            head(&mut stream).await?;
            let accepted =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            stream.write_all(accepted.as_bytes()).await?;
            let mut message = [0; MESSAGE.len()];
            loop {
                stream.read_exact(&mut message).await?;
                stream.write_all(&message).await?;
            }
            #[expect(unreachable_code, reason = "says which error ends it")]
            anyhow::Ok(())
        });
    }
}

/// A message's head, with the empty line behind it.
async fn head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
        ensure!(head.len() < 8_192, "a head does not end");
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// How many files a process may have open: this one and, started by it, the server.
fn descriptors() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").context("no Linux /proc")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.context("no limit of open files in /proc")
}
