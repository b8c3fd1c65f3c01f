//! A tower layer that puts Keystead's API keys in front of an API (feature `tower`).
//!
//! A [`Guard`] makes layers; each asks Keystead about every request and answers those that may not pass. It is closed
//! by default: a request that nobody judged does not pass. With axum:
//!
//! ```no_run
//! use axum::extract::ConnectInfo;
//! use axum::routing::get;
//! use axum::{Extension, Router};
//! use keystead_sdk::Client;
//! use keystead_sdk::layer::{Guard, Need, Verdict};
//! use std::net::SocketAddr;
//!
//! async fn list(Extension(verdict): Extension<Verdict>) -> String {
//!     format!("asked by {}\n", verdict.key_id.as_deref().unwrap_or("nobody"))
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let keystead = Client::new("http://127.0.0.1:7700", std::env::var("KEYSTEAD_KEY")?)?;
//! let guard = Guard::builder(keystead)
//!     .environment("acme", "production")
//!     .peer(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()))
//!     .trusted_proxies(["10.0.0.0/8"])
//!     .build()?;
//! let of_network = guard.require_for(|request| {
//!     let network = request.uri.path().split('/').nth(3).unwrap_or_default();
//!     Need::permission("routes.read").on(format!("networks/{network}"))
//! });
//! let app = Router::new()
//!     .route("/v1/routes", get(list).layer(guard.require("routes.read")))
//!     .route("/v1/networks/{network}/routes", get(list).layer(of_network));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The client's key has the permission `keys.verify` for one project and environment, and needs no other. What is
//! behind a layer finds the [`Verdict`] in the request's extensions. Where layers of one guard stand behind each
//! other, the request is counted once. Without `ConnectInfo` there is no address, and keys that are limited to networks
//! are refused.
//!
//! Any service of `http` requests can be guarded whose answers' body is made from a `String`: axum's is.

mod address;
mod answer;
mod builder;
mod cache;
mod credential;
mod judge;
mod need;
mod question;
mod refusal;
mod service;
mod verdict;

pub use builder::{Guard, GuardBuilder};
pub use need::Need;
pub use service::{GuardLayer, Guarded};
pub use verdict::Verdict;
