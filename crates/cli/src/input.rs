//! Reading keys and answers from people: never from an argument, and without echo.

use crate::exit::Failure;
use crate::flags::body::Source;
use keystead_sdk::ApiKey;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use zeroize::Zeroizing;

/// Longer than any key, in bytes.
const KEY_BYTES_MAX: u64 = 8 << 10;

/// A key from the file that was named, else from the environment, else from a prompt or standard input.
pub(crate) fn key(file: Option<&Source>, variable: Option<&str>, prompt: &str) -> Result<ApiKey, Failure> {
    let read = match (file, variable.map(environment).transpose()?.flatten()) {
        (Some(source), _) => source.read(KEY_BYTES_MAX)?,
        (None, Some(key)) => key,
        (None, None) if io::stdin().is_terminal() => rpassword::prompt_password(format!("{prompt}: "))
            .map_err(|error| {
                Failure::local(
                    format!("The terminal could not be read: {error}."),
                    "Give the key on standard input or with --key-file.",
                )
            })?,
        (None, None) => Source::Stdin.read(KEY_BYTES_MAX)?,
    };
    let read = Zeroizing::new(read);
    let key = read.trim();
    if key.is_empty() {
        return Err(Failure::usage(
            "No key was given.",
            "Give it on standard input, at the prompt or with --key-file.",
        ));
    }
    Ok(ApiKey::new(key))
}

/// A secret that is typed without echo, or the next line of standard input. Spaces belong to it.
pub(crate) fn secret(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::local(
            format!("The terminal could not be read: {error}."),
            "Give it on standard input, one line each.",
        )
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new).map_err(unreadable);
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().take(KEY_BYTES_MAX).read_line(&mut line).map_err(unreadable)?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    if line.is_empty() {
        return Err(Failure::usage(
            format!("Standard input has no line for this: {prompt}."),
            "Give one line each, in the order in which they are asked for.",
        ));
    }
    Ok(line)
}

/// A secret that is chosen: typed twice on a terminal.
pub(crate) fn new_secret(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let first = secret(prompt)?;
    if io::stdin().is_terminal() && *secret(&format!("{prompt}, once more"))? != *first {
        return Err(Failure::usage("The two are not the same.", "Try again."));
    }
    Ok(first)
}

/// An environment variable; one that is empty counts as not set.
pub(crate) fn environment(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        // The value stays untold: it may be a key.
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{name} is not text."), "Set it to UTF-8, or unset it."))
        }
    }
}

/// Asks a question on the terminal; an empty answer takes `default`.
pub(crate) fn ask(question: &str, default: &str) -> Result<String, Failure> {
    let unreadable =
        |error: io::Error| Failure::local(format!("The terminal could not be read: {error}."), "Use flags.");
    let mut error_output = io::stderr().lock();
    write!(error_output, "{question} [{default}]: ")
        .and_then(|()| error_output.flush())
        .map_err(unreadable)?;
    let mut line = String::new();
    io::stdin().lock().take(KEY_BYTES_MAX).read_line(&mut line).map_err(unreadable)?;
    let answer = line.trim();
    Ok(if answer.is_empty() { default } else { answer }.to_owned())
}
