//! How the text of a setting becomes its type.

use super::database::DatabaseUrl;
use super::setting::Kind;
use super::webhook::WebhookUrl;
use keystead_mail::Mailbox;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a text is no value of a setting: what is wrong, and what to write instead, as sentences.
pub(super) struct Refused {
    pub(super) detail: String,
    pub(super) fix: String,
}

fn refused(detail: impl Into<String>, fix: impl Into<String>) -> Refused {
    Refused { detail: detail.into(), fix: fix.into() }
}

/// A type that settings have.
pub(super) trait Value: Sized {
    /// From its text; `kind` holds the bounds.
    fn parse(text: &str, kind: Kind) -> Result<Self, Refused>;
}

impl Value for PathBuf {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        if text.is_empty() || text.contains('\0') {
            return Err(refused("this is not a path.", "Write the path of a file or folder."));
        }
        Ok(Self::from(text))
    }
}

impl Value for Option<PathBuf> {
    fn parse(text: &str, kind: Kind) -> Result<Self, Refused> {
        if text.is_empty() { Ok(None) } else { PathBuf::parse(text, kind).map(Some) }
    }
}

impl Value for Option<String> {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl Value for Option<WebhookUrl> {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        Ok((!text.is_empty()).then(|| text.into()))
    }
}

impl Value for Option<Mailbox> {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        if text.is_empty() {
            return Ok(None);
        }
        keystead_mail::mailbox(text).map(Some).map_err(|_| {
            refused(
                "this is not an e-mail address.",
                "Write keys@example.com or Keys <keys@example.com>; an international domain in punycode (xn--…).",
            )
        })
    }
}

impl Value for SocketAddr {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        text.parse().map_err(|_| {
            refused(
                "this is not an IP address with a port.",
                "Write it like 127.0.0.1:7700 or [::1]:7700; host names are not looked up.",
            )
        })
    }
}

impl Value for DatabaseUrl {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        Self::new(text).ok_or_else(|| {
            refused(
                "this is not a database that Keystead knows.",
                "Write sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME.",
            )
        })
    }
}

impl Value for bool {
    fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
        text.parse().map_err(|_| refused("this is neither true nor false.", "Write true or false."))
    }
}

impl Value for u64 {
    fn parse(text: &str, kind: Kind) -> Result<Self, Refused> {
        let (min, max) = match kind {
            Kind::Whole { min, max } => (min, max),
            _ => (0, Self::MAX),
        };
        let fix = || format!("Write a whole number from {min} to {max}.");
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        if !plain {
            return Err(refused("this is not a whole number.", fix()));
        }
        match text.replace('_', "").parse::<Self>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            _ => Err(refused("this number is out of bounds.", fix())),
        }
    }
}

impl Value for u16 {
    fn parse(text: &str, kind: Kind) -> Result<Self, Refused> {
        let number = u64::parse(text, kind)?;
        Self::try_from(number)
            .map_err(|_| refused("this is not a port.", "Write a whole number from 0 to 65535."))
    }
}

impl Value for usize {
    fn parse(text: &str, kind: Kind) -> Result<Self, Refused> {
        let number = u64::parse(text, kind)?;
        Self::try_from(number)
            .map_err(|_| refused("this machine cannot count that far.", "Write a smaller number."))
    }
}

/// A closed set of names: the enum, its names in the table, and how they are read.
macro_rules! choice {
    ($(#[$doc:meta])* $Name:ident { $( $(#[$variant_doc:meta])* $Variant:ident = $text:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Name { $( $(#[$variant_doc])* $Variant, )+ }

        impl $Name {
            /// The names of all.
            pub const NAMES: &[&str] = &[$($text),+];
        }

        impl Value for $Name {
            fn parse(text: &str, _: Kind) -> Result<Self, Refused> {
                match text {
                    $( $text => Ok(Self::$Variant), )+
                    _ => Err(refused(
                        "this is not one of the choices.",
                        format!("Write one of {}.", Self::NAMES.join(", ")),
                    )),
                }
            }
        }
    };
}

choice! {
    /// The least that is logged.
    LogLevel {
        /// What failed.
        Error = "error",
        /// And what may fail soon.
        Warn = "warn",
        /// And what changed.
        Info = "info",
        /// And each request.
        Debug = "debug",
        /// Everything of Keystead's own.
        Trace = "trace",
    }
}

choice! {
    /// Where the root key comes from.
    RootKeyFrom {
        /// `root_key_file`.
        File = "file",
        /// The variable `KEYSTEAD_ROOT_KEY`.
        Environment = "environment",
        /// What a program prints.
        Command = "command",
        /// A passphrase.
        Passphrase = "passphrase",
    }
}

choice! {
    /// How the way to the mail server is kept secret.
    SmtpSecurity {
        /// TLS from the first byte.
        Tls = "tls",
        /// TLS after STARTTLS.
        StartTls = "starttls",
        /// Not at all.
        None = "none",
    }
}

choice! {
    /// How log lines look.
    LogFormat {
        /// Text on a terminal, else JSON.
        Auto = "auto",
        /// For people.
        Text = "text",
        /// For machines: one object a line.
        Json = "json",
    }
}
