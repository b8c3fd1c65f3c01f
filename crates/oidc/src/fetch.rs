//! Asking a provider: only where this server may go, without following redirections, within bounds of time and size.

use crate::addresses::is_public;
use crate::failure::Failure;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// How long a question may take, with its answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// How many questions are under way at once.
const AT_ONCE: usize = 32;

/// Where this server may look for providers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Also at addresses that are not the Internet's; and, on this machine, without TLS.
    pub private: bool,
}

/// That a name leads to no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("no address that may be connected to")]
struct NowhereAllowed;

/// Resolves a name once, and leaves only addresses that may be connected to: what was looked at is what is used, so
/// a name that answers differently the second time gains nothing.
struct Allowed(Bounds);

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.0.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NowhereAllowed.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// What asks providers.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// None where the system's certificates cannot be used: then nobody can be asked, and the server runs.
    http: Option<Client>,
    bounds: Bounds,
    places: Arc<Semaphore>,
}

impl Fetch {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let http = Client::builder()
            .timeout(ANSWER_TIME_MAX)
            // Each hop would have to be looked at again, and a code must reach nobody else (LESSONS 39).
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would resolve the name by itself.
            .no_proxy()
            .dns_resolver(Allowed(bounds))
            .user_agent(concat!("keystead/", env!("CARGO_PKG_VERSION")))
            .build()
            .ok();
        Self { http, bounds, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(crate) fn http(&self) -> Result<&Client, Failure> {
        self.http.as_ref().ok_or(Failure::Unreachable)
    }

    /// Refuses a URL to which nothing may be sent.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Failure> {
        check(url, self.bounds)
    }

    /// Sends a request whose URL was checked, and reads the JSON that comes back.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        what: &'static str,
    ) -> Result<(StatusCode, Option<T>), Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let mut answer = request.send().await.map_err(|error| of_sending(&error))?;
        let status = answer.status();
        let bytes = whole(&mut answer).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok((status, Some(value))),
            Err(_) if !status.is_success() => Ok((status, None)),
            Err(_) => Err(Failure::Malformed(what)),
        }
    }

    /// The JSON at a URL.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &Url, what: &'static str) -> Result<T, Failure> {
        self.check(url)?;
        match self.json(self.http()?.get(url.clone()), what).await? {
            (status, Some(value)) if status.is_success() => Ok(value),
            _ => Err(Failure::Answered),
        }
    }
}

async fn whole(answer: &mut Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| Failure::Unreachable)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn of_sending(error: &reqwest::Error) -> Failure {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<NowhereAllowed>() {
            return Failure::NotAllowed;
        }
        source = cause.source();
    }
    Failure::Unreachable
}

/// `https`; or `http` on this machine, where providers at private addresses are allowed.
pub(crate) fn check(url: &Url, bounds: Bounds) -> Result<(), Failure> {
    let (ip, local) = match url.host() {
        Some(Host::Ipv4(ip)) => (Some(IpAddr::from(ip)), ip.is_loopback()),
        Some(Host::Ipv6(ip)) => (Some(IpAddr::from(ip)), ip.is_loopback()),
        Some(Host::Domain(name)) => (None, name == "localhost"),
        None => return Err(Failure::NotAllowed),
    };
    let encrypts = url.scheme() == "https" || (url.scheme() == "http" && local && bounds.private);
    let reaches = bounds.private || (ip.is_none_or(is_public) && !local);
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if encrypts && reaches && plain { Ok(()) } else { Err(Failure::NotAllowed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_ways_to_public_addresses_are_taken_lessons_40() {
        let passes = |url: &str, private| check(&Url::parse(url).unwrap(), Bounds { private }).is_ok();
        for url in ["https://id.example.com", "https://id.example.com:8443/a", "https://1.1.1.1/"] {
            assert!(passes(url, false) && passes(url, true), "{url}");
        }
        for url in ["https://127.0.0.1/", "https://10.0.0.1/", "https://localhost/", "https://[::1]/"] {
            assert!(!passes(url, false) && passes(url, true), "{url}");
        }
        for url in ["http://127.0.0.1:3000", "http://[::1]:1/", "http://localhost:1/"] {
            assert!(!passes(url, false) && passes(url, true), "{url}");
        }
        // 127.0.0.1 in other spellings is the same address.
        for url in ["https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/"] {
            assert!(!passes(url, false), "{url}");
        }
        for url in [
            "http://id.example.com",
            "http://10.0.0.1/",
            "ftp://id.example.com/",
            "file:///etc/passwd",
            "https://user@id.example.com/",
            "https://:pass@id.example.com/",
            "https://id.example.com/#x",
        ] {
            assert!(!passes(url, false) && !passes(url, true), "{url}");
        }
    }

    /// A name is looked at by where it leads.
    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_leads_nowhere_lessons_40() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = Allowed(Bounds { private: false }).resolve(name()).await;
        assert!(refused.err().unwrap().is::<NowhereAllowed>());
        assert!(Allowed(Bounds { private: true }).resolve(name()).await.unwrap().next().is_some());
    }
}
