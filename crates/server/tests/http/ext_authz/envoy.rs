//! Envoy, as far as it asks and is answered: over a connection of HTTP/2 each time.

use super::METHOD;
use super::messages::{
    Address, Asked, Attributes, Check, Checked, Field, Header, HeaderOption, Headers, Http, Kind, OneAddress,
    Outcome, Passes, Peer, Socket,
};
use crate::house::{Client, House};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::net::TcpStream;

/// `OVERWRITE_IF_EXISTS_OR_ADD`
const OVERWRITE: i32 = 2;

/// gRPC's own codes.
pub(super) const PERMISSION_DENIED: i32 = 7;
pub(super) const UNAUTHENTICATED: i32 = 16;

/// What Envoy says of a GET.
pub(super) fn get(path: &str, headers: &[(&str, &str)]) -> Check {
    let raw = |name: &str, value: &str| Header {
        key: name.to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    };
    let own = [(":method", "GET"), (":path", path), (":authority", "api.example")];
    let headers = own.iter().chain(headers).map(|(name, value)| raw(name, value)).collect();
    let http = Http {
        method: "GET".to_owned(),
        path: path.to_owned(),
        host: "api.example".to_owned(),
        header_map: Some(Headers { headers }),
        ..Http::default()
    };
    let mut check = Check { attributes: Some(Attributes::default()) };
    check.attributes.as_mut().unwrap().request = Some(Asked { http: Some(http) });
    from(check, "203.0.113.7")
}

pub(super) fn from(mut check: Check, address: &str) -> Check {
    let socket = Socket { address: address.to_owned(), port_value: 40_000 };
    let address = Some(Address { address: Some(OneAddress::Socket(socket)) });
    check.attributes.as_mut().unwrap().source =
        Some(Peer { address, principal: "spiffe://somebody".to_owned() });
    check
}

/// What came back: the message, or gRPC's code.
pub(super) type Answer = Result<Checked, i32>;

/// A message as it goes over the wire.
pub(super) async fn call(client: &Client, proof: &[&str], message: &[u8]) -> Answer {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = Bytes::from([&[0], &length[..], message].concat());
    let mut request = Request::post(format!("http://keystead.test{METHOD}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "2000m");
    for value in proof {
        request = request.header("authorization", *value);
    }
    let (status, headers, body, trailers) = send(client, request.body(Full::new(body)).unwrap()).await;
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"application/grpc".parse().unwrap()));
    let ended = if headers.contains_key("grpc-status") { &headers } else { &trailers };
    match ended["grpc-status"].to_str().unwrap().parse().unwrap() {
        0 => Ok(Checked::decode(body.slice(5..)).unwrap()),
        code => Err(code),
    }
}

pub(super) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> (StatusCode, HeaderMap, Bytes, HeaderMap) {
    let address = client.shared().address.lock().unwrap();
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (head.status, head.headers, body.to_bytes(), trailers)
}

/// Envoy asks, with its own key.
pub(super) async fn ask(house: &House, check: &Check) -> Answer {
    let proof = format!("Bearer {}", house.asker.key());
    call(&house.stranger, &[&proof], &check.encode_to_vec()).await
}

pub(super) async fn passes(house: &House, check: &Check) -> (Passes, BTreeMap<String, String>) {
    let checked = ask(house, check).await.unwrap();
    assert_eq!(checked.status.as_ref().unwrap().code, 0, "{checked:?}");
    match &checked.outcome {
        Some(Outcome::Passes(passes)) => (passes.clone(), told(&checked)),
        other => panic!("{other:?}"),
    }
}

/// It is refused: status and code for the client.
pub(super) async fn denied(house: &House, check: &Check) -> (i32, String) {
    refusal(&ask(house, check).await)
}

pub(super) fn refusal(answer: &Answer) -> (i32, String) {
    let checked = answer.as_ref().unwrap();
    assert_eq!(checked.status.as_ref().unwrap().code, PERMISSION_DENIED, "{checked:?}");
    let Some(Outcome::Denied(denied)) = &checked.outcome else { panic!("{checked:?}") };
    let problem: Value = serde_json::from_str(&denied.body).unwrap();
    let status = denied.status.as_ref().unwrap().code;
    assert_eq!(problem["status"], status);
    assert_eq!(header(&denied.headers, "content-type"), Some("application/problem+json"));
    let code = problem["code"].as_str().unwrap().to_owned();
    assert_eq!(told(checked)["code"], code);
    (status, code)
}

/// What an access log may say.
pub(super) fn told(checked: &Checked) -> BTreeMap<String, String> {
    let fields = checked.dynamic_metadata.clone().unwrap_or_default().fields;
    fields
        .into_iter()
        .map(|(name, Field { kind })| {
            let Some(Kind::Text(text)) = kind else { panic!("{name}") };
            (name, text)
        })
        .collect()
}

pub(super) fn header<'a>(headers: &'a [HeaderOption], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter_map(|option| {
        assert_eq!(option.append_action, OVERWRITE, "none of the client's own is left (LESSONS 16)");
        let header = option.header.as_ref().unwrap();
        (header.key == name).then_some(header.value.as_str())
    });
    let value = found.next();
    assert_eq!(found.next(), None, "{name}");
    value
}
