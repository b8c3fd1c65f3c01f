//! Between the server and its database: passes everything on, the database's answers as late as wanted,
//! or nothing at all, as a network does that drops packets.

use anyhow::Result;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy; dropping it closes it to new connections.
pub(crate) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    accepting: JoinHandle<()>,
}

/// What the line does to those who talk over it.
#[derive(Default)]
struct Line {
    late_ms: AtomicU64,
    cut: AtomicBool,
    /// Counts the cuts: who was connected before one never hears anything again.
    cuts: AtomicU64,
    /// Ends of connections whose other end is not told that they are gone: that packet is dropped, too.
    dead: Mutex<Vec<OwnedWriteHalf>>,
}

impl Line {
    fn drops(&self, since: u64) -> bool {
        self.cut.load(Ordering::SeqCst) || self.cuts.load(Ordering::SeqCst) != since
    }
}

impl Proxy {
    /// Listens on a free port.
    pub(crate) async fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (line, target) = (Arc::clone(&shared), target.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(&target).await {
                        between(client, server, line).await;
                    }
                });
            }
        });
        Ok(Self { address, line, accepting })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, each answer is so late.
    pub(crate) fn late(&self, by: Duration) {
        self.line.late_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// From now on, nothing comes through; nobody is told.
    pub(crate) fn cut(&self) {
        self.line.cut.store(true, Ordering::SeqCst);
        self.line.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// New connections come through again; those from before stay dead.
    pub(crate) fn heal(&self) {
        self.line.cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn between(client: TcpStream, server: TcpStream, line: Arc<Line>) {
    let since = line.cuts.load(Ordering::SeqCst);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let asked = tokio::spawn(pass(from_client, to_server, Arc::clone(&line), since, false));
    pass(from_server, to_client, Arc::clone(&line), since, true).await;
    if !line.drops(since) {
        asked.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: Arc<Line>, since: u64, answers: bool) {
    let mut bytes = [0; 16_384];
    while let Ok(count) = from.read(&mut bytes).await {
        if answers {
            tokio::time::sleep(Duration::from_millis(line.late_ms.load(Ordering::SeqCst))).await;
        }
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
        if !line.drops(since) && to.write_all(read).await.is_err() {
            break;
        }
    }
    if line.drops(since) {
        line.dead.lock().push(to);
    }
}
