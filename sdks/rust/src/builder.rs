//! Settings of a client, and the checks that keep its key from leaking.

use crate::{ApiKey, Client, Error};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use std::net::IpAddr;
use std::time::Duration;

const IDLE_MAX: Duration = Duration::from_secs(5);

/// Settings of a [`Client`], with safe defaults.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    url: String,
    key: Option<ApiKey>,
    plain_http_allowed: bool,
    connect_timeout: Duration,
    timeout: Duration,
    response_bytes_max: usize,
    retries_max: u32,
    root_certificates: Vec<u8>,
    user_agent: String,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            url: "http://127.0.0.1:7700".to_owned(),
            key: None,
            plain_http_allowed: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            response_bytes_max: 64 << 20,
            retries_max: 2,
            root_certificates: Vec::new(),
            user_agent: concat!("keystead-sdk-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// The server's base URL, without `/v1`; `http://127.0.0.1:7700` when not set.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The key to authenticate with. Without one, only [`Client::is_live`] and
    /// [`Client::is_ready`] and [`Client::openapi`] are answered.
    pub fn key(mut self, key: impl Into<ApiKey>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Allows plain HTTP to other machines: whoever is on the way can then read the key.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http_allowed = true;
        self
    }

    /// How long connecting may take; 5 s when not set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a whole call may take; 30 s when not set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest answer that is read, in bytes; 64 MiB when not set.
    pub fn response_bytes_max(mut self, bytes: usize) -> Self {
        self.response_bytes_max = bytes;
        self
    }

    /// How often a call that creates or changes something is sent again when its answer was lost or the
    /// server was busy; 2 when not set. It is done once all the same.
    pub fn retries_max(mut self, times: u32) -> Self {
        self.retries_max = times;
        self
    }

    /// Trusts these root certificates (PEM) besides the system's.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = pem.into();
        self
    }

    /// What the `User-Agent` header says.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a URL, a key, a certificate or a user agent that cannot be used, and
    /// for plain HTTP to another machine.
    pub fn build(self) -> Result<Client, Error> {
        let url = checked_url(&self.url, self.plain_http_allowed)?;
        let mut builder = reqwest::Client::builder()
            // A redirect would carry the key, or the key to verify, to a host that nobody chose.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            // What is sent while the other side closes an idle connection is lost, and servers keep them longer.
            .pool_idle_timeout(IDLE_MAX)
            .user_agent(&self.user_agent)
            .default_headers(authorization(self.key.as_ref())?);
        if is_loopback(&url) {
            // HTTP_PROXY in the environment would send loopback's plain traffic to another machine.
            builder = builder.no_proxy();
        }
        if url.scheme() == "http" {
            // Reading the system's certificates takes longer than the call.
            builder = builder.tls_certs_only([]);
        } else if !self.root_certificates.is_empty() {
            let certificates = reqwest::Certificate::from_pem_bundle(&self.root_certificates)
                .map_err(|_| bad_certificates())?;
            if certificates.is_empty() {
                return Err(bad_certificates());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let http = builder.build().map_err(|error| {
            Error::invalid(
                format!("The HTTP client could not be set up: {}.", crate::client::innermost(&error)),
                "Check the user agent and the system's certificate store.",
            )
        })?;
        Ok(Client::from_parts(http, url, self.key, self.response_bytes_max, self.retries_max))
    }
}

fn bad_certificates() -> Error {
    Error::invalid(
        "The root certificates are not PEM.",
        "Give one or more `-----BEGIN CERTIFICATE-----` blocks.",
    )
}

pub(crate) fn authorization(key: Option<&ApiKey>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", key.expose()));
        let mut value = HeaderValue::from_str(&text)
            .ok()
            .filter(|_| !key.expose().is_empty() && key.expose().bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| {
                Error::invalid(
                    "The key is empty or holds characters that no key has.",
                    "Give the key as it was shown, on one line.",
                )
            })?;
        value.set_sensitive(true);
        headers.insert(reqwest::header::AUTHORIZATION, value);
    }
    Ok(headers)
}

/// The base URL, checked; its text never appears in an error, because it may hold a password.
fn checked_url(text: &str, plain_http_allowed: bool) -> Result<Url, Error> {
    let fix = "Give one such as https://keystead.example.com or http://127.0.0.1:7700.";
    let url = Url::parse(text.trim())
        .map_err(|error| Error::invalid(format!("The server's URL cannot be read: {error}."), fix))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Error::invalid("The server's URL is neither https:// nor http://.", fix));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid("The server's URL holds a user name or a password.", fix));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::invalid("The server's URL holds a query or a fragment.", fix));
    }
    if url.scheme() == "http" && !plain_http_allowed && !is_loopback(&url) {
        return Err(Error::invalid(
            "Plain HTTP to another machine would show the key to everybody on the way.",
            "Use https://, or allow plain HTTP explicitly where the network is trusted.",
        ));
    }
    Ok(url)
}

/// Whether the URL names this machine. Only names that cannot resolve elsewhere count (RFC 6761).
fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leaves_this_machine_only_when_allowed() {
        for url in ["http://127.0.0.1:7700", "http://127.9.9.9", "http://localhost:1", "http://[::1]:7700"] {
            assert!(Client::new(url, "k").is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::2]",
        ] {
            assert!(Client::new(url, "k").is_err(), "{url}");
            assert!(Client::builder().url(url).key("k").allow_plain_http().build().is_ok(), "{url}");
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_not_repeated() {
        let error = Client::new("https://me:hunter2@example.com", "k").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn urls_that_name_no_server_are_refused() {
        for url in ["", "keystead", "ftp://example.com", "https://example.com?x=1", "https://example.com#x"] {
            assert!(Client::new(url, "k").is_err(), "{url}");
        }
    }

    #[test]
    fn a_key_that_cannot_stand_in_a_header_is_refused_and_not_repeated() {
        for key in ["", "canary\nX-Evil: 1", "canary with space", "canary\u{1b}[31m", "canäry"] {
            let error = Client::new("https://example.com", key).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("can"), "{error}");
        }
    }

    #[test]
    fn debug_of_client_and_builder_shows_no_key() {
        let builder = Client::builder().url("https://example.com").key("canary");
        assert!(!format!("{builder:?}").contains("canary"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("canary"));
    }
}
