//! Why a mail was not taken, in words that may be kept and shown: bounded, in one line, without a secret.

use lettre::transport::smtp::Error;
use std::error::Error as _;
use zeroize::Zeroizing;

/// Characters of a server's reply that are kept.
const DETAIL_CHARS_MAX: usize = 300;

const SENDER_FIX: &str = "Check smtp.from, and that the mail server lets smtp.username, or this machine where there is none, send from it.";

/// Whose fault it is, and so what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The mail server cannot be used now, for any letter. What it is may only its operator know.
    Server,
    /// This letter was not taken now (4xx, or the answer did not come).
    Later,
    /// This letter will never be taken (5xx).
    Never,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub fault: Fault,
    /// What happened, as a sentence or as the server said it.
    pub detail: String,
    /// What to do about it, where that is known.
    pub fix: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(fault: Fault, detail: &str) -> Self {
        Self { fault, detail: line(detail, DETAIL_CHARS_MAX), fix: None }
    }

    /// This process is told to stop.
    #[must_use]
    pub fn stopped() -> Self {
        Self::new(Fault::Server, "The server was stopped before the mail server answered.")
    }

    /// The mail server's answer was waited for long enough.
    #[must_use]
    pub fn late() -> Self {
        let fix = "Look in the mail server's log why it takes so long, and whether it took the letter all the same.";
        Self { fix: Some(fix), ..Self::new(Fault::Later, "The mail server did not answer in time.") }
    }

    pub(crate) fn server(detail: &str, fix: &'static str) -> Self {
        Self { fix: Some(fix), ..Self::new(Fault::Server, detail) }
    }

    /// Of the way to the server: connecting, TLS, its greeting.
    pub(crate) fn of_connecting(error: &Error) -> Self {
        let fix = if error.is_tls() {
            "Check smtp.security, and that the server's certificate is for smtp.host; a private authority's goes into smtp.ca_file."
        } else if error.status().is_some() {
            "Ask whoever runs the mail server why it does not take mail from this machine."
        } else {
            "Check smtp.host, smtp.port and smtp.security, and that the mail server runs and can be reached from here."
        };
        Self::server(&error.to_string(), fix)
    }

    /// Of signing in. What the server says may hold what was sent to it: only its code is told.
    pub(crate) fn of_signing_in(error: &Error) -> Self {
        match error.status() {
            Some(code) => Self::server(
                &format!("{code}: the mail server refused the user name and the password."),
                "Correct smtp.username, and the password in smtp.password_file or KEYSTEAD_SMTP_PASSWORD.",
            ),
            None if error.is_client() => Self::server(
                "The mail server offers no way of signing in that is known here (PLAIN, LOGIN).",
                "Remove smtp.username where none is needed; else check smtp.port and smtp.security.",
            ),
            None => Self::of_connecting(error),
        }
    }

    /// Of what is said before a letter, and is the same for all: whom it is from. `secrets` are not repeated,
    /// should the server repeat them.
    pub(crate) fn of_sender(error: &Error, secrets: &[Zeroizing<String>]) -> Self {
        Self::server(&said(error, secrets), SENDER_FIX)
    }

    /// Of a letter's recipient.
    pub(crate) fn of_recipient(error: &Error, secrets: &[Zeroizing<String>]) -> Self {
        // RFC 3463 §3.8: X.7 is about who may send, not about the address. It is mended here or there, one day.
        let is_policy = error.source().is_some_and(|said| said.to_string().starts_with("5.7."));
        if is_policy && error.status().is_some_and(|code| u16::from(code) != 530) {
            return Self { fix: Some(SENDER_FIX), ..Self::new(Fault::Later, &said(error, secrets)) };
        }
        Self::of_letter(error, secrets)
    }

    /// Of a letter.
    pub(crate) fn of_letter(error: &Error, secrets: &[Zeroizing<String>]) -> Self {
        let said = said(error, secrets);
        match error.status().map(u16::from) {
            // Whoever asks is refused, not the letter (RFC 4954 §6, RFC 5321 §3.8: 421 closes the line).
            Some(421 | 530) => Self::server(&said, SENDER_FIX),
            Some(500..=599) => Self::new(Fault::Never, &said),
            _ => Self::new(Fault::Later, &said),
        }
    }
}

/// What the server said, without what is not to be told.
fn said(error: &Error, secrets: &[Zeroizing<String>]) -> String {
    secrets.iter().fold(error.to_string(), |said, secret| said.replace(secret.as_str(), "***"))
}

/// One line of at most so many characters, without control characters.
fn line(text: &str, chars_max: usize) -> String {
    let blank = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let words: String = text.chars().map(|c| if blank(c) { ' ' } else { c }).collect();
    let mut line = words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(chars_max) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_bounded_and_steers_no_terminal() {
        let said = format!("550 \u{1b}[2Jno\r\nsuch\u{0}user\u{9b}1m\u{202e}{}", "x".repeat(5_000));
        let failure = Failure::new(Fault::Never, &said);
        assert!(failure.detail.starts_with("550 [2Jno such user 1m x"), "{}", failure.detail);
        assert_eq!(failure.detail.chars().count(), DETAIL_CHARS_MAX + 1);
        assert!(!failure.detail.chars().any(char::is_control));
    }
}
