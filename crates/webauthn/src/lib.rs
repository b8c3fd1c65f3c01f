//! WebAuthn (Web Authentication Level 3) as who relies on it: pure checks of what a browser brings back when a passkey
//! is made and when it is used. Beside the store; knows neither it nor who may sign in.
//!
//! Attestation is not asked for, and what an authenticator says of its make is not believed: see
//! `docs/adr/0022-passkeys.md`.

mod assertion;
mod authenticator_data;
mod client_data;
mod cose;
mod failure;
mod registration;
mod relying_party;
#[cfg(feature = "testing")]
pub mod testing;

pub use assertion::{Assertion, Known, Used};
pub use cose::{Algorithm, PublicKey};
pub use failure::Failure;
pub use registration::{Registered, Registration};
pub use relying_party::{Expected, RelyingParty};

/// The longest id of a credential, in bytes (Level 3 §7.1, step 24).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;
