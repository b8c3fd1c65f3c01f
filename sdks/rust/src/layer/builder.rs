//! A guard and its settings.

use super::address;
use super::answer::BYTES_MAX;
use super::cache::{Cache, Clock, system_clock};
use super::credential;
use super::judge::{ErrorLog, Judge, PathFrom, PeerFrom};
use super::need::Need;
use super::service::GuardLayer;
use crate::{Client, Error};
use http::Extensions;
use http::request::Parts;
use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const REALM_BYTES_MAX: usize = 128;
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Makes layers that let only requests pass whose key may do what they need. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    judge: Arc<Judge>,
}

impl Guard {
    /// Settings to start from. The client's key has the permission `keys.verify`, and needs no other.
    pub fn builder(client: Client) -> GuardBuilder {
        GuardBuilder {
            client,
            place: None,
            credentials: vec!["Authorization".to_owned(), "X-API-Key".to_owned()],
            proxies: Vec::new(),
            realm: "api".to_owned(),
            metadata: false,
            pass_preflight: false,
            open_when_unreachable: false,
            timeout: Duration::from_secs(2),
            cache: None,
            clock: None,
            peer: Arc::new(|_| None),
            path: Arc::new(|parts| Some(parts.uri.path().to_owned())),
            error_log: Arc::new(|why| {
                // Where nobody reads it, there is nobody else to tell.
                let _ = writeln!(std::io::stderr(), "keystead: {why}");
            }),
        }
    }

    /// For a whole application: a valid key is enough.
    #[must_use]
    pub fn authenticate(&self) -> GuardLayer {
        self.guard(|_| Need::default())
    }

    /// For a whole application: `needs` says what each request needs.
    #[must_use]
    pub fn guard(&self, needs: impl Fn(&Parts) -> Need + Send + Sync + 'static) -> GuardLayer {
        self.layer(needs, self.judge.pass_preflight)
    }

    /// For one endpoint: always the same need, such as `"routes.read"`.
    #[must_use]
    pub fn require(&self, need: impl Into<Need>) -> GuardLayer {
        let need = need.into();
        self.require_for(move |_| need.clone())
    }

    /// For one endpoint: needs that depend on the request, such as the resource that its path names.
    #[must_use]
    pub fn require_for(&self, needs: impl Fn(&Parts) -> Need + Send + Sync + 'static) -> GuardLayer {
        self.layer(needs, false)
    }

    fn layer(
        &self,
        needs: impl Fn(&Parts) -> Need + Send + Sync + 'static,
        pass_preflight: bool,
    ) -> GuardLayer {
        GuardLayer { judge: Arc::clone(&self.judge), needs: Arc::new(needs), pass_preflight }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("url", &self.judge.client.url()).finish_non_exhaustive()
    }
}

/// Settings of a [`Guard`], closed where nothing is said.
#[derive(Clone)]
#[must_use]
pub struct GuardBuilder {
    client: Client,
    place: Option<(String, String)>,
    credentials: Vec<String>,
    proxies: Vec<String>,
    realm: String,
    metadata: bool,
    pass_preflight: bool,
    open_when_unreachable: bool,
    timeout: Duration,
    cache: Option<(Duration, usize)>,
    clock: Option<Clock>,
    peer: PeerFrom,
    path: PathFrom,
    error_log: ErrorLog,
}

impl GuardBuilder {
    /// Where keys are looked for; may be left out where the grant of the client's key pins it.
    pub fn environment(mut self, project: impl Into<String>, environment: impl Into<String>) -> Self {
        self.place = Some((project.into(), environment.into()));
        self
    }

    /// Whose address a connection has, which a server leaves in requests' extensions. Without one, requests have no
    /// address, and keys that are limited to networks are refused.
    pub fn peer(mut self, peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer = Arc::new(peer);
        self
    }

    /// The path as it was on the wire, without query; the URI's when not set. A router that cuts off what it has
    /// matched, such as axum's `nest`, shows layers within it what is left: take the whole from where it has kept that
    /// (axum: `OriginalUri`), or its keys' endpoints are compared with a part. No path is refused.
    pub fn path(mut self, path: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.path = Arc::new(path);
        self
    }

    /// The headers that may carry a key; `Authorization` as a bearer token and `X-API-Key` when not set.
    pub fn credentials<H: Into<String>>(mut self, headers: impl IntoIterator<Item = H>) -> Self {
        self.credentials = headers.into_iter().map(Into::into).collect();
        self
    }

    /// Addresses and networks whose `X-Forwarded-For` counts, read from the right; none when not set.
    pub fn trusted_proxies<N: Into<String>>(mut self, networks: impl IntoIterator<Item = N>) -> Self {
        self.proxies = networks.into_iter().map(Into::into).collect();
        self
    }

    /// The realm of `WWW-Authenticate`; `api` when not set.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Asks for the key's metadata, too.
    pub fn metadata(mut self) -> Self {
        self.metadata = true;
        self
    }

    /// Lets preflights of CORS pass [`Guard::authenticate`] and [`Guard::guard`] without a key. Only where what is
    /// behind looks at the method: another would do its work for anybody who sends `OPTIONS`.
    pub fn pass_preflight(mut self) -> Self {
        self.pass_preflight = true;
        self
    }

    /// Lets requests with a key pass unjudged while Keystead does not answer: no connection, no answer in time, 5xx.
    /// Whoever can make it slow can then pass.
    pub fn open_when_unreachable(mut self) -> Self {
        self.open_when_unreachable = true;
        self
    }

    /// How long a question may take; 2 s when not set, at most a minute.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Uses a verdict that let pass again for the same question, for up to `age` (at most 10 s): so long a revoked key
    /// can pass. Keeps at most `entries_max` (at most 1,000,000). Off when not set.
    pub fn cache(mut self, age: Duration, entries_max: usize) -> Self {
        self.cache = Some((age, entries_max));
        self
    }

    /// The cache's clock, for tests: a time that never steps, since whenever it began, and the one on the wall.
    pub fn clock(mut self, now: impl Fn() -> (Duration, SystemTime) + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(now));
        self
    }

    /// Is told why requests were not judged, in one line without keys; standard error when not set.
    pub fn error_log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.error_log = Arc::new(log);
        self
    }

    /// The guard. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that cannot be used.
    pub fn build(self) -> Result<Guard, Error> {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if !(1..=REALM_BYTES_MAX).contains(&self.realm.len()) || !self.realm.bytes().all(is_plain) {
            let what = "The realm is not 1 to 128 characters of ASCII without quotes and backslashes.";
            return Err(Error::invalid(what, "Write another."));
        }
        if self.timeout.is_zero() || self.timeout > TIMEOUT_MAX {
            let what = "The timeout is not more than 0 and at most a minute.";
            return Err(Error::invalid(what, "Name a time between."));
        }
        let clock = self.clock.unwrap_or_else(system_clock);
        let cache = self.cache.map(|(age, entries_max)| Cache::new(age, entries_max, clock)).transpose()?;
        let mut client = self.client;
        client.response_bytes_max = client.response_bytes_max.min(BYTES_MAX);
        let judge = Judge {
            client,
            place: self.place,
            places: credential::places(&self.credentials)?,
            trusted: address::networks(&self.proxies)?,
            realm: self.realm,
            metadata: self.metadata,
            pass_preflight: self.pass_preflight,
            open_when_unreachable: self.open_when_unreachable,
            timeout: self.timeout,
            cache,
            peer: self.peer,
            path: self.path,
            error_log: self.error_log,
        };
        Ok(Guard { judge: Arc::new(judge) })
    }
}

impl fmt::Debug for GuardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}
