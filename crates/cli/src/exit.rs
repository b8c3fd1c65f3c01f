//! How a command ends: exit codes, and failures told to people or to programs.

use crate::flags::named::name;
use crate::output::Output;
use crate::output::plain::plain;
use keystead_sdk::Error;
use serde_json::json;
use std::io;

/// The exit codes; `keystead --help` lists them, and scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for `verify`: the request may pass.
    Done = 0,
    /// For `verify`: the request may not pass. For `audit verify`: it was tampered with. For `policies test`: a case
    /// came out otherwise than expected.
    Refused = 1,
    /// Wrong arguments or values.
    Usage = 2,
    /// There is no such thing, or the key may not see it.
    NotFound = 3,
    /// The key is not accepted or may not do that.
    NotAllowed = 4,
    /// Something stands in the way: a name that is taken, a version that has changed.
    Conflict = 5,
    /// No answer; for `verify` also the code `unavailable`.
    Unreachable = 6,
    /// Too many requests.
    RateLimited = 7,
    /// The server failed, or what answered is no Keystead server.
    Server = 8,
    /// This machine failed: a file, the terminal.
    Local = 9,
}

/// The part of `keystead --help` that scripts rely on.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; verify: the request may pass
  1  verify: may not pass; audit verify: tampered with; policies test: failed
  2  wrong arguments, or values that the server refuses
  3  not found
  4  not allowed: the key is not accepted, or may not do that
  5  conflict: the name is taken, or it has changed since it was read
  6  no answer from the server, or it is unavailable
  7  too many requests; try again later
  8  the server failed, or is no Keystead server
  9  this machine failed: a file, the terminal";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Arguments that fit the grammar but make no sense.
    Usage {
        /// What was wrong.
        what: String,
        /// What to do instead.
        fix: String,
    },
    /// A file or the terminal.
    Local {
        /// What went wrong.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// The call to the server.
    Call(Error),
    /// Whoever reads standard output has gone: nothing is left to say.
    PipeClosed,
}

impl Failure {
    pub(crate) fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), fix: fix.into() }
    }

    pub(crate) fn local(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Local { what: what.into(), fix: fix.into() }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Call(Error::Invalid { .. }) => Exit::Usage,
            Self::Local { .. } => Exit::Local,
            Self::PipeClosed => Exit::Done,
            Self::Call(Error::Unreachable { .. } | Error::Timeout { .. }) => Exit::Unreachable,
            Self::Call(error) => error.status().map_or(Exit::Server, exit_of_status),
        }
    }

    /// Tells it on standard error: as JSON with `--json`, else in lines for people.
    pub(crate) fn tell(&self, output: &Output) {
        if matches!(self, Self::PipeClosed) {
            return;
        }
        if output.is_json() { output.problem_json(&self.json()) } else { output.problem(&self.lines()) }
    }

    /// What is wrong, and how to fix it.
    pub(crate) fn told(&self) -> (String, String) {
        let (what, fix, _) = self.parts();
        (what, fix)
    }

    /// Both in one line, for a log.
    pub(crate) fn line(&self) -> String {
        let (what, fix) = self.told();
        format!("{what} {fix}")
    }

    fn json(&self) -> serde_json::Value {
        if let Self::Call(Error::Problem { problem, retry_after_seconds }) = self {
            let mut value = json!(problem);
            if let (Some(seconds), Some(object)) = (retry_after_seconds, value.as_object_mut()) {
                object.insert("retry_after_seconds".to_owned(), json!(seconds));
            }
            return value;
        }
        let (what, fix, code) = self.parts();
        json!({ "code": code, "detail": what, "fix": fix })
    }

    /// What, code, fix and request id; every text made safe for a terminal.
    fn lines(&self) -> Vec<String> {
        let (what, fix, code) = self.parts();
        let mut lines = vec![format!("{} ({code})", plain(&what)), format!("fix: {}", plain(&fix))];
        if let Self::Call(Error::Problem { problem, retry_after_seconds }) = self {
            if let Some(field) = problem.field.as_ref().filter(|field| !field.is_empty()) {
                lines.insert(1, format!("field: {}", plain(field)));
            }
            for error in &problem.errors {
                lines.push(format!("also: {}: {}", plain(&error.field), plain(&error.detail)));
            }
            if !problem.ids.is_empty() {
                lines.push(format!("made before: {}", plain(&problem.ids.join(" "))));
            }
            for one in &problem.violations {
                let (guardrail, from) = (name(&one.guardrail), name(&one.from));
                lines.push(plain(&format!("{guardrail} ({from}): {} {}", one.detail, one.fix)));
            }
            if let Some(seconds) = retry_after_seconds {
                lines.push(format!("try again in: {seconds} s"));
            }
            lines.push(format!("request: {}", plain(&problem.request_id)));
        }
        lines
    }

    fn parts(&self) -> (String, String, String) {
        let (what, fix, code) = match self {
            Self::Usage { what, fix } | Self::Call(Error::Invalid { what, fix }) => {
                (what.clone(), fix.as_str(), "usage")
            }
            Self::Local { what, fix } => (what.clone(), fix.as_str(), "local"),
            Self::PipeClosed => (String::new(), "", "pipe_closed"),
            Self::Call(Error::Problem { problem, .. }) => {
                return (problem.detail.clone(), problem.fix.clone(), plain(&problem.code));
            }
            Self::Call(error @ Error::Unreachable { why, .. }) if why.contains("certificate") => (
                sentence(error),
                "If you trust the server's own certificate authority, name its certificate with --ca-file.",
                "unreachable",
            ),
            Self::Call(error @ Error::Unreachable { .. }) => (
                sentence(error),
                "Check that the server runs (keystead serve) and that --url, KEYSTEAD_URL or keystead login name it.",
                "unreachable",
            ),
            Self::Call(error @ Error::Timeout { .. }) => (
                sentence(error),
                "Before you repeat a change, look whether it happened; --timeout sets how long to wait.",
                "timeout",
            ),
            Self::Call(error) => (
                sentence(error),
                "Check that the URL is the Keystead server's own, without /v1, and that its version fits.",
                "protocol",
            ),
        };
        (what, fix.to_owned(), code.to_owned())
    }
}

fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    match characters.next() {
        // The URL stays as it is written; only words begin with a capital.
        Some(first) if !text.starts_with("http") => {
            format!("{}{}.", first.to_uppercase(), characters.as_str())
        }
        _ => format!("{text}."),
    }
}

fn exit_of_status(status: u16) -> Exit {
    match status {
        401 | 403 => Exit::NotAllowed,
        404 | 410 => Exit::NotFound,
        409 | 412 | 428 => Exit::Conflict,
        429 => Exit::RateLimited,
        502..=504 => Exit::Unreachable,
        400..=499 => Exit::Usage,
        _ => Exit::Server,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for Failure {
    /// For standard output and standard error; files say which file.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        Self::local(format!("The output could not be written: {error}."), "Check where the output goes.")
    }
}

/// How a command ends.
pub(crate) type Outcome = Result<Exit, Failure>;

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::Problem;

    fn problem(status: u16) -> Failure {
        Failure::Call(Error::Problem {
            problem: Box::new(Problem {
                errors: Vec::new(),
                ids: Vec::new(),
                kind: "urn:keystead:problem:x".to_owned(),
                title: "X".to_owned(),
                status,
                code: "x".to_owned(),
                detail: "No role is named \u{1b}[31mx.".to_owned(),
                fix: "List them.".to_owned(),
                field: Some("/roles/0".to_owned()),
                violations: Vec::new(),
                organizations: Vec::new(),
                request_id: "req_1".to_owned(),
            }),
            retry_after_seconds: Some(7),
        })
    }

    #[test]
    fn every_status_has_its_exit_code() {
        let expected = [
            (400, Exit::Usage),
            (401, Exit::NotAllowed),
            (403, Exit::NotAllowed),
            (404, Exit::NotFound),
            (409, Exit::Conflict),
            (412, Exit::Conflict),
            (413, Exit::Usage),
            (422, Exit::Usage),
            (428, Exit::Conflict),
            (429, Exit::RateLimited),
            (500, Exit::Server),
            (503, Exit::Unreachable),
        ];
        for (status, exit) in expected {
            assert_eq!(problem(status).exit(), exit, "{status}");
        }
    }

    #[test]
    fn failures_without_a_status_have_their_exit_code() {
        let url = || "http://127.0.0.1:1".to_owned();
        let why = || "Connection refused".to_owned();
        assert_eq!(
            Failure::from(Error::Unreachable { url: url(), why: why(), connected: false }).exit(),
            Exit::Unreachable
        );
        assert_eq!(Failure::from(Error::Timeout { url: url(), connected: true }).exit(), Exit::Unreachable);
        assert_eq!(
            Failure::from(Error::Protocol { url: url(), status: 200, why: why() }).exit(),
            Exit::Server
        );
        assert_eq!(Failure::from(Error::Invalid { what: why(), fix: why() }).exit(), Exit::Usage);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit(), Exit::Done);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)).exit(), Exit::Local);
    }

    #[test]
    fn a_problem_is_told_with_field_fix_and_request_and_without_escape_sequences() {
        assert_eq!(
            problem(404).lines(),
            [
                "No role is named \u{fffd}[31mx. (x)",
                "field: /roles/0",
                "fix: List them.",
                "try again in: 7 s",
                "request: req_1"
            ]
        );
    }

    #[test]
    fn help_lists_every_exit_code_once() {
        let listed = EXIT_CODES.lines().skip(1).map(|line| line.trim().split_once("  ").unwrap().0);
        assert_eq!(listed.collect::<Vec<_>>(), (0..=9).map(|code| code.to_string()).collect::<Vec<_>>());
    }
}
