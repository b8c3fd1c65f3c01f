//! OpenID Connect, seen from who relies on a provider: discovery, the code flow with PKCE, ID tokens. Beside the
//! store; knows neither it nor who may sign in.
//!
//! What is fetched is named by administrators of tenants: [`mod@fetch`] bounds where it may lead, how long it may take
//! and how much may come back.

mod addresses;
mod authorization;
mod claims;
mod discovery;
mod exchange;
mod failure;
mod fetch;
mod id_token;
mod keys;
mod relying;

pub use authorization::{Authorization, challenge};
pub use claims::{Claims, GROUPS_MAX};
pub use discovery::{Issuer, Metadata};
pub use exchange::Exchange;
pub use failure::Failure;
pub use fetch::Bounds;
pub use id_token::Expected;
pub use relying::{Found, Relying};
