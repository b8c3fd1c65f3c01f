//! How commands end without a server: exit codes, what they say, and what they never say.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::process::{Command, Output, Stdio};

fn keystead(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keystead"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn wrong_arguments_exit_with_2() {
    for arguments in [&["nonsense"][..], &["keys", "list", "--project"], &["keys", "create", "-p", "acme"]] {
        assert_eq!(keystead(arguments, &[]).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn no_command_takes_a_key_as_an_argument() {
    for command in ["login", "whoami", "verify"] {
        assert_eq!(keystead(&[command, "--key", "canary"], &[]).status.code(), Some(2), "{command}");
    }
}

#[test]
fn without_a_key_the_failure_says_what_to_do() {
    assert_eq!(keystead(&["projects", "list"], &[]).status.code(), Some(9), "there is no home folder");
    let output = keystead(&["projects", "list"], &[("HOME", "/nonexistent")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("keystead login"));
}

/// Port 1 of loopback: nothing listens there.
const NOBODY: [(&str, &str); 2] = [("KEYSTEAD_URL", "http://127.0.0.1:1"), ("KEYSTEAD_KEY", "canary")];

#[test]
fn an_unreachable_server_exits_with_6_and_says_no_key() {
    let output = keystead(&["whoami"], &NOBODY);
    assert_eq!(output.status.code(), Some(6));
    assert!(output.stdout.is_empty());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("unreachable") && !error.contains("canary"), "{error}");
}

#[test]
fn with_json_a_failure_is_json_too() {
    let output = keystead(&["--json", "whoami"], &NOBODY);
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((error["code"].as_str(), output.status.code()), (Some("unreachable"), Some(6)));
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let output = keystead(&["whoami", "--url", "http://192.0.2.1"], &NOBODY);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("Plain HTTP"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keystead"))
        .args(["completions", "bash"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
