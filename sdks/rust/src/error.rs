//! What can go wrong with a call, in words for people and in variants for programs.

use keystead_api::Problem;

/// Why a call has no answer. None of its texts holds a key.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused the call and said why.
    #[error("{} {} ({}, request {})", problem.detail, problem.fix, problem.code, problem.request_id)]
    Problem {
        /// The server's problem document (RFC 9457).
        problem: Box<Problem>,
        /// The answer's `Retry-After`, in seconds.
        retry_after_seconds: Option<u64>,
    },
    /// No connection, or it broke. What the call asked for may have happened if it was sent.
    #[error("could not reach {url}: {why}")]
    Unreachable {
        /// The server's base URL.
        url: String,
        /// The innermost cause.
        why: String,
        /// Whether a connection was there: then the call may have been sent.
        connected: bool,
    },
    /// No whole answer in time. What the call asked for may or may not have happened.
    #[error("{url} gave no answer in time")]
    Timeout {
        /// The server's base URL.
        url: String,
        /// Whether a connection was there: then the call may have been sent.
        connected: bool,
    },
    /// Something answered, but not as Keystead does: a proxy, another service, another version.
    #[error("{url} gave an answer that is not Keystead's: {why}")]
    Protocol {
        /// The server's base URL.
        url: String,
        /// The answer's HTTP status.
        status: u16,
        /// What was wrong with it.
        why: String,
    },
    /// The call cannot be made as asked; nothing was sent.
    #[error("{what} {fix}")]
    Invalid {
        /// What was wrong.
        what: String,
        /// What to do instead.
        fix: String,
    },
}

impl Error {
    pub(crate) fn invalid(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), fix: fix.into() }
    }

    /// The HTTP status of the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { problem, .. } => Some(problem.status),
            Self::Protocol { status, .. } => Some(*status),
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Invalid { .. } => None,
        }
    }
}
