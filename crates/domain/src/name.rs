//! Names, labels and texts that people choose. Nothing is canonicalised in silence: what differs
//! from its canonical form is refused with the fix, so that two spellings are never one name.

use crate::invalid::Invalid;
use crate::pattern;
use serde_json::{Map, Value};

/// Longest serialized metadata, in bytes.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;
/// Deepest metadata: the object itself is level 1.
pub const METADATA_DEPTH_MAX: usize = 16;
/// Most tags on one thing.
pub const TAGS_MAX: usize = 32;

/// A name for people: 1 to 128 characters, one line, not blank, no space at its edges.
///
/// # Errors
/// Says what of that does not hold.
pub fn display_name(field: &str, value: &str) -> Result<(), Invalid> {
    line(field, value, 128)
}

/// A name for URLs: `a-z`, `0-9`, `-`, 1 to 64 characters, no `-` at its edges.
///
/// # Errors
/// Says what of that does not hold.
pub fn slug(field: &str, value: &str) -> Result<(), Invalid> {
    spelled(field, value, 64, "`a-z`, `0-9` and `-`", |byte| byte == b'-')?;
    if value.starts_with('-') || value.ends_with('-') {
        return Err(Invalid::new(
            field,
            "This begins or ends with `-`.",
            "Begin and end with a letter or a digit.",
        ));
    }
    Ok(())
}

/// A role's or service account's name: `a-z`, `0-9`, `-`, `_`, 1 to 64 characters.
///
/// # Errors
/// Says what of that does not hold.
pub fn handle(field: &str, value: &str) -> Result<(), Invalid> {
    spelled(field, value, 64, "`a-z`, `0-9`, `-` and `_`", |byte| matches!(byte, b'-' | b'_'))
}

/// How a project's keys begin: `a-z`, `0-9`, `_`, 1 to 32 characters, first a letter, last not `_`.
///
/// # Errors
/// Says what of that does not hold.
pub fn key_prefix(field: &str, value: &str) -> Result<(), Invalid> {
    spelled(field, value, 32, "`a-z`, `0-9` and `_`", |byte| byte == b'_')?;
    if !value.starts_with(|first: char| first.is_ascii_lowercase()) || value.ends_with('_') {
        return Err(Invalid::new(
            field,
            "A key prefix begins with a letter and does not end with `_`.",
            "Send something like `acme` or `my_company`.",
        ));
    }
    Ok(())
}

/// What stands for the environment in a key: `a-z`, `0-9`, 1 to 16 characters.
///
/// # Errors
/// Says what of that does not hold.
pub fn environment_tag(field: &str, value: &str) -> Result<(), Invalid> {
    spelled(field, value, 16, "`a-z` and `0-9`", |_| false)
}

/// A permission's name: at most 8 dotted segments of `a-z`, `0-9`, `_`, `-`, 128 characters in all.
///
/// # Errors
/// Says what of that does not hold.
pub fn permission_name(field: &str, value: &str) -> Result<(), Invalid> {
    spelled(field, value, pattern::NAME_BYTES_MAX, "`a-z`, `0-9`, `_`, `-` and dots", |byte| {
        matches!(byte, b'_' | b'-' | b'.')
    })?;
    if !pattern::is_name(value) {
        return Err(Invalid::new(
            field,
            "This has an empty segment or more than 8 segments.",
            "Send 1 to 8 segments with single dots between them, such as `routes.read`.",
        ));
    }
    Ok(())
}

/// What something is: at most 1,024 characters, of several lines if need be; may be empty.
///
/// # Errors
/// Says what of that does not hold.
pub fn description(field: &str, value: &str) -> Result<(), Invalid> {
    at_most(field, value, 1024)?;
    if value.chars().any(|c| deceives(c) && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invisible(field));
    }
    Ok(())
}

/// A consumer's name in the caller's own system: 1 to 128 printable characters, no space at the edges.
///
/// # Errors
/// Says what of that does not hold.
pub fn external_id(field: &str, value: &str) -> Result<(), Invalid> {
    line(field, value, 128)
}

/// Why something is done: 1 to 512 characters, one line.
///
/// # Errors
/// Says what of that does not hold.
pub fn reason(field: &str, value: &str) -> Result<(), Invalid> {
    line(field, value, 512)
}

/// An e-mail address: ASCII, one `@`, a dot-atom before it and a dotted host name after it, at most
/// 254 characters (RFC 5321 §4.5.3.1, RFC 5322 §3.4.1 without quoted and literal forms).
///
/// # Errors
/// When it is not that.
pub fn contact(field: &str, value: &str) -> Result<(), Invalid> {
    let plausible = value.len() <= 254
        && value
            .split_once('@')
            .is_some_and(|(local, host)| local.len() <= 64 && local.split('.').all(is_atom) && is_host(host));
    if plausible {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        "This is not an e-mail address.",
        "Send an address such as `ops@example.com`, at most 254 characters; write an international domain in punycode (`xn--…`).",
    ))
}

