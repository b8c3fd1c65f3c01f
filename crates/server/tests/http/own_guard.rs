//! The installation's own proxy before an API, with the keys of the installation.

use crate::house::{House, on_both_engines, origin};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use keystead_api::{Guard, GuardMode};
use keystead_proxy::{Plan, Proxy};
use keystead_server::configuration;
use keystead_server::own_guard::decide;
use keystead_server::request_id::RequestIds;
use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

on_both_engines! {
    a_key_passes_until_it_is_revoked_and_goes_no_further,
    what_is_not_there_lets_nothing_through,
    several_organizations_need_a_name,
}

type Heads = Arc<Mutex<Vec<http::request::Parts>>>;

/// An API that knows nothing of keys, and records what reaches it.
async fn api() -> (SocketAddr, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heads) = (listener.local_addr().unwrap(), Heads::default());
    let keep = Arc::clone(&heads);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let keep = Arc::clone(&keep);
            tokio::spawn(async move {
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    keep.lock().push(request.into_parts().0);
                    async {
                        Ok::<_, Infallible>(http::Response::new(Full::new(bytes::Bytes::from("served"))))
                    }
                });
                let _ =
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, heads)
}

/// The proxy, as a configuration file describes it.
async fn proxy(house: &House, api: SocketAddr, whose: &str) -> SocketAddr {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keystead.toml");
    let text = format!("[[guard]]\nlisten = \"127.0.0.1:0\"\nupstreams = [\"http://{api}\"]\n{whose}");
    std::fs::write(&path, text).unwrap();
    let loaded =
        configuration::load(&[("config".to_owned(), path.to_str().unwrap().to_owned())], []).unwrap();
    let guard = &loaded.guards[0];
    let listener = TcpListener::bind(guard.listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let ids = Arc::new(RequestIds::new(&mut ChaCha8Rng::seed_from_u64(5)));
    let plan = Plan::new(guard.proxy.clone(), None).unwrap();
    let proxy = Proxy::new(plan, decide(&house.keystead, &guard.whose, &ids));
    tokio::spawn(keystead_proxy::serve(listener, proxy, CancellationToken::new()));
    address
}

/// Guards `registry` of a tenant: its networks need a key.
async fn guard(house: &House) {
    let caller = house.keystead.recognise(house.admin.key(), origin("127.0.0.1")).await.unwrap();
    let mut guard = Guard::new(GuardMode::Enforce);
    guard.credentials.push("query:key".into());
    guard.routes = serde_json::from_value(json!([{"path": "/networks/**"}])).unwrap();
    house.keystead.set_guard(&caller, "registry", guard, None).await.unwrap();
}

async fn ask(stream: &mut TcpStream, path: &str, headers: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: api\r\n{headers}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"served") && !answer.ends_with(b"}") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

const ACME: &str = "organization = \"acme\"\nproject = \"registry\"\nenvironment = \"production\"\n";

async fn a_key_passes_until_it_is_revoked_and_goes_no_further(house: House) {
    guard(&house).await;
    let key = house.admin.issue(json!({})).await;
    let (api, heads) = api().await;
    let proxy = proxy(&house, api, ACME).await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    let stream = &mut stream;
    let bearer = format!("authorization: Bearer {}\r\n", key.key);
    assert!(ask(stream, "/networks/1", "").await.starts_with("HTTP/1.1 401 "));
    assert!(ask(stream, "/elsewhere", &bearer).await.starts_with("HTTP/1.1 403 "));
    let forged = ask(stream, "/networks/1", &format!("{bearer}x_keystead.owner: con_1\r\n")).await;
    assert!(forged.starts_with("HTTP/1.1 400 ") && forged.contains("identity_header_forged"), "{forged}");
    assert!(heads.lock().is_empty());
    assert!(ask(stream, "/networks/1", &bearer).await.starts_with("HTTP/1.1 200 "));
    assert!(
        ask(stream, &format!("/networks/2?a=1&key={}&b=2", key.key), "").await.starts_with("HTTP/1.1 200 ")
    );
    {
        let heads = heads.lock();
        assert_eq!(
            heads.iter().map(|head| head.uri.to_string()).collect::<Vec<_>>(),
            ["/networks/1", "/networks/2?a=1&b=2"]
        );
        assert!(!format!("{heads:?}").contains(key.secret()));
        for head in &*heads {
            assert_eq!(head.headers["x-keystead-key-id"], key.id);
            assert_eq!(head.headers["x-keystead-environment"], "production");
            assert_eq!(head.headers["x-forwarded-for"], "127.0.0.1");
        }
    }
    house.admin.post(&format!("{}/revoke", key.path()), json!({"reason": "Lost"})).await.ok();
    let revoked = ask(stream, "/networks/1", &bearer).await;
    assert!(revoked.starts_with("HTTP/1.1 401 ") && revoked.contains("\"code\":\"revoked\""), "{revoked}");
    assert_eq!(heads.lock().len(), 2);
}

async fn what_is_not_there_lets_nothing_through(house: House) {
    let key = house.admin.issue(json!({})).await;
    let bearer = format!("authorization: Bearer {}\r\n", key.key);
    let (api, heads) = api().await;
    let unguarded = proxy(&house, api, ACME).await;
    let nowhere = proxy(&house, api, &ACME.replace("production", "elsewhere")).await;
    let nobodys = proxy(&house, api, &ACME.replace("acme", "nobody")).await;
    for address in [unguarded, nowhere, nobodys] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let answer = ask(&mut stream, "/networks/1", &bearer).await;
        assert!(
            answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"code\":\"unavailable\""),
            "{answer}"
        );
    }
    assert!(heads.lock().is_empty());
    // Guarded from now on: the proxy that was there before serves.
    guard(&house).await;
    let mut stream = TcpStream::connect(unguarded).await.unwrap();
    assert!(ask(&mut stream, "/networks/1", &bearer).await.starts_with("HTTP/1.1 200 "));
    // A key of another tenant is nobody's here.
    let others = crate::house::Admin(house.other.0.clone()).issue(json!({})).await;
    let answer = ask(&mut stream, "/networks/1", &format!("authorization: Bearer {}\r\n", others.key)).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\"code\":\"not_found\""), "{answer}");
}

async fn several_organizations_need_a_name(house: House) {
    guard(&house).await;
    assert!(house.keystead.own_organization(None).await.is_err());
    let acme = house.keystead.own_organization(Some("acme")).await.unwrap();
    assert_eq!(house.keystead.own_organization(Some(&acme.to_string())).await.unwrap(), acme);
    assert!(house.keystead.own_environment(acme, "registry", "production").is_some());
    let system = house.keystead.own_environment(acme, "keystead", "production");
    assert!(system.is_none(), "Keystead's own API guards itself");
}
