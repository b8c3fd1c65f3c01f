//! TLS with a certificate that can be replaced while the server runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Bytes of the largest PEM file.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// A certificate or key that cannot be used. The texts name files and reasons, never what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(
        "{path}: the file cannot be read ({source}). Check that it exists and that the server may read it."
    )]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: there is no {wanted} in PEM form. Write it between its BEGIN and END lines.")]
    Pem {
        /// Which.
        path: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("the certificate and its key cannot be used together ({0}). Give both files of one pair.")]
    Pair(tokio_rustls::rustls::Error),
}

/// The certificate in force, and how to follow its files.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    /// Before the pair was read: what changes meanwhile is found at the first look.
    first_seen: Stamps,
    in_force: Arc<InForce>,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the pair. HTTP/2 and HTTP/1.1 are offered over TLS 1.3 and 1.2.
    ///
    /// # Errors
    /// When a file cannot be read, or the two are no pair.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let first_seen = stamps(certificate, key);
        let pair = Arc::new(read_pair(certificate, key, &provider)?);
        let in_force = Arc::new(InForce(watch::Sender::new(pair)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&in_force) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            first_seen,
            in_force,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }))
    }

    /// Reads the files again; new connections use the new pair.
    ///
    /// # Errors
    /// When the new pair cannot be used; the one before stays in force.
    pub fn reload(&self) -> Result<(), TlsError> {
        let pair = read_pair(&self.certificate, &self.key, &aws_lc_rs::default_provider())?;
        self.in_force.0.send_replace(Arc::new(pair));
        Ok(())
    }

    /// Reloads when a file has changed, and on SIGHUP, until `shutdown`. A pair that cannot be used is logged.
    pub async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        let mut hangups = signal(SignalKind::hangup()).ok();
        let mut seen = self.first_seen;
        loop {
            let asked = tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => false,
                () = hangup(&mut hangups) => true,
            };
            // Before reading: what changes while the files are read is found at the next look.
            let now = stamps(&self.certificate, &self.key);
            if !asked && now == seen {
                continue;
            }
            seen = now;
            match self.reload() {
                Ok(()) => tracing::info!("the new certificate is in force"),
                Err(error) => tracing::error!(%error, "the certificate before stays in force"),
            }
        }
    }

    /// The pair that new connections get, now and whenever it is replaced.
    #[must_use]
    pub fn in_force(&self) -> watch::Receiver<Arc<CertifiedKey>> {
        self.in_force.0.subscribe()
    }

    pub(super) async fn accept<I>(&self, stream: I) -> std::io::Result<TlsStream<I>>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

async fn hangup(hangups: &mut Option<tokio::signal::unix::Signal>) {
    let heard = match hangups {
        Some(hangups) => hangups.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending().await
    }
}

/// When each file was last changed, and how long it is.
type Stamps = [Option<(SystemTime, u64)>; 2];

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read_pair(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unusable = |path: &Path, wanted| TlsError::Pem { path: path.display().to_string(), wanted };
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| unusable(certificate, "certificate"))?;
    let key_der = PrivateKeyDer::from_pem_slice(&Zeroizing::new(read(key)?))
        .map_err(|_| unusable(key, "private key"))?;
    CertifiedKey::from_der(chain, key_der, provider).map_err(TlsError::Pair)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.display().to_string(), source };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.len() > PEM_BYTES_MAX {
        return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "larger than 1 MiB")));
    }
    std::fs::read(path).map_err(failed)
}

struct InForce(watch::Sender<Arc<CertifiedKey>>);

impl fmt::Debug for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InForce")
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.borrow()))
    }
}
