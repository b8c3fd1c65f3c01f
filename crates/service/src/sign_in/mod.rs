//! Signing in: how people prove who they are, and the sessions that this gives them.

mod accept;
mod act;
mod breached;
mod change_password;
mod codes;
mod end;
mod invite;
mod letters;
mod list;
mod passkeys;
mod passwords;
mod purge;
mod recover;
mod second_factor;
mod session;
mod single_sign_on;
mod start;
mod totp;
mod tries;

pub use breached::check_breached_passwords;
pub(crate) use letters::LinkFor;
pub(crate) use passwords::Passwords;
pub(crate) use single_sign_on::issuer_of;
pub use single_sign_on::{Begun, Returns};
pub use start::Started;

use keystead_domain::sign_in::password;
use keystead_oidc::{Bounds, Relying};
use keystead_webauthn::RelyingParty;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Requests for a recovery whose letters are being written, at once: they are answered before.
const RECOVERIES_AT_ONCE: usize = 8;

/// How people sign in.
#[derive(Debug, Clone)]
pub struct SignInSettings {
    /// Where people reach this installation, without a `/` at the end: links begin so.
    pub url: String,
    /// How long a session lasts.
    pub session: Duration,
    /// How long it lasts without being used.
    pub idle: Duration,
    /// The fewest characters of a password.
    pub password_characters_min: usize,
    /// A list of passwords that others lost.
    pub breached_passwords: Option<PathBuf>,
    /// Whether identity providers may stand at addresses that are not the Internet's.
    pub private_providers: bool,
    /// For which domain passkeys are; the one of `url` when left out.
    pub passkey_domain: Option<String>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:7700".into(),
            session: Duration::from_secs(12 * 3_600),
            idle: Duration::from_secs(3_600),
            password_characters_min: password::CHARACTERS_MIN,
            breached_passwords: None,
            private_providers: false,
            passkey_domain: None,
        }
    }
}

impl SignInSettings {
    /// Whether browsers reach it over TLS only, and so may keep cookies for TLS only.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Where passkeys work; `None` where browsers use none.
    #[must_use]
    pub fn passkey_site(&self) -> Option<RelyingParty> {
        RelyingParty::of(&self.url, self.passkey_domain.as_deref())
    }

    fn session_micros(&self) -> i64 {
        i64::try_from(self.session.as_micros()).unwrap_or(i64::MAX)
    }

    fn idle_micros(&self) -> i64 {
        i64::try_from(self.idle.as_micros()).unwrap_or(i64::MAX)
    }
}

/// What signing in stands on.
#[derive(Debug)]
pub(crate) struct SignInRoom {
    pub(crate) settings: SignInSettings,
    pub(crate) passwords: Passwords,
    /// What asks identity providers.
    pub(crate) relying: Relying,
    /// Where passkeys work.
    pub(crate) site: Option<RelyingParty>,
    recoveries: Arc<Semaphore>,
}

impl SignInRoom {
    pub(crate) fn new(settings: SignInSettings) -> Self {
        let relying = Relying::new(Bounds { private: settings.private_providers });
        Self {
            site: settings.passkey_site(),
            settings,
            relying,
            passwords: Passwords::new(),
            recoveries: Arc::new(Semaphore::new(RECOVERIES_AT_ONCE)),
        }
    }
}
