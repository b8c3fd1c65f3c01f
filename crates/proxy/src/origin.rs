//! Where an upstream is.

use http::Uri;
use http::uri::{Authority, Scheme};
use std::fmt;
use std::str::FromStr;

/// `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub(crate) tls: bool,
    pub(crate) authority: Authority,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not `http://HOST:PORT` or `https://HOST:PORT`, without user, path or query")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let parts = text.parse::<Uri>().map_err(|_| OriginError)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(OriginError);
        };
        let tls = scheme == Scheme::HTTPS;
        let bare = parts.path_and_query.is_none_or(|path| path == "/") && !text.ends_with(['#', '?']);
        if !(tls || scheme == Scheme::HTTP) || !bare || authority.as_str().contains('@') {
            return Err(OriginError);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = match (authority.port_u16(), authority.as_str().rsplit_once(':')) {
            (Some(0), _) => return Err(OriginError),
            (Some(port), _) => port,
            (None, Some((_, after))) if !after.ends_with(']') => return Err(OriginError),
            (None, _) => {
                if tls {
                    443
                } else {
                    80
                }
            }
        };
        if host.is_empty() {
            return Err(OriginError);
        }
        Ok(Self { tls, authority, host, port })
    }
}

impl Origin {
    /// Where to connect: host and port.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}", if self.tls { "s" } else { "" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_a_host_and_a_port() {
        for (text, tls, host, port) in [
            ("http://127.0.0.1:9000", false, "127.0.0.1", 9000),
            ("https://api.internal", true, "api.internal", 443),
            ("http://[::1]:8080/", false, "::1", 8080),
            ("http://[::1]", false, "::1", 80),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!((origin.tls, origin.host.as_str(), origin.port), (tls, host, port), "{text}");
        }
        for text in [
            "",
            "127.0.0.1:9000",
            "/path",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:99999",
            "http://u:p@a",
            "http://a/path",
            "http://a/?q",
            "http://a?",
            "http://a#",
            "http://a:b",
            "unix:/run/x",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
    }
}
