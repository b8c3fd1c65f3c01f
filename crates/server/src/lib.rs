//! Keystead's HTTP side: configuration, listening, problem documents, routes. No rules and no SQL.

pub mod body;
pub mod configuration;
mod credential;
pub mod front;
pub mod listen;
pub mod logging;
pub mod metrics;
mod ndjson;
mod openapi;
pub mod own_guard;
pub mod own_place;
pub mod problem;
mod problem_code;
pub mod query;
mod refusal;
pub mod request_id;
mod rewording;
pub mod routes;
pub mod state;
mod version;
