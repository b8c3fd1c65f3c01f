//! Connections to upstreams.

use crate::Origin;
use crate::upload::Upload;
use futures_util::FutureExt;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_platform_verifier::BuilderVerifierExt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

/// Bytes of the head of an answer, and of what is read ahead of a slow client.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How often an HTTP/2 upstream with requests in work is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Why upstreams' certificates cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of authorities cannot be used.
    #[error("{path}: there are no certificates of authorities in PEM form ({reason})")]
    Read {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The system's own authorities cannot be used.
    #[error("the system's authorities cannot be used ({0})")]
    System(#[from] rustls::Error),
}

/// Where requests are handed in.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(Http1),
    Http2(http2::SendRequest<Upload>),
}

/// A connection for one request at a time. It closes when this is dropped, also in the middle of an upload that the
/// upstream does not take.
#[derive(Debug)]
pub(crate) struct Http1 {
    pub(crate) requests: http1::SendRequest<Upload>,
    pub(crate) task: AbortOnDropHandle<()>,
}

/// What checks upstreams' certificates.
pub(crate) fn connector(ca_file: Option<&Path>, http2: bool) -> Result<TlsConnector, TrustError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = match ca_file {
        Some(path) => builder.with_root_certificates(authorities(path)?),
        None => builder.with_platform_verifier()?,
    }
    .with_no_client_auth();
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities(path: &Path) -> Result<RootCertStore, TrustError> {
    let failed = |reason: String| TrustError::Read { path: path.display().to_string(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("the file holds none".to_owned())) } else { Ok(roots) }
}

/// Connects, and waits for nothing but the handshakes.
pub(crate) async fn connect(
    origin: &Origin,
    tls: Option<&TlsConnector>,
    http2: bool,
) -> Result<Sender, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await?;
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls.filter(|_| origin.tls) else {
        return Ok(speak(stream, http2).await?);
    };
    let name = ServerName::try_from(origin.host.clone())?;
    let stream = tls.connect(name, stream).await?;
    if http2 && stream.get_ref().1.alpn_protocol() != Some(&b"h2"[..]) {
        return Err(io::Error::other("the upstream does not speak HTTP/2").into());
    }
    Ok(speak(stream, http2).await?)
}

async fn speak<I>(stream: I, http2: bool) -> hyper::Result<Sender>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_INTERVAL)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .max_send_buf_size(HEAD_BYTES_MAX);
        let (sender, connection) = builder.handshake(stream).await?;
        tokio::spawn(connection);
        return Ok(Sender::Http2(sender));
    }
    let mut builder = http1::Builder::new();
    let (requests, connection) = builder.max_buf_size(HEAD_BYTES_MAX).handshake(stream).await?;
    // Its errors are told to who waits for an answer.
    let task = AbortOnDropHandle::new(tokio::spawn(connection.with_upgrades().map(drop)));
    Ok(Sender::Http1(Http1 { requests, task }))
}
