//! Which SMTP server takes the mail, and how it is spoken to.

use crate::mailbox::Mailbox;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use zeroize::Zeroizing;

/// How the way to the server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after STARTTLS (RFC 3207); a server that does not offer it gets no mail.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Security {
    /// The port that servers listen on for it.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// Who signs in at the server.
#[derive(Clone)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An SMTP server, and how mail is handed to it.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name or address; its certificate must be for this.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept secret.
    pub security: Security,
    /// Who signs in; nobody when `None`.
    pub login: Option<Login>,
    /// Certificates in PEM that are trusted besides the system's.
    pub trusted: Option<Vec<u8>>,
    /// From whom mail is.
    pub from: Mailbox,
    /// Where answers go, when not there.
    pub reply_to: Option<Mailbox>,
    /// How long connecting and signing in may take, and for each letter what goes before it.
    pub timeout: Duration,
    /// How long a letter itself may take, up to the word that it was taken.
    pub data_timeout: Duration,
}

/// Why settings can send nothing, whatever the server says.
#[derive(Debug)]
pub struct Unusable(pub(crate) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Whether a host is this machine, so that nobody else reads what is sent to it.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "0.0.0.0", "::", "10.0.0.1", "mail.example.com", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_password_is_not_in_what_is_shown() {
        let login = Login { user: "keys".into(), password: Zeroizing::new("canary".into()) };
        assert_eq!(format!("{login:?}"), "Login { user: \"keys\", .. }");
    }
}
