//! Listening at an address, for the server and its own proxies.

use crate::exit::Failure;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Listens there; where exactly, for port 0 takes a free one. `setting` is what names the address.
pub(super) async fn bind(listen: SocketAddr, setting: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::local(
            format!("{listen} cannot be listened on: {error}."),
            format!("Stop what listens there, or choose another address {setting}."),
        )
    })?;
    let address = listener.local_addr().unwrap_or(listen);
    Ok((listener, address))
}
