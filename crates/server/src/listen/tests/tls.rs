//! TLS: both protocols by ALPN, and a pair that is replaced while the server runs.

use super::*;
use std::path::Path;
use std::time::SystemTime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Writes a new pair for `localhost`, and gives its certificate.
fn write_pair(folder: &Path) -> CertificateDer<'static> {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), pair.signing_key.serialize_pem()).unwrap();
    pair.cert.der().clone()
}

fn load(folder: &Path) -> Result<Arc<Tls>, TlsError> {
    Tls::load(&folder.join("tls.crt"), &folder.join("tls.key"))
}

/// A connection that trusts just this certificate.
async fn connect(
    server: &Server,
    trusted: &CertificateDer<'static>,
    protocol: &[u8],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn both_protocols_are_spoken_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let server = start(limits(), Some(load(folder.path()).unwrap())).await;

    let stream = connect(&server, &certificate, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/peer").body(Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().version(), Version::HTTP_2);

    let stream = connect(&server, &certificate, b"http/1.1").await.unwrap();
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/peer").header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().version(), Version::HTTP_11);
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let server = start(limits(), Some(load(folder.path()).unwrap())).await;
    assert!(!say(&server, b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("HTTP/1.1"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_shake_hands_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let server = start(limits(), Some(load(folder.path()).unwrap())).await;
    assert_eq!(say(&server, b"").await, "");
}

#[tokio::test]
async fn a_new_pair_is_used_and_garbage_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_pair(folder.path());
    let tls = load(folder.path()).unwrap();
    let server = start(limits(), Some(Arc::clone(&tls))).await;

    std::fs::write(folder.path().join("tls.crt"), "garbage").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Pem { wanted: "certificate", .. })));
    assert!(connect(&server, &old, b"h2").await.is_ok());

    // Half of a new pair: the certificate has come, its key has not.
    let new = write_pair(folder.path());
    let other = tempfile::tempdir().unwrap();
    write_pair(other.path());
    let key = std::fs::read(folder.path().join("tls.key")).unwrap();
    std::fs::copy(other.path().join("tls.key"), folder.path().join("tls.key")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Pair(_))));
    assert!(connect(&server, &old, b"h2").await.is_ok());

    std::fs::write(folder.path().join("tls.key"), key).unwrap();
    tls.reload().unwrap();
    assert!(connect(&server, &new, b"h2").await.is_ok());
    assert!(connect(&server, &old, b"h2").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let tls = load(folder.path()).unwrap();
    let shutdown = CancellationToken::new();
    let watching = tokio::spawn(Arc::clone(&tls).watch(shutdown.clone()));
    let mut in_force = tls.in_force();
    let new = write_pair(folder.path());
    for file in ["tls.crt", "tls.key"] {
        // Later than what was seen, also where the file system's clock is coarse.
        let file = std::fs::File::options().write(true).open(folder.path().join(file)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000)).unwrap();
    }
    in_force.changed().await.unwrap();
    assert_eq!(in_force.borrow().cert[0], new);
    shutdown.cancel();
    watching.await.unwrap();
}

#[test]
fn what_cannot_be_used_is_refused_with_the_files_name_and_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let told = load(folder.path()).unwrap_err().to_string();
    assert!(told.contains("tls.crt: the file cannot be read"), "{told}");
    write_pair(folder.path());
    std::fs::write(folder.path().join("tls.key"), "-----BEGIN PRIVATE KEY-----\ncanary\n").unwrap();
    let error = load(folder.path()).unwrap_err();
    assert!(error.to_string().contains("tls.key: there is no private key"), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
}
