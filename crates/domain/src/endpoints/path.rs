//! Request paths: which are ambiguous, and how they are compared with patterns without a copy.

use super::PATTERN_BYTES_MAX;
use crate::invalid::Invalid;
use std::borrow::Cow;

/// Longest path that is compared, in bytes.
pub const PATH_BYTES_MAX: usize = 2048;

/// Whether proxies and upstreams may read this path differently, so that a check of it proves
/// nothing: it does not begin with `/` or is longer than 2,048 bytes; it has `//`, a `.` or `..`
/// segment, `\`, `;`, a query or fragment, an invalid escape, an escape of `/`, `\`, `.`, `;`, of a
/// control character, of an escape or of what is never UTF-8, or a byte that is not visible ASCII.
/// Allocates nothing.
#[must_use]
pub fn is_ambiguous(path: &str) -> bool {
    if path.len() > PATH_BYTES_MAX || !path.starts_with('/') {
        return true;
    }
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = match byte {
            byte if is_plain(*byte) => after,
            b'/' => match after {
                [b'/', ..] | [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..] => {
                    return true;
                }
                _ => after,
            },
            b'%' => match after {
                [high, low, after @ ..]
                    if unescaped(*high, *low).is_some_and(|byte| !is_treacherous(byte, after)) =>
                {
                    after
                }
                _ => return true,
            },
            _ => return true,
        };
    }
    false
}

/// Whether a byte is visible ASCII and has no part in what is ambiguous, but for dots after a slash.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'%' | b'\\' | b';' | b'?' | b'#')
}

/// Whether an escaped byte, with what follows its escape, becomes structure where someone reads
/// escapes early, twice or as overlong UTF-8 (`%c0%af`, `%e0%80%af`, RFC 3629 §10).
fn is_treacherous(byte: u8, after: &[u8]) -> bool {
    match byte {
        b'/' | b'\\' | b'.' | b';' | 0..=0x1f | 0x7f | 0xc0 | 0xc1 | 0xf5..=0xff => true,
        b'%' => after.first().is_some_and(|next| *next == b'%' || next.is_ascii_hexdigit()),
        0xe0 => matches!(after, [b'%', b'8' | b'9', ..]),
        0xf0 => matches!(after, [b'%', b'8', ..]),
        _ => false,
    }
}

/// Checks a path pattern and writes it in canonical form: escapes of unreserved characters read,
/// others in capitals (RFC 3986 §6.2.2).
///
/// # Errors
/// When it is no pattern; the field is empty.
pub fn parse_pattern(text: &str) -> Result<Box<str>, Invalid> {
    let refuse = |detail: &str, fix: &str| Err(Invalid::new("", detail, fix));
    if text.len() > PATTERN_BYTES_MAX {
        return refuse("This path is too long.", "Send at most 512 characters.");
    }
    if !text.starts_with('/') {
        return refuse("This path does not begin with `/`.", "Send a path such as `/v1/zones/*`.");
    }
    if is_ambiguous(text) {
        return refuse(
            "Proxies and servers read this path in different ways, so no request on it is ever admitted.",
            "Send a plain path without query, `//`, `.` or `..` segments, `;`, backslashes, and escapes of these; escape letters beyond ASCII as UTF-8 (`%C3%A9`).",
        );
    }
    let mut segments = text.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment.contains('*') && segment != "*" && !(segment == "**" && last) {
            return refuse(
                "A `*` in this path is no whole segment, or `**` is not at the end.",
                "Let `*` be a whole segment and `**` the last one, such as `/v1/*/records/**`.",
            );
        }
    }
    Ok(canonical(text))
}

/// A path in canonical form, to be looked up; `None` when it is ambiguous.
#[must_use]
pub fn canonical_path(path: &str) -> Option<Cow<'_, str>> {
    if is_ambiguous(path) {
        return None;
    }
    Some(if path.contains('%') { canonical(path).into_string().into() } else { path.into() })
}

fn canonical(text: &str) -> Box<str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        out.push_str(plain);
        let (digits, after) = escaped.split_at_checked(2).unwrap_or((escaped, ""));
        match digits.as_bytes() {
            [high, low] => match unescaped(*high, *low).filter(|byte| is_unreserved(*byte)) {
                Some(byte) => out.push(char::from(byte)),
                None => out.extend(['%', high.to_ascii_uppercase().into(), low.to_ascii_uppercase().into()]),
            },
            _ => out.push('%'),
        }
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

/// Whether a canonical pattern stands for a path that is not ambiguous. Byte by byte: this is on
/// the path of every verified request.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut sent) = (pattern.as_bytes(), path.as_bytes());
    loop {
        (wanted, sent) = match (wanted, sent) {
            ([b'/', b'*', b'*'], rest) => return matches!(rest, [] | [b'/', ..]),
            ([b'/', b'*', wanted @ ..], [b'/', sent @ ..]) => {
                let end = sent.iter().position(|byte| *byte == b'/').unwrap_or(sent.len());
                match sent.split_at_checked(end) {
                    Some((segment, sent)) if !segment.is_empty() => (wanted, sent),
                    _ => return false,
                }
            }
            (_, [b'%', high, low, sent @ ..]) => match after_escape(wanted, *high, *low) {
                Some(wanted) => (wanted, sent),
                None => return false,
            },
            ([byte, wanted @ ..], [first, sent @ ..]) if byte == first => (wanted, sent),
            ([], []) => return true,
            _ => return false,
        };
    }
}

/// What remains of a canonical text after an escape that was sent in any spelling.
fn after_escape(wanted: &[u8], high: u8, low: u8) -> Option<&[u8]> {
    let byte = unescaped(high, low)?;
    match wanted {
        [first, wanted @ ..] if is_unreserved(byte) && byte == *first => Some(wanted),
        [b'%', wanted_high, wanted_low, wanted @ ..]
            if !is_unreserved(byte)
                && high.eq_ignore_ascii_case(wanted_high)
                && low.eq_ignore_ascii_case(wanted_low) =>
        {
            Some(wanted)
        }
        _ => None,
    }
}

fn unescaped(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
