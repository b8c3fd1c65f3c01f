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
