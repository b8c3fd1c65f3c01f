//! Keystead's HTTP API as typed async calls.
//!
//! A [`Client`] holds one server's URL and one key. Requests and answers are the types of
//! `keystead-api`, which the server itself uses; they stand in [`api`].
//!
//! ```no_run
//! use keystead_sdk::api::{Code, CreateKey, PermissionGrant, PermissionQuery, Verify};
//! use keystead_sdk::{Client, Error};
//!
//! # async fn example() -> Result<(), Error> {
//! let key = std::env::var("KEYSTEAD_KEY").unwrap_or_default();
//! let keystead = Client::new("http://127.0.0.1:7700", key)?;
//!
//! // Issue a key. Its secret is in this answer and nowhere else.
//! let created = keystead
//!     .create_key(
//!         "acme",
//!         &CreateKey {
//!             name: "Route importer".to_owned(),
//!             environment: "production".to_owned(),
//!             permissions: vec![PermissionGrant::Everywhere("routes.read".to_owned())],
//!             ..CreateKey::default()
//!         },
//!     )
//!     .await?;
//!
//! // Ask whether a request that carries it may pass.
//! let verdict = keystead
//!     .verify(&Verify {
//!         key: created.key,
//!         project: Some("acme".to_owned()),
//!         environment: Some("production".to_owned()),
//!         permissions: Some(PermissionQuery::One("routes.read".to_owned())),
//!         ..Verify::default()
//!     })
//!     .await?;
//! match verdict.code {
//!     Code::Valid => { /* serve the request */ }
//!     Code::Unavailable => { /* answer 503: nothing is known about the key */ }
//!     _ => { /* refuse */ }
//! }
//!
//! // Every page of a list, at most 10,000 items.
//! let roles = keystead_sdk::list_all(10_000, async |page| keystead.list_roles("acme", &page).await).await?;
//! # let _ = roles;
//! # Ok(())
//! # }
//! ```
//!
//! # What it takes care of
//! - The key travels in `Authorization: Bearer`, never to another host: redirects are not followed,
//!   and plain HTTP to anything but this machine is refused unless
//!   [`ClientBuilder::allow_plain_http`] says otherwise.
//! - Names and ids become percent-encoded path segments: none can reach another route.
//! - Connecting, the whole call and the size of an answer are bounded.
//! - Nothing is sent twice: after [`Error::Timeout`] or [`Error::Unreachable`] a change may or may
//!   not have happened, and only the caller knows whether to ask again.
//!
//! # Guarding an API
//! With the feature `tower`, `layer` has a layer for axum and other services of tower that lets only requests pass
//! whose key may do what they need.

mod api_key;
mod approvals;
mod audit;
mod builder;
mod client;
mod consumers;
mod contacts;
mod environments;
mod error;
mod guard;
mod guardrails;
mod guidelines;
mod health;
mod hygiene;
mod identity_keys;
mod keys;
#[cfg(feature = "tower")]
pub mod layer;
mod lines;
mod mail;
mod nodes;
mod organizations;
mod paging;
mod passkeys;
mod people;
mod permissions;
mod policies;
mod projects;
mod retry;
mod roles;
mod root_key;
mod rotation;
mod service_accounts;
mod sign_in;
mod single_sign_on;
mod verify;

pub use api_key::ApiKey;
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::Error;
pub use keystead_api as api;
pub use lines::{Line, Lines};
pub use paging::list_all;

/// The README's programs compile.
#[cfg(all(doctest, feature = "tower"))]
#[doc = include_str!("../README.md")]
struct Readme;
