//! From whom a mail is and where answers go, as the configuration writes it.

use keystead_domain::invalid::Invalid;
use keystead_domain::name;
pub use lettre::message::Mailbox;

/// Reads `keys@example.com` or `Keys of Example <keys@example.com>`.
///
/// # Errors
/// When the address is no plain one (see [`name::contact`]), or the name no line of text.
pub fn mailbox(text: &str) -> Result<Mailbox, Invalid> {
    let (named, address) = match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((named, address)) => (named.trim(), address),
        None => ("", text.trim()),
    };
    name::contact("", address)?;
    let named = named.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(named);
    if !named.is_empty() {
        name::display_name("", named)?;
        if named.contains(['<', '>', '"', '@']) {
            return Err(Invalid::new(
                "",
                "This is more than one address.",
                "Write one: Name <keys@example.com>.",
            ));
        }
    }
    let address = address.parse().map_err(|_| {
        Invalid::new("", "This is not an e-mail address.", "Write one such as keys@example.com.")
    })?;
    Ok(Mailbox::new((!named.is_empty()).then(|| named.to_owned()), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_alone_or_behind_a_name() {
        for (text, name, address) in [
            ("keys@example.com", None, "keys@example.com"),
            ("Keys of Ä. & Co. <keys@example.com>", Some("Keys of Ä. & Co."), "keys@example.com"),
            ("\"Keys, all\" <keys@example.com>", Some("Keys, all"), "keys@example.com"),
            (" <keys@example.com> ", None, "keys@example.com"),
        ] {
            let read = mailbox(text).unwrap();
            assert_eq!((read.name.as_deref(), read.email.to_string().as_str()), (name, address), "{text}");
        }
    }

    #[test]
    fn nothing_that_would_begin_another_header_is_read() {
        for text in [
            "",
            "keys",
            "keys@localhost",
            "Keys <keys@example.com>, Others <others@example.com>",
            "Keys\r\nBcc: b@example.com <keys@example.com>",
            "Keys <keys@example.com\r\nBcc: b@example.com>",
            "Keys\u{2028}x <keys@example.com>",
            "<keys@example.com",
        ] {
            assert!(mailbox(text).is_err(), "{text:?}");
        }
    }
}
