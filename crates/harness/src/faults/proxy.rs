//! Between the server and its database: passes everything on, the database's answers as late as wanted.

use anyhow::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy; dropping it closes it to new connections.
pub(super) struct Proxy {
    address: SocketAddr,
    late_ms: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port.
    pub(super) async fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let late_ms = Arc::new(AtomicU64::new(0));
        let late = Arc::clone(&late_ms);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (late, target) = (Arc::clone(&late), target.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(&target).await {
                        between(client, server, late).await;
                    }
                });
            }
        });
        Ok(Self { address, late_ms, accepting })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, each answer is so late.
    pub(super) fn late(&self, by: Duration) {
        self.late_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn between(client: TcpStream, server: TcpStream, late_ms: Arc<AtomicU64>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let asked = tokio::spawn(pass(from_client, to_server, Arc::default()));
    pass(from_server, to_client, late_ms).await;
    asked.abort();
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, late_ms: Arc<AtomicU64>) {
    let mut bytes = [0; 16_384];
    while let Ok(count) = from.read(&mut bytes).await {
        let late = Duration::from_millis(late_ms.load(Ordering::SeqCst));
        tokio::time::sleep(late).await;
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
        if to.write_all(read).await.is_err() {
            break;
        }
    }
}
