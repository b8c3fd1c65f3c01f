//! What callers of the HTTP API see, over real sockets, on both engines. The folders mirror the URLs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "everything here is a test, or what tests stand on"
)]

mod canary;
mod clock;
mod ext_authz;
mod house;
mod idempotency;
mod openapi;
mod operation;
mod own_guard;
mod requests;
mod tenants;
mod v1;
mod well_known;
