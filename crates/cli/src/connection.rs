//! Which server and which key: flags, then the environment, then the credentials file.

use crate::credentials::{self, Credentials};
use crate::exit::Failure;
use crate::input::environment;
use clap::Args;
use keystead_sdk::{ApiKey, Client};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a server listens by default.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:7700";

/// How to reach the server.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionFlags {
    /// The server's base URL [env: KEYSTEAD_URL] [default: the one of keystead login, else
    /// http://127.0.0.1:7700]
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub(crate) url: Option<String>,
    /// Trust these root certificates (PEM) besides the system's
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "KEYSTEAD_CA_FILE",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) ca_file: Option<PathBuf>,
    /// Send the key over plain HTTP to another machine, where whoever is on the way can read it
    #[arg(long, global = true, help_heading = "Connection")]
    pub(crate) allow_plain_http: bool,
    /// How long a call may take
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "Connection")]
    timeout: u64,
    /// Name what is created or changed, so that the same command again does it once and answers the same:
    /// 1 to 255 visible ASCII characters, such as a UUID
    #[arg(long, global = true, value_name = "TEXT", help_heading = "Connection")]
    pub(crate) idempotency_key: Option<String>,
}

/// Where a client command goes, and as whom.
#[derive(Debug)]
struct Target {
    url: String,
    key: ApiKey,
    ca_file: Option<PathBuf>,
    allow_plain_http: bool,
}

impl ConnectionFlags {
    /// A client for the server and key in force.
    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        let (url, key) = (environment("KEYSTEAD_URL")?, environment("KEYSTEAD_KEY")?);
        // With both in the environment, a damaged file of another login must not stand in the way.
        let stored = if (self.url.is_some() || url.is_some()) && key.is_some() {
            None
        } else {
            credentials::read(&credentials::path()?)?
        };
        let target = self.target(url, key.map(ApiKey::from), stored)?;
        self.client(&target.url, Some(target.key), target.ca_file.as_deref(), target.allow_plain_http)
    }

    /// A client for the server in force, without a key: for who has yet to sign in. The server is the one that
    /// is named, or was stored.
    pub(crate) fn connect_as_nobody(&self) -> Result<(Client, Option<PathBuf>, bool), Failure> {
        let asked = self.url.clone().or(environment("KEYSTEAD_URL")?);
        let stored = match asked {
            Some(_) => None,
            None => credentials::read(&credentials::path()?)?,
        };
        let (stored_url, stored_ca, stored_plain) = match stored {
            Some(stored) => (Some(stored.url), stored.ca_file, stored.allow_plain_http),
            None => (None, None, false),
        };
        let url = asked.or(stored_url).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let ca_file = match &self.ca_file {
            Some(path) => Some(std::path::absolute(path).map_err(|error| {
                Failure::local(
                    format!("The path of --ca-file cannot be used: {error}."),
                    "Give an absolute path.",
                )
            })?),
            None => stored_ca,
        };
        let plain = self.allow_plain_http || stored_plain;
        let client = self.client(url.trim(), None, ca_file.as_deref(), plain)?;
        Ok((client, ca_file, plain))
    }

    /// A client for one server, with a key or without.
    pub(crate) fn client(
        &self,
        url: &str,
        key: Option<ApiKey>,
        ca_file: Option<&Path>,
        allow_plain_http: bool,
    ) -> Result<Client, Failure> {
        let mut builder = Client::builder()
            .url(url)
            .timeout(Duration::from_secs(self.timeout))
            .user_agent(concat!("keystead-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = key {
            builder = builder.key(key);
        }
        if allow_plain_http {
            builder = builder.allow_plain_http();
        }
        if let Some(path) = ca_file {
            builder = builder.root_certificates(read_certificates(path)?);
        }
        let client = builder.build()?;
        Ok(match &self.idempotency_key {
            Some(key) => client.with_idempotency_key(key),
            None => client,
        })
    }

    fn target(
        &self,
        url: Option<String>,
        key: Option<ApiKey>,
        stored: Option<Credentials>,
    ) -> Result<Target, Failure> {
        let asked = self.url.clone().or(url);
        // The stored key goes to the server that it was stored for and to no other: else a URL in
        // somebody's `.env` would be sent an administrator's key.
        let stored =
            stored.filter(|stored| asked.as_deref().is_none_or(|asked| same_server(asked, &stored.url)));
        let url = asked.or_else(|| stored.as_ref().map(|stored| stored.url.clone()));
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        let (stored_key, stored_ca, stored_plain) = match stored {
            Some(stored) => (Some(stored.key), stored.ca_file, stored.allow_plain_http),
            None => (None, None, false),
        };
        let key = key.or(stored_key).ok_or_else(|| {
            Failure::usage(
                "There is no key for this server.",
                "Run keystead login with the same --url, or set KEYSTEAD_KEY.",
            )
        })?;
        let ca_file = self.ca_file.clone().or(stored_ca);
        Ok(Target { url, key, ca_file, allow_plain_http: self.allow_plain_http || stored_plain })
    }
}

