//! Keystead's Cedar policies: what they may speak about (a schema), how a text is read and refused, and what they
//! forbid. Pure: rows and requests come in, an answer goes out.
//!
//! A policy can only take away: `permit` is refused, and whatever cannot be evaluated forbids.

mod facts;
mod gate;
mod known;
mod language;
mod read;
mod relevant;
mod rules;
mod scope;
mod statement;
#[cfg(test)]
mod tests;

pub use facts::{Circumstances, KeyFacts, Named, Owner, PersonFacts, Subject, Target, Who};
pub use known::Known;
pub use language::{Language, MINT, VERIFY};
pub use read::{Mistake, STATEMENTS_MAX, TEXT_BYTES_MAX};
pub use rules::{AccessPolicy, Finding, Resolve, Rules, Source};
