//! A letter to one person: plain text, and headers that nothing in it can add to.

use crate::failure::{Failure, Fault};
use crate::mailbox::Mailbox;
use keystead_domain::name;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::{Address, Message};
use std::time::SystemTime;

/// Characters of the longest subject; RFC 5322 asks for lines of at most 998 bytes, and people for less.
const SUBJECT_CHARS_MAX: usize = 200;

/// A letter to one person.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What it is, in the letters, digits and `_` of an id: the same each time that it is sent.
    pub id: String,
    /// To which address.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// When it is sent.
    pub at: SystemTime,
}

impl Letter {
    /// Its `Message-ID`: the same each time, so that a repeat is recognised.
    #[must_use]
    pub fn message_id(&self, from: &Mailbox) -> String {
        format!("<{}@{}>", self.id, from.email.domain())
    }

    /// The address that it goes to, and all that is sent.
    pub(crate) fn written(
        &self,
        from: &Mailbox,
        reply_to: Option<&Mailbox>,
    ) -> Result<(Address, Vec<u8>), Failure> {
        let unwritable = |why: &str| Failure::new(Fault::Never, why);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if self.id.is_empty() || !self.id.bytes().all(is_plain) {
            return Err(unwritable("Its id is none."));
        }
        name::contact("", &self.to).map_err(|_| unwritable("The address is no e-mail address."))?;
        let to: Address = self.to.parse().map_err(|_| unwritable("The address is no e-mail address."))?;
        let mut letter = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .message_id(Some(self.message_id(from)))
            .date(self.at)
            .subject(one_line(&self.subject))
            .header(AutoSubmitted)
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN);
        if let Some(reply_to) = reply_to {
            letter = letter.reply_to(reply_to.clone());
        }
        let letter =
            letter.body(text(&self.text)).map_err(|_| unwritable("It cannot be written as a mail."))?;
        let bytes = letter.formatted();
        // Then no server has to know 8BITMIME, and none can read a byte in two ways.
        if !bytes.is_ascii() {
            return Err(unwritable("It cannot be written as a mail."));
        }
        Ok((to, bytes))
    }
}

/// That a program wrote it: nobody's absence is answered to it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// One line without control characters: what ends a line would begin another header.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let line: String = text.chars().map(|c| if breaks(c) { ' ' } else { c }).collect();
    let line = line.trim();
    if line.chars().count() <= SUBJECT_CHARS_MAX {
        return line.to_owned();
    }
    line.chars().take(SUBJECT_CHARS_MAX - 1).chain(['…']).collect()
}

/// Lines without other control characters: a terminal that shows the mail must not obey it.
fn text(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::mailbox;
    use std::time::Duration;

    fn letter() -> Letter {
        Letter {
            id: "ntc_1".into(),
            to: "noc@customer.example".into(),
            subject: "The API key \"Importer\" is being rotated".into(),
            text: "What to do:\n1. Take it.\n".into(),
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
        }
    }

    fn written(letter: &Letter) -> String {
        let from = mailbox("Keys of Ä <keys@example.com>").unwrap();
        let reply_to = mailbox("ops@example.com").unwrap();
        String::from_utf8(letter.written(&from, Some(&reply_to)).unwrap().1).unwrap()
    }

    #[test]
    fn a_letter_is_plain_text_from_a_program() {
        let text = written(&letter());
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "To: noc@customer.example",
            "Reply-To: ops@example.com",
            "Message-ID: <ntc_1@example.com>",
            "Date: Thu, 01 Jan 2026 00:00:00 +0000",
            "Subject: The API key \"Importer\" is being rotated",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "MIME-Version: 1.0",
        ] {
            assert!(head.split("\r\n").any(|has| has == line), "{line} is not in\n{head}");
        }
        assert_eq!(body, "What to do:\r\n1. Take it.\r\n");
        assert_eq!(written(&letter()), text, "each time the same");
    }

    /// A key's name is its maker's to choose; what is written there must not become a header or a recipient.
    #[test]
    fn nothing_in_a_letter_adds_a_header() {
        let breaks = ["\r\n", "\n", "\r", "\0", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"];
        for line in breaks {
            let injected = format!("x{line}Bcc: victim@example.com{line}{line}Another body{line}.{line}");
            for letter in [
                Letter { subject: injected.clone(), ..letter() },
                Letter { subject: format!("ä{injected}"), ..letter() },
                Letter { subject: "y".repeat(5_000) + &injected, ..letter() },
                Letter { text: injected.clone(), ..letter() },
            ] {
                let text = written(&letter);
                let (head, _) = text.split_once("\r\n\r\n").unwrap();
                let names: Vec<_> = head
                    .split("\r\n")
                    .filter(|line| !line.starts_with([' ', '\t']))
                    .filter_map(|line| line.split_once(": ").map(|(name, _)| name.to_owned()))
                    .collect();
                assert_eq!(names.len(), 10, "{names:?}");
                assert!(!names.iter().any(|name| name.eq_ignore_ascii_case("bcc")), "{text}");
                assert!(
                    head.bytes().all(|byte| (b' '..0x7f).contains(&byte) || b"\r\n".contains(&byte)),
                    "{head:?}"
                );
                assert!(head.split("\r\n").all(|line| line.len() <= 998), "{head}");
            }
            let to = format!("noc@customer.example{line}Bcc: victim@example.com");
            let from = mailbox("keys@example.com").unwrap();
            for letter in [Letter { to, ..letter() }, Letter { id: format!("ntc{line}"), ..letter() }] {
                assert!(letter.written(&from, None).is_err());
            }
        }
    }

    #[test]
    fn any_text_arrives_as_ascii() {
        let long = "ä€𝄞 ".repeat(500);
        for (subject, body) in [("Schlüssel läuft ab 🔑", "Grüße\n"), ("日本語", long.as_str()), ("", "")]
        {
            let text = written(&Letter { subject: subject.into(), text: body.into(), ..letter() });
            assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 998), "{text}");
        }
        let escape = written(&Letter { text: "a\u{1b}]0;owned\u{7}b\u{9b}c\n".into(), ..letter() });
        assert!(!escape.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{escape:?}");
    }
}