fn same_server(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/') == other.trim().trim_end_matches('/')
}

fn read_certificates(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut pem = Vec::new();
    File::open(path).and_then(|file| file.take(1 << 20).read_to_end(&mut pem)).map_err(|error| {
        Failure::local(
            format!("{} could not be read: {error}.", path.display()),
            "Check the path given with --ca-file.",
        )
    })?;
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(url: Option<&str>) -> ConnectionFlags {
        ConnectionFlags {
            url: url.map(str::to_owned),
            ca_file: None,
            allow_plain_http: false,
            timeout: 30,
            idempotency_key: None,
        }
    }

    fn stored() -> Option<Credentials> {
        let url = "https://stored.example".to_owned();
        Some(Credentials {
            url,
            key: "stored".into(),
            ca_file: Some("/ca.pem".into()),
            allow_plain_http: true,
        })
    }

    fn resolved(flag: Option<&str>, url: Option<&str>, key: Option<&str>) -> Result<Target, Failure> {
        flags(flag).target(url.map(str::to_owned), key.map(ApiKey::from), stored())
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let both = resolved(Some("https://flag.example"), Some("https://env.example"), Some("env")).unwrap();
        assert_eq!((both.url.as_str(), both.key.expose()), ("https://flag.example", "env"));
        let env = resolved(None, Some("https://env.example"), Some("env")).unwrap();
        assert_eq!((env.url.as_str(), env.key.expose()), ("https://env.example", "env"));
        let file = resolved(None, None, None).unwrap();
        assert_eq!((file.url.as_str(), file.key.expose()), ("https://stored.example", "stored"));
    }

    #[test]
    fn the_stored_key_never_goes_to_another_server() {
        assert!(matches!(resolved(None, Some("https://evil.example"), None), Err(Failure::Usage { .. })));
        assert!(matches!(resolved(Some("https://evil.example"), None, None), Err(Failure::Usage { .. })));
        assert!(matches!(
            resolved(Some("https://stored.example.evil"), None, None),
            Err(Failure::Usage { .. })
        ));
        assert_eq!(resolved(None, Some("https://stored.example/"), None).unwrap().key.expose(), "stored");
    }

    #[test]
    fn what_was_allowed_for_the_stored_server_does_not_hold_for_another() {
        let other = resolved(Some("http://other.example"), None, Some("env")).unwrap();
        assert_eq!((other.ca_file, other.allow_plain_http), (None, false));
        assert!(resolved(None, None, Some("env")).unwrap().allow_plain_http);
    }

    #[test]
    fn without_anything_the_default_server_is_meant_and_a_key_is_missing() {
        assert!(matches!(flags(None).target(None, None, None), Err(Failure::Usage { .. })));
        assert_eq!(flags(None).target(None, Some("k".into()), None).unwrap().url, DEFAULT_URL);
    }
}
