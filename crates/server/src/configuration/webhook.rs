//! The address to which checkpoints of the audit are sent. Such addresses hold secrets anywhere behind the host, so
//! `Debug` does not show it whole.

use std::fmt;

/// A URL with a secret in it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl From<&str> for WebhookUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl WebhookUrl {
    /// Whole: for the request only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As people may see it: `https://host/***`. When in doubt it hides more: a password may hold `/`.
    #[must_use]
    pub fn masked(&self) -> String {
        match self.0.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) if !rest.contains('@') => {
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                format!("{scheme}://{host}/***")
            }
            _ => "***".to_owned(),
        }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_behind_the_host_is_masked() {
        for (text, masked) in [
            ("https://log.example.com/services/canary", "https://log.example.com/***"),
            ("https://log.example.com:8443?token=canary#canary", "https://log.example.com:8443/***"),
            ("http://127.0.0.1/canary", "http://127.0.0.1/***"),
            ("https://user:can/ary@log.example.com/x", "***"),
            ("canary://x", "***"),
            ("canary", "***"),
        ] {
            let url = WebhookUrl::from(text);
            assert_eq!(format!("{url:?}"), masked);
            assert_eq!(url.expose(), text);
        }
    }
}
