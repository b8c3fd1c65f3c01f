//! Input that a rule refuses: which field, what was wrong, and how to fix it.

/// A refused input. The texts are for the person who sent it; they never repeat a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail} {fix}")]
pub struct Invalid {
    /// A JSON pointer into what was sent: `/restrictions/networks/allow/0`.
    pub field: String,
    /// What was wrong, as a sentence.
    pub detail: String,
    /// What to send instead, as a sentence.
    pub fix: String,
}

impl Invalid {
    /// A refusal of `field`.
    pub fn new(field: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into(), fix: fix.into() }
    }

    /// The same refusal, seen from an object in which its field stands below `parent`.
    #[must_use]
    pub fn below(mut self, parent: &str) -> Self {
        self.field.insert_str(0, parent);
        self
    }
}

/// A text of at most `bytes_max` bytes.
///
/// # Errors
/// With its field when it is longer.
pub fn text_at_most(bytes_max: usize, field: &str, text: &str) -> Result<(), Invalid> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    Err(Invalid::new(field, "This is too long.", format!("Send at most {bytes_max} bytes.")))
}

/// The same of several texts that may be missing.
///
/// # Errors
/// With the first field that is longer.
pub fn texts_at_most(bytes_max: usize, texts: &[(&str, &Option<String>)]) -> Result<(), Invalid> {
    texts
        .iter()
        .try_for_each(|(field, text)| text_at_most(bytes_max, field, text.as_deref().unwrap_or_default()))
}
