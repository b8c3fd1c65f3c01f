//! How the API of a project is guarded: which route a request is for, where its key is, and which of its headers
//! are forged. Pure: what a key may do is decided elsewhere.
//!
//! A request comes here as a proxy describes it ([`Request`]); what comes out ([`Reading`]) says whether it passes
//! without a key, is refused whatever its key, or which key has to be asked for what.

mod answer;
mod difference;
pub mod headers;
mod openapi;
mod place;
mod reading;
pub mod recipes;
mod router;
mod rules;

pub use answer::{Allowed, Answer, Refusal};
pub use difference::{Imported, Manner, difference};
pub use openapi::{BASE_PATH_BYTES_MAX, OPERATIONS_MAX, Operation, Operations, operations};
pub use place::{NAME_BYTES_MAX, PLACES_MAX, Place};
pub use reading::{Asking, Fault, Pass, Reading, Request, spellings};
pub use rules::{AUDIENCES_RESERVED, Compiled, ROUTES_MAX, Route, UNLISTED, label};
