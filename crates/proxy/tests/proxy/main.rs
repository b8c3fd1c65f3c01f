//! The proxy between real sockets: a client that may send anything, and an upstream that says what reached it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "everything here is a test, or what tests stand on"
)]

mod answered_early;
mod begun;
mod changes;
mod counts;
mod decision;
mod ends;
mod heads;
mod health;
mod house;
mod http2;
mod smuggling;
mod streams;
mod times;
mod tls;
mod upgrades;
mod upstreams;
