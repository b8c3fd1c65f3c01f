//! What a proxy is told.

use crate::Origin;
use http::uri::PathAndQuery;
use keystead_listen::Bounds;
use std::path::PathBuf;
use std::time::Duration;

/// Most upstreams of one proxy.
pub const UPSTREAMS_MAX: usize = 32;

/// Protocols behind `Upgrade` in which further requests could follow that nobody would ask a key of.
const HTTP_AGAIN: [&str; 4] = ["h2c", "h2", "http", "tls"];

/// Where to, and within which bounds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where requests go; at least one, at most [`UPSTREAMS_MAX`].
    pub upstreams: Vec<Origin>,
    /// Whether upstreams are spoken to in HTTP/2, as gRPC needs it.
    pub http2: bool,
    /// A PEM file with the only authorities that upstreams' certificates may come from; none trusts the system's.
    pub ca_file: Option<PathBuf>,
    /// What connections may be upgraded to, in lower case: each is [`is_tunnel`].
    pub upgrades: Vec<String>,
    /// What clients' connections may take.
    pub bounds: Bounds,
    /// Requests in work at a time, tunnels too; further ones are answered 503.
    pub requests_in_flight_max: usize,
    /// Bytes of the largest request body.
    pub body_bytes_max: u64,
    /// For a connection to an upstream, with its TLS handshake.
    pub connect: Duration,
    /// For the head of an upstream's answer, since the last piece of the request went out.
    pub answer: Duration,
    /// Between two pieces of a body, in either direction, and of what a tunnel carries.
    pub idle: Duration,
    /// Whether upstreams are asked for their health besides.
    pub health: Option<Health>,
}

/// How upstreams are asked for their health.
#[derive(Debug, Clone)]
pub struct Health {
    /// What is asked for with `GET`; an answer of 2xx is a good one.
    pub path: PathAndQuery,
    /// Between two checks.
    pub interval: Duration,
    /// For the connection and the head of the answer.
    pub answer: Duration,
    /// Failures in a row after which an upstream is left out.
    pub failures_max: u32,
    /// Good answers in a row after which it is back.
    pub successes_min: u32,
}

/// Whether a protocol can be upgraded to: not to what carries requests again.
#[must_use]
pub fn is_tunnel(protocol: &str) -> bool {
    let name = protocol.split('/').next().unwrap_or_default();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte);
    (1..=64).contains(&protocol.len())
        && protocol.bytes().all(token)
        && !HTTP_AGAIN.iter().any(|http| name.eq_ignore_ascii_case(http))
}
