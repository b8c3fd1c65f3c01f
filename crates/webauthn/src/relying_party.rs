//! For whom passkeys are made: a domain, and the one origin on which they are used.

use url::{Host, Url};

/// A site on which passkeys can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
    base: String,
}

impl RelyingParty {
    /// The site where people reach an installation; `None` where browsers know no passkeys: without TLS, or at an
    /// address that is no name (Level 3 §5.1.2). This machine's own addresses are called `localhost`, which browsers
    /// trust without TLS. With `domain`, passkeys are for that domain and all names below it.
    #[must_use]
    pub fn of(url: &str, domain: Option<&str>) -> Option<Self> {
        let mut url = Url::parse(url).ok()?;
        let is_local = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if is_local {
            url.set_host(Some("localhost")).ok()?;
        }
        let Some(Host::Domain(name)) = url.host() else { return None };
        if url.scheme() != "https" && !(is_local && url.scheme() == "http") {
            return None;
        }
        let id = match domain {
            None => name.to_owned(),
            Some(domain) if is_above(domain, name) => domain.to_owned(),
            Some(_) => return None,
        };
        let base = url.as_str().trim_end_matches('/').to_owned();
        Some(Self { id, origin: url.origin().ascii_serialization(), base })
    }

    /// Its id: a domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin of its pages, as browsers write it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where its pages are, without a `/` at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// Whether a domain is a host's own, or above it; browsers refuse those that belong to a registry.
fn is_above(domain: &str, host: &str) -> bool {
    host == domain
        || domain.contains('.') && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// What an answer must fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// For whom.
    pub site: &'a RelyingParty,
    /// What was asked, in base64url.
    pub challenge: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_over_tls_and_for_this_machine() {
        let of = |url: &str| RelyingParty::of(url, None).map(|site| (site.id, site.origin, site.base));
        let site = |id: &str, origin: &str, base: &str| Some((id.into(), origin.into(), base.into()));
        let keys = "https://keys.example.com";
        assert_eq!(of("https://Keys.example.com/"), site("keys.example.com", keys, keys));
        assert_eq!(
            of("https://keys.example.com:8443/keystead"),
            site(
                "keys.example.com",
                "https://keys.example.com:8443",
                "https://keys.example.com:8443/keystead"
            )
        );
        let here = "http://localhost:7700";
        for url in ["http://127.0.0.1:7700", "http://[::1]:7700", "http://localhost:7700"] {
            assert_eq!(of(url), site("localhost", here, here), "{url}");
        }
        for url in
            ["http://keys.example.com", "https://192.0.2.1", "http://192.0.2.1", "ftp://x.example", "x"]
        {
            assert_eq!(of(url), None, "{url}");
        }
    }

    #[test]
    fn a_domain_is_the_hosts_own_or_above_it() {
        let id = |domain| RelyingParty::of("https://keys.example.com", Some(domain)).map(|site| site.id);
        for domain in ["keys.example.com", "example.com"] {
            assert_eq!(id(domain).as_deref(), Some(domain));
        }
        for domain in ["com", "ys.example.com", "example.org", "a.keys.example.com", ""] {
            assert_eq!(id(domain), None, "{domain}");
        }
    }
}
