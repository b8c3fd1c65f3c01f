//! What a provider says of itself (OpenID Connect Discovery 1.0).

use crate::failure::Failure;
use crate::fetch::{Bounds, Fetch, check};
use keystead_domain::invalid::Invalid;
use serde::Deserialize;
use url::Url;

const BYTES_MAX: usize = 512;
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// By which name a provider signs: a URL, compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    configuration: Url,
}

impl Issuer {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no `https` URL without query and fragment, or leads where this server may not go.
    pub fn read(field: &str, text: &str, bounds: Bounds) -> Result<Self, Invalid> {
        let invalid = |detail: &str, fix: &str| Invalid::new(field, detail, fix);
        let no_url = || {
            invalid(
                "This is no issuer's URL.",
                "Send what the provider names as its issuer, such as https://id.example.com.",
            )
        };
        if text.len() > BYTES_MAX || text.trim() != text {
            return Err(no_url());
        }
        let url = Url::parse(text).map_err(|_| no_url())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(no_url());
        }
        check(&url, bounds).map_err(|_| {
            invalid(
                "This server may not connect to that URL.",
                "Send an https URL of a public server; whoever runs this one may allow others with sign_in.private_providers.",
            )
        })?;
        let configuration = format!("{}{CONFIGURATION}", text.trim_end_matches('/'));
        let configuration = Url::parse(&configuration).map_err(|_| no_url())?;
        Ok(Self { text: text.to_owned(), configuration })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) async fn discover(&self, fetch: &Fetch) -> Result<Metadata, Failure> {
        let said: Said = fetch.get(&self.configuration, "its configuration").await?;
        // Else whoever answers at one URL could speak for another (Discovery 1.0 §4.3).
        if said.issuer != self.text {
            return Err(Failure::OtherIssuer);
        }
        for url in [Some(&said.authorization_endpoint), Some(&said.token_endpoint), Some(&said.jwks_uri)]
            .into_iter()
            .chain([said.userinfo_endpoint.as_ref()])
            .flatten()
        {
            fetch.check(url)?;
        }
        Ok(Metadata { said })
    }
}

#[derive(Debug, Deserialize)]
struct Said {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    userinfo_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
}

/// What a provider said of itself, checked.
#[derive(Debug)]
pub struct Metadata {
    said: Said,
}

impl Metadata {
    pub(crate) const fn authorization_endpoint(&self) -> &Url {
        &self.said.authorization_endpoint
    }

    pub(crate) const fn token_endpoint(&self) -> &Url {
        &self.said.token_endpoint
    }

    pub(crate) const fn jwks_uri(&self) -> &Url {
        &self.said.jwks_uri
    }

    pub(crate) const fn userinfo_endpoint(&self) -> Option<&Url> {
        self.said.userinfo_endpoint.as_ref()
    }

    /// Whether the client's secret goes into a header; else into the body.
    pub(crate) fn takes_basic(&self) -> bool {
        let methods = self.said.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }

    /// With which algorithms it says that it signs.
    pub(crate) fn algorithms(&self) -> &[String] {
        &self.said.id_token_signing_alg_values_supported
    }

    /// Whether what came back with a code was sent by this provider, as far as it says so (RFC 9207: of two
    /// providers one must not pass its code for the other's).
    #[must_use]
    pub fn is_sender(&self, iss: Option<&str>) -> bool {
        match iss {
            Some(iss) => iss == self.said.issuer,
            None => !self.said.authorization_response_iss_parameter_supported,
        }
    }
}
