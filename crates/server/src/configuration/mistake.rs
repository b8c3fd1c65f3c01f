//! What is wrong with a configuration, where, and how to fix it.

use std::fmt;

/// One mistake. Its texts never hold a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file and line, the variable or the flag.
    pub place: String,
    /// What is wrong, as a sentence.
    pub detail: String,
    /// What to do, as a sentence.
    pub fix: String,
}

impl Mistake {
    pub(super) fn new(place: impl fmt::Display, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: place.to_string(), detail: detail.into(), fix: fix.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.place, self.detail, self.fix)
    }
}

/// A configuration that the server does not start with: every mistake that was found, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(mistake, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigurationError {}
