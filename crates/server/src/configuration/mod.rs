//! What the server is told: defaults, one TOML file, `KEYSTEAD_*` variables and flags, each over the one before.

mod database;
mod door;
mod guard;
mod guards;
mod mistake;
mod resolve;
mod setting;
mod show;
mod smtp;
mod sources;
mod table;
mod value;
mod webhook;

pub use database::DatabaseUrl;
pub use door::{DOORS_MAX, Door};
pub use guard::{GUARDS_MAX, Guard};
pub use mistake::{ConfigurationError, Mistake};
pub use resolve::{Loaded, load};
pub use setting::{Kind, Setting};
pub use show::reference;
pub use smtp::{PASSWORD_VARIABLE, SmtpMistake};
pub use table::Whose;
pub use value::{LogFormat, LogLevel, RootKeyFrom, SmtpSecurity};
pub use webhook::WebhookUrl;

use keystead_mail::Mailbox;
use setting::settings;
use std::net::SocketAddr;
use std::path::PathBuf;

settings! {
    /// Everything that the server can be told.
    Configuration {
        /// The folder that holds what the server owns. A relative path starts where the server is started.
        data: PathBuf = "./keystead-data", Kind::Text;
        /// The address and port to listen on; port 0 takes a free one.
        listen: SocketAddr = "127.0.0.1:7700", Kind::Text;
        /// Where everything is kept: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
        database: DatabaseUrl = "sqlite:{data}/keystead.db", Kind::DatabaseUrl;
        /// The file of the root key, where `root_key.source` is `file`; created with mode 0600 on first start.
        root_key_file: PathBuf = "{data}/root.key", Kind::Text;
        /// Lets the server speak plain HTTP on addresses that are not loopback. Keys then cross the network readable.
        allow_plain_http: bool = "false", Kind::Flag;
    }
    /// Where the root key comes from; see docs/BACKUP.md.
    root_key: RootKey {
        /// `file`, the variable KEYSTEAD_ROOT_KEY, the output of a command, or a passphrase.
        source: RootKeyFrom = "file", Kind::Choice(RootKeyFrom::NAMES);
        /// The program that prints the root key, with arguments separated by spaces; it is run without a shell.
        command: Option<String> = "", Kind::Text;
        /// The file with the passphrase; without one it is asked for on the terminal.
        passphrase_file: Option<PathBuf> = "", Kind::Text;
    }
    /// What a restored backup must know of the time after it; see docs/BACKUP.md.
    backup: Backup {
        /// The log of what is changed and spent, best on another disk than the database; empty keeps none.
        log: Option<PathBuf> = "{data}/after-backup.log", Kind::Text;
    }
    /// Encryption of what crosses the network.
    tls: Tls {
        /// A PEM file with the certificate and its chain; read again when it changes.
        certificate: Option<PathBuf> = "", Kind::Text;
        /// A PEM file with the certificate's private key; read again when it changes.
        key: Option<PathBuf> = "", Kind::Text;
    }
    /// How mail leaves; without a host notices wait, and are shown by `keystead notices`.
    smtp: Smtp {
        /// The name or address of the mail server that takes mail from here; its certificate must be for this.
        host: Option<String> = "", Kind::Text;
        /// Its port; 0 takes the usual one: 465 with `tls`, 587 with `starttls`, 25 with `none`.
        port: u16 = "0", Kind::Whole { min: 0, max: 65_535 };
        /// `tls` from the first byte, `starttls`, or `none`, which is for a server on this machine.
        security: SmtpSecurity = "tls", Kind::Choice(SmtpSecurity::NAMES);
        /// Lets mail, and the password, go readable to a host that is not loopback, where `smtp.security` is `none`.
        allow_plain: bool = "false", Kind::Flag;
        /// The user name to sign in with; none signs in nobody.
        username: Option<String> = "", Kind::Text;
        /// The file with the password, readable by its owner only; or the variable KEYSTEAD_SMTP_PASSWORD.
        password_file: Option<PathBuf> = "", Kind::Text;
        /// A PEM file with certificates that are trusted besides the system's.
        ca_file: Option<PathBuf> = "", Kind::Text;
        /// From whom mail is: `keys@example.com` or `Keys <keys@example.com>`.
        from: Option<Mailbox> = "", Kind::Text;
        /// Where answers go, when not to `smtp.from`.
        reply_to: Option<Mailbox> = "", Kind::Text;
        /// Seconds for connecting and signing in, and for each letter, what is said before it.
        timeout_seconds: u64 = "10", Kind::Whole { min: 1, max: 120 };
        /// Seconds for a letter itself, until the mail server says that it has it; who gives up sooner sends it twice.
        data_timeout_seconds: u64 = "300", Kind::Whole { min: 10, max: 600 };
    }
    /// How people sign in; see docs/PEOPLE.md.
    sign_in: SignIn {
        /// Where people reach this server: `https://keys.example.com`. Links in e-mails begin so; empty takes `listen`.
        url: Option<String> = "", Kind::Text;
        /// Seconds that a session lasts.
        session_seconds_max: u64 = "43200", Kind::Whole { min: 300, max: 2_592_000 };
        /// Seconds that a session lasts without being used.
        idle_seconds_max: u64 = "3600", Kind::Whole { min: 120, max: 2_592_000 };
        /// The fewest characters of a new password.
        password_characters_min: usize = "12", Kind::Whole { min: 8, max: 64 };
        /// A file of passwords that others lost, none of which may be chosen: Have I Been Pwned's list, by hash.
        breached_passwords_file: Option<PathBuf> = "", Kind::Text;
        /// Lets identity providers stand at private and loopback addresses, on this machine also without TLS. Whoever
        /// owns an organization can then have the server connect to what stands in its network.
        private_providers: bool = "false", Kind::Flag;
        /// The domain that passkeys are for, where it is to be one above the host of `url`: they then work on each name
        /// below it. Passkeys that were made for another domain work no more.
        passkey_domain: Option<String> = "", Kind::Text;
    }
    /// What is written to standard error.
    log: Log {
        /// The least that is written. Libraries never write below `warn`, because their details may hold secrets.
        level: LogLevel = "info", Kind::Choice(LogLevel::NAMES);
        /// One line of text or one JSON object a line; `auto` is `text` on a terminal, else `json`.
        format: LogFormat = "auto", Kind::Choice(LogFormat::NAMES);
    }
    /// Bounds that keep the server standing.
    limits: Limits {
        /// Bytes of the largest request body.
        body_bytes_max: usize = "1048576", Kind::Whole { min: 16_384, max: 67_108_864 };
        /// Open connections; further ones wait to be accepted.
        connections_max: usize = "10000", Kind::Whole { min: 1, max: 1_000_000 };
        /// Requests in work at a time; further ones are answered 503 with `Retry-After`.
        requests_in_flight_max: usize = "1024", Kind::Whole { min: 1, max: 1_000_000 };
        /// Seconds for a TLS handshake, and for the head of a request once it has begun.
        header_seconds_max: u64 = "10", Kind::Whole { min: 1, max: 300 };
        /// Seconds from a request's head to its answer.
        request_seconds_max: u64 = "30", Kind::Whole { min: 1, max: 3_600 };
        /// Seconds that a connection may stay open without a request.
        idle_seconds_max: u64 = "75", Kind::Whole { min: 1, max: 3_600 };
        /// Seconds that requests in work get to finish when the server is stopped.
        shutdown_seconds_max: u64 = "20", Kind::Whole { min: 0, max: 3_600 };
    }
    /// Records of verified requests.
    usage: Usage {
        /// Seconds between two writes of usage to the database: what a crash may lose.
        flush_seconds: u64 = "5", Kind::Whole { min: 1, max: 300 };
        /// Usage events that may wait for a write; further ones are dropped, counted and reported.
        queue_max: usize = "65536", Kind::Whole { min: 1_024, max: 16_777_216 };
    }
    /// The audit, and what shows that nobody changed it; see docs/AUDIT.md.
    audit: Audit {
        /// Seconds that the audit grows before it is signed again.
        checkpoint_seconds: u64 = "60", Kind::Whole { min: 5, max: 86_400 };
        /// A file, best on another machine's disk, to which each signed checkpoint is added; empty for none.
        checkpoint_file: Option<PathBuf> = "", Kind::Text;
        /// Where each signed checkpoint is sent (a POST of `text/plain`): an `https` URL; empty for none.
        checkpoint_webhook: Option<WebhookUrl> = "", Kind::WebhookUrl;
        /// Days that audit records are kept; 0 for ever. What shows tampering with the others stays.
        retention_days: u64 = "0", Kind::Whole { min: 0, max: 36_500 };
    }
    /// Keys that live for a day at most.
    temporary: Temporary {
        /// Seconds that an expired temporary key stays visible before it is purged; its audit stays.
        purge_after_seconds: u64 = "86400", Kind::Whole { min: 0, max: 31_536_000 };
        /// Keys minted from one key that may be there at a time, the expired ones that are not purged too.
        minted_max: usize = "250000", Kind::Whole { min: 1, max: 100_000_000 };
    }
    /// How long this node may answer without news from the others.
    freshness: Freshness {
        /// Seconds after which a node that cannot confirm that it is up to date answers `unavailable`.
        max_staleness_seconds: u64 = "10", Kind::Whole { min: 2, max: 300 };
    }
}

#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
