//! TLS before and behind the proxy.

use crate::house::{Upstream, allow, raw_upstream, settings, start};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead_listen::Tls;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) fn pair(folder: &Path) -> Arc<Tls> {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    std::fs::write(&certificate, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    Tls::load(&certificate, &key).unwrap()
}

pub(crate) async fn connect(address: SocketAddr, folder: &Path, protocol: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("tls.crt")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn both_protocols_come_over_tls_and_the_upstream_learns_it() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), Some(pair(folder.path()))).await;
    let mut stream = connect(proxy.address, folder.path(), "http/1.1").await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let stream = connect(proxy.address, folder.path(), "h2").await;
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://a/").body(Empty::<bytes::Bytes>::new()).unwrap();
    assert!(client.send_request(request).await.unwrap().status().is_success());
    let seen = upstream.seen.lock();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.headers["x-forwarded-proto"] == "https"), "{seen:?}");
}

/// An upstream over TLS, in front of one without.
async fn encrypted(tls: Arc<Tls>, to: SocketAddr) -> SocketAddr {
    start(settings(&[to]), allow(), Some(tls)).await.address
}

#[tokio::test]
async fn an_upstream_is_trusted_for_its_certificate_and_name_only() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let upstream = Upstream::echo().await;
    let address = encrypted(pair(folder.path()), upstream.address).await;
    pair(other.path());
    for (host, authority, http2, status) in [
        ("localhost", &folder, false, 200),
        ("localhost", &folder, true, 200),
        ("127.0.0.1", &folder, false, 502),
        ("localhost", &other, false, 502),
    ] {
        let mut settings = settings(&[]);
        settings.upstreams = vec![format!("https://{host}:{}", address.port()).parse().unwrap()];
        settings.ca_file = Some(authority.path().join("tls.crt"));
        settings.http2 = http2;
        let proxy = start(settings, allow(), None).await;
        let mut client = crate::http2::client(proxy.address).await;
        let request = http::Request::get("http://a/").body(crate::house::full("")).unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{host} {http2}");
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(upstream.count(), 2);
}

/// Whoever answers in the clear where TLS was wanted gets no request.
#[tokio::test]
async fn nothing_is_sent_in_the_clear_where_tls_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path());
    let heard = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let keep = Arc::clone(&heard);
    let address = raw_upstream(move |mut stream, _| {
        let keep = Arc::clone(&keep);
        async move {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            keep.lock().extend_from_slice(&bytes[..read]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let mut settings = settings(&[]);
    settings.upstreams = vec![format!("https://localhost:{}", address.port()).parse().unwrap()];
    settings.ca_file = Some(folder.path().join("tls.crt"));
    let proxy = start(settings, allow(), None).await;
    let answer = crate::house::say(
        proxy.address,
        "GET / HTTP/1.1\r\nhost: a\r\nx-api-key: canary\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let heard = heard.lock();
    assert!(!heard.is_empty() && !heard.windows(6).any(|six| six == b"canary"));
}