/// An e-mail address that somebody signs in with, in its one form: without spaces at its edges, in lower case.
/// Two spellings are never two people.
///
/// # Errors
/// When it is no e-mail address.
pub fn email(field: &str, value: &str) -> Result<String, Invalid> {
    let canonical = value.trim().to_ascii_lowercase();
    contact(field, &canonical).map(|()| canonical)
}

/// Labels: at most 32, each 1 to 64 characters of `a-z`, `0-9`, `-`, `_`, `.`, `:`, none twice.
///
/// # Errors
/// Names the first that is wrong: `{field}/3`.
pub fn tags<T: AsRef<str>>(field: &str, values: &[T]) -> Result<(), Invalid> {
    if values.len() > TAGS_MAX {
        return Err(Invalid::new(
            field,
            format!("These are {} tags.", values.len()),
            format!("Send at most {TAGS_MAX}."),
        ));
    }
    for (at, value) in values.iter().enumerate() {
        let field = format!("{field}/{at}");
        let value = value.as_ref();
        spelled(&field, value, 64, "`a-z`, `0-9`, `-`, `_`, `.` and `:`", |byte| {
            matches!(byte, b'-' | b'_' | b'.' | b':')
        })?;
        if values.iter().take(at).any(|other| other.as_ref() == value) {
            return Err(Invalid::new(field, "This tag is there twice.", "Send each tag once."));
        }
    }
    Ok(())
}

/// A JSON object of the caller's: at most 8 KiB serialized, at most 16 levels deep.
///
/// # Errors
/// Says which bound it passes.
pub fn metadata(field: &str, value: &Map<String, Value>) -> Result<(), Invalid> {
    // Depth first: writing it recurses as deep as it nests.
    if !value.values().all(|child| nests_within(child, METADATA_DEPTH_MAX - 1)) {
        return Err(Invalid::new(
            field,
            "This metadata nests too deep.",
            format!("Nest it at most {METADATA_DEPTH_MAX} levels deep."),
        ));
    }
    match serde_json::to_vec(value) {
        Ok(bytes) if bytes.len() <= METADATA_BYTES_MAX => Ok(()),
        _ => Err(Invalid::new(
            field,
            "This metadata is too large.",
            format!("Keep it within {METADATA_BYTES_MAX} bytes of JSON."),
        )),
    }
}

fn nests_within(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Array(items), Some(left)) => items.iter().all(|item| nests_within(item, left)),
        (Value::Object(map), Some(left)) => map.values().all(|item| nests_within(item, left)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}

/// One line of 1 to `chars_max` characters, without space at its edges.
fn line(field: &str, value: &str, chars_max: usize) -> Result<(), Invalid> {
    if value.trim().is_empty() {
        return Err(Invalid::new(field, "This is empty.", format!("Send 1 to {chars_max} characters.")));
    }
    at_most(field, value, chars_max)?;
    if value.chars().any(deceives) {
        return Err(invisible(field));
    }
    if value.trim() != value {
        return Err(Invalid::new(
            field,
            "This begins or ends with a space.",
            "Send it without spaces at its edges.",
        ));
    }
    Ok(())
}

/// 1 to `bytes_max` of `a-z`, `0-9` and what `also` allows.
fn spelled(
    field: &str,
    value: &str,
    bytes_max: usize,
    charset: &str,
    also: impl Fn(u8) -> bool,
) -> Result<(), Invalid> {
    if value.is_empty() || value.len() > bytes_max {
        return Err(Invalid::new(
            field,
            if value.is_empty() { "This is empty." } else { "This is too long." },
            format!("Send 1 to {bytes_max} characters of {charset}."),
        ));
    }
    let fits = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || also(byte))
    };
    if fits(value) {
        return Ok(());
    }
    let lower = value.to_ascii_lowercase();
    if fits(&lower) {
        return Err(Invalid::new(
            field,
            "This has capital letters.",
            format!("Write it in small letters: `{lower}`."),
        ));
    }
    Err(Invalid::new(field, "This has a character that is not allowed here.", format!("Use only {charset}.")))
}

fn at_most(field: &str, value: &str, chars_max: usize) -> Result<(), Invalid> {
    if value.chars().nth(chars_max).is_some() {
        return Err(Invalid::new(
            field,
            "This is too long.",
            format!("Send at most {chars_max} characters."),
        ));
    }
    Ok(())
}

fn invisible(field: &str) -> Invalid {
    Invalid::new(
        field,
        "This has a control character, a line break or a character that turns the direction of text.",
        "Send visible characters and spaces.",
    )
}

/// Whether a character moves the cursor or turns the text's direction: a list or a log line could
/// then show something else than what is stored (Trojan Source, CVE-2021-42574).
fn deceives(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_atom(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte))
}

fn is_host(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests;
