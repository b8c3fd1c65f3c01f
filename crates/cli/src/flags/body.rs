//! A whole request body as JSON, and other values that come from a file or standard input.

use crate::exit::Failure;
use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// The largest body that is read, in bytes: 1,000 verifications fit.
const BODY_BYTES_MAX: u64 = 16 << 20;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `-`
    Stdin,
    /// Any other name.
    File(PathBuf),
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        if text == "-" { Self::Stdin } else { Self::File(PathBuf::from(text)) }
    }
}

impl Source {
    /// All of it.
    pub(crate) fn read(&self, bytes_max: u64) -> Result<String, Failure> {
        match self {
            Self::Stdin => bounded(io::stdin().lock(), bytes_max, "standard input"),
            Self::File(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
                bounded(file, bytes_max, &name)
            }
        }
    }
}

fn bounded(from: impl Read, bytes_max: u64, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    from.take(bytes_max.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| unreadable(name, &error))?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= bytes_max) {
        return Ok(text);
    }
    Err(Failure::usage(format!("There are more than {bytes_max} bytes in {name}."), "Give less at once."))
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::local(format!("{name} could not be read: {error}."), "Check its name and its permissions.")
}

/// The whole body instead of flags.
#[derive(Debug, Args)]
pub(crate) struct FromJson {
    /// The whole request body as JSON, as the API documents it, instead of flags; `-` reads it from
    /// standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) from_json: Option<Source>,
}

impl FromJson {
    /// The body, when it was given so.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        self.from_json.as_ref().map(json).transpose()
    }
}

/// Reads a source as JSON.
pub(crate) fn json<T: DeserializeOwned>(source: &Source) -> Result<T, Failure> {
    serde_json::from_str(&source.read(BODY_BYTES_MAX)?).map_err(|error| {
        Failure::usage(
            format!("The JSON does not fit: {error}."),
            "docs/API.md and /openapi.json describe each body.",
        )
    })
}

/// Reads a JSON object, or one from a file: `'{"team":"edge"}'`, `@metadata.json`.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    let read = match text.strip_prefix('@') {
        Some(file) => Source::from(file.to_owned()).read(1 << 20).map_err(|failure| match failure {
            Failure::Local { what, .. } | Failure::Usage { what, .. } => what,
            Failure::Call(_) | Failure::PipeClosed => "it could not be read".to_owned(),
        })?,
        None => text.to_owned(),
    };
    serde_json::from_str(&read).map_err(|error| format!("not a JSON object, nor @FILE with one: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_and_other_json_refused() {
        assert_eq!(object(r#"{"team":"edge"}"#).unwrap().len(), 1);
        for text in ["", "1", "[]", "{", "@/nonexistent/file"] {
            assert!(object(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_source_is_read_to_its_bound_and_not_beyond() {
        assert_eq!(bounded(&b"abc"[..], 3, "x").unwrap(), "abc");
        assert!(matches!(bounded(&b"abcd"[..], 3, "x"), Err(Failure::Usage { .. })));
        assert!(matches!(bounded(&b"\xff"[..], 3, "x"), Err(Failure::Local { .. })));
    }
}
