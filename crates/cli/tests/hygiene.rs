//! `keystead hygiene` against a server that answers two pages.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

fn key(id: &str, name: &str, score: u32) -> Value {
    json!({"score": score, "id": id, "name": name, "start": "acme_live_", "project": "acme",
        "environment": "production", "kind": "private", "administrative": true,
        "owner": {"kind": "service_account", "id": "sa_1", "name": "@importer"}, "consumer": null,
        "created_at": "2026-01-01T00:00:00Z", "last_used_at": null,
        "findings": [{"code": "never_used", "severity": "high", "weight": 25, "detail": "It was never used.",
            "evidence": {"days": 30}, "fix": "Disable it.", "command": format!("keystead keys disable {id}")}]})
}

fn page(items: Value, next: Option<&str>) -> Value {
    json!({"score": 60, "checked": {"keys": 4, "keys_with_findings": 1, "points": 300, "by_finding": {"never_used": 1},
        "by_severity": {"high": 1}},
        "questions": [{"question": "sharing_admin_keys", "text": "Are you sharing admin-level keys?", "keys": 2,
            "finding": "admin_key_shared"}],
        "items": items, "next_cursor": next})
}

/// Answers one request; tells what it asked for.
fn answer(stream: TcpStream, asked: &Sender<String>) {
    let mut reader = BufReader::new(stream);
    let (mut target, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if line.starts_with("GET ") {
            target = line.split(' ').nth(1).unwrap().to_owned();
        }
        line.clear();
    }
    let body = if target.contains("cursor=second") {
        page(json!([key("key_2", "=cmd|' /C calc'!A0", 40)]), None)
    } else {
        page(json!([key("key_1", "Fine, \"quoted\"\u{1b}[31m", 75)]), Some("second"))
    };
    asked.send(target).unwrap();
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    reader.get_mut().write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
}

/// What a command line prints, and what it asks a server.
fn run(arguments: &[&str]) -> (Output, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, asks): (Sender<String>, Receiver<String>) = channel();
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), &asked)));
    let output = Command::new(env!("CARGO_BIN_EXE_keystead"))
        .arg("hygiene")
        .args(arguments)
        .env_clear()
        .envs([("KEYSTEAD_URL", url.as_str()), ("KEYSTEAD_KEY", "canary")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success() || output.status.code() == Some(2), "{output:?}");
    (output, asks.try_iter().collect())
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn people_see_the_score_the_questions_and_the_commands() {
    let (output, asked) = run(&["--project", "acme", "--finding", "never_used", "--limit", "5"]);
    assert_eq!(asked, ["/v1/hygiene?project=acme&finding=never_used&sort=score&limit=5"]);
    let text = printed(&output);
    for part in [
        "60 of 100",
        "Are you sharing admin-level keys?",
        "yes: 2",
        "never_used",
        "keystead keys disable key_1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "a name is obeyed by the terminal");
    assert!(String::from_utf8(output.stderr).unwrap().contains("--cursor second"));
}

#[test]
fn all_pages_are_one_report_the_worst_first() {
    let (output, asked) = run(&["--all", "--json"]);
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.contains("sort=newest&limit=1000")), "{asked:?}");
    let report: Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!(
        (&report["checked"]["keys"], &report["score"], &report["next_cursor"]),
        (&json!(8), &json!(75), &Value::Null)
    );
    assert_eq!((&report["items"][0]["id"], &report["items"][1]["id"]), (&json!("key_2"), &json!("key_1")));
}

#[test]
fn csv_has_a_line_for_each_finding_and_no_formula() {
    let (output, asked) = run(&["--csv"]);
    assert_eq!(asked.len(), 2);
    let text = printed(&output);
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().take(1).all(|line| line.starts_with("score,key,name,project,")), "{text}");
    assert!(text.contains("75,key_1,\"Fine, \"\"quoted\"\"\u{fffd}[31m\",acme,"), "{text}");
    assert!(text.contains("40,key_2,'=cmd|' /C calc'!A0,acme,") && text.contains(",'@importer,"), "{text}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("Score 75 of 100: 8 keys"));
}

#[test]
fn ndjson_has_a_key_on_each_line() {
    let (output, _) = run(&["--ndjson"]);
    let keys: Vec<Value> = printed(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = keys.iter().map(|key| key["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["key_1", "key_2"]);
}

#[test]
fn what_contradicts_itself_is_refused_before_anything_is_asked() {
    for arguments in [
        &["--csv", "--json"][..],
        &["--csv", "--ndjson"],
        &["--csv", "--all"],
        &["--environment", "x"],
        &["--csv", "--sort", "score"],
    ] {
        let (output, asked) = run(arguments);
        assert_eq!((output.status.code(), asked.len()), (Some(2), 0), "{arguments:?}");
    }
}
