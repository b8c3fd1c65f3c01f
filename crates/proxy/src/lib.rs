//! A reverse proxy that asks, for each request, whether its key may do it, and changes what goes on accordingly.
//!
//! What a key may do is decided elsewhere ([`Decide`]). Messages are streamed, never gathered.

mod begun;
mod connect;
mod counts;
mod download;
mod forward;
mod health;
mod hop;
mod idle;
mod origin;
mod places;
mod plan;
mod problem;
mod proxy;
mod refuse;
mod send;
mod settings;
mod standing;
mod tunnel;
mod upload;
mod upstream;

pub use connect::TrustError;
pub use counts::{CLASSES, Numbers, UpstreamNumbers};
pub use origin::{Origin, OriginError};
pub use plan::Plan;
pub use proxy::{Proxy, serve};
pub use settings::{Health, Settings, UPSTREAMS_MAX, is_tunnel};

use futures_util::future::BoxFuture;
use http::request::Parts;
use keystead_guard::{Answer, Refusal};
use std::net::IpAddr;
use std::sync::Arc;

/// Says what becomes of a request: its head as it came, and the address at the other end of its connection. It is
/// asked for each request, also for the second one of a connection.
pub type Decide = Arc<dyn for<'a> Fn(&'a Parts, IpAddr) -> BoxFuture<'a, Answer> + Send + Sync>;

/// Why what began with a request may not go on, as the request would be judged now. It takes nothing of limits.
pub type Still = Arc<dyn Fn(&Parts, IpAddr) -> Option<Refusal> + Send + Sync>;

/// Who decides on requests, and on what they have begun.
#[derive(Clone)]
pub struct Judge {
    /// On requests.
    pub decide: Decide,
    /// On what they have begun, every four seconds; without it that goes on until it ends.
    pub still: Option<Still>,
}

impl From<Decide> for Judge {
    fn from(decide: Decide) -> Self {
        Self { decide, still: None }
    }
}
