//! Every command's help runs, says how to use it by example, and is not empty of words.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::process::{Command, Output};

fn keystead(arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keystead")).args(arguments).env_clear().output().unwrap()
}

/// The names below `Commands:` in a help text.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn walk(path: &[String], seen: &mut Vec<String>) {
    let output = keystead(&[path, &["--help".to_owned()]].concat());
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{path:?}");
    assert!(help.contains("Examples:\n  "), "{path:?} has no example:\n{help}");
    assert!(!help.contains('\u{1b}'), "{path:?} is coloured though nobody looks");
    seen.push(path.join(" "));
    for name in subcommands(&help) {
        walk(&[path, &[name]].concat(), seen);
    }
}

#[test]
fn every_command_has_a_help_with_an_example() {
    let mut seen = Vec::new();
    walk(&[], &mut seen);
    for command in
        ["login", "whoami", "verify", "audit", "completions", "keys revoke", "organizations create"]
    {
        assert!(seen.iter().any(|name| name == command), "{command} is not listed");
    }
    for group in ["environments", "permissions", "roles", "service-accounts", "consumers", "keys"] {
        for command in ["create", "list", "show", "update", "delete"] {
            assert!(seen.contains(&format!("{group} {command}")), "{group} {command} is not listed");
        }
    }
}

#[test]
fn help_documents_the_exit_codes() {
    let help = String::from_utf8(keystead(&["--help".to_owned()]).stdout).unwrap();
    assert!(help.contains("Exit codes:\n  0  done"), "{help}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = keystead(&["completions".to_owned(), shell.to_owned()]);
        assert!(output.status.success() && output.stdout.len() > 1_000, "{shell}");
    }
}
