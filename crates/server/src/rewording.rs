//! Says what was wrong with an input without repeating it: serde's messages echo values, and a value may
//! be a secret (CVE-2025-4166).

use serde_path_to_error::{Path, Segment};

/// What was wrong with an input, in our words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reworded {
    pub(crate) detail: String,
    pub(crate) fix: String,
    /// A JSON pointer; empty for the whole.
    pub(crate) field: String,
}

/// Rewords a message of serde. Only what comes from our own schema is repeated: the names of expected fields
/// and variants, and what a type expects.
pub(crate) fn reword(message: &str, path: &Path) -> Reworded {
    let message = message.rfind(" at line ").map_or(message, |end| message.get(..end).unwrap_or(message));
    let mut field = pointer(path);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    let (detail, fix) = if let Some(name) = quoted_after(message, "missing field ") {
        field = format!("{field}/{name}");
        (format!("The field `{name}` is missing."), format!("Send `{name}`."))
    } else if let Some(name) = quoted_after(message, "duplicate field ") {
        (format!("The field `{name}` is there twice."), format!("Send `{name}` once."))
    } else if message.starts_with("unknown field ") {
        // The path ends with the unknown name itself, which is input.
        field.truncate(field.rfind('/').unwrap_or(0));
        ("There is a field that is not known.".to_owned(), choices("The fields here are", expected))
    } else if message.starts_with("unknown variant ") {
        ("This is not one of the names that are known here.".to_owned(), choices("Send", expected))
    } else if let Some(found) = message.strip_prefix("invalid type: ") {
        let expected = expected.map_or("another type", describe);
        (format!("This is {}, not {expected}.", kind(found)), format!("Send {expected}."))
    } else if message.starts_with("invalid value: ") || message.starts_with("invalid length ") {
        let expected = expected.map_or("another value", describe);
        ("This value is not allowed.".to_owned(), format!("Send {expected}."))
    } else {
        let fix = "See /openapi.json for what this field takes.".to_owned();
        ("This is not in a form that is allowed here.".to_owned(), fix)
    };
    Reworded { detail, fix, field }
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_prefix('`')?.strip_suffix('`')
}

fn choices(start: &str, expected: Option<&str>) -> String {
    match expected.filter(|expected| expected.starts_with(['`', 'o'])) {
        Some(expected) => format!("{start} {}.", expected.strip_prefix("one of ").unwrap_or(expected)),
        None => "Leave it out.".to_owned(),
    }
}

/// The kind of what was found, from serde's `Unexpected`, which goes on with the value.
fn kind(found: &str) -> &'static str {
    const KINDS: [(&str, &str); 7] = [
        ("string", "a string"),
        ("integer", "a whole number"),
        ("floating point", "a fraction"),
        ("boolean", "true or false"),
        ("null", "null"),
        ("map", "an object"),
        ("sequence", "a list"),
    ];
    KINDS.iter().find(|(start, _)| found.starts_with(start)).map_or("another type", |(_, kind)| kind)
}

/// What a type expects, in the words of JSON instead of Rust's.
fn describe(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        named if named.starts_with("struct ") => "an object",
        other => other,
    }
}

/// The path as a JSON pointer. Of keys only those are kept that look like our fields: others are input.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } | Segment::Enum { variant: key } if looks_like_a_field(key) => {
                pointer.push_str(key);
            }
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => pointer.push('*'),
        }
    }
    pointer
}

fn looks_like_a_field(key: &str) -> bool {
    key.len() <= 32 && key.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())
}
