//! What connections come to: a port, or a socket in the file system.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// What connections come to.
pub trait Listener: Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Whether it listens anywhere.
    ///
    /// # Errors
    /// When it has no address.
    fn check(&self) -> io::Result<()>;

    /// The next connection, and the address of its other end; `0.0.0.0:0` where that has none.
    fn accepted(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn check(&self) -> io::Result<()> {
        self.local_addr().map(drop)
    }

    async fn accepted(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.accept().await?;
        // Without this, small answers wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    fn check(&self) -> io::Result<()> {
        self.local_addr().map(drop)
    }

    async fn accepted(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, _) = self.accept().await?;
        Ok((stream, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))
    }
}
