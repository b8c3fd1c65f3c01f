//! `keystead audit verify` on what a real server leaves: its exit codes, and the file of checkpoints.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn keystead(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keystead"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A server that goes with this.
struct Server {
    child: Child,
    url: String,
    key: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keystead"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut key = String::new();
        let url = lines.find(|line| match line.strip_prefix("KEYSTEAD_KEY=") {
            Some(found) => {
                found.clone_into(&mut key);
                false
            }
            None => line.starts_with("http"),
        });
        Self { child, url: url.unwrap(), key }
    }

    /// Stops it in order.
    fn stop(mut self) {
        let told =
            Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_tampered_with_exits_with_1_and_what_was_not_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, notes, file) = (path("data"), path("notes"), path("audit.ndjson"));
    let server = Server::start(Path::new(&data), &["--audit-checkpoint-file", &notes]);
    let environment = [("KEYSTEAD_URL", server.url.as_str()), ("KEYSTEAD_KEY", server.key.as_str())];
    let export = keystead(&["audit", "export"], &environment);
    assert!(export.status.success());
    let text = String::from_utf8(export.stdout).unwrap();
    let verify = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).unwrap();
        let output = keystead(&[&["audit", "verify", "--export", &file], more].concat(), &[]);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(verify(&text, &[]).0, Some(0));
    let changed = text.replace("installation.create", "installation.update");
    let (exit, told) = verify(&changed, &[]);
    assert!(exit == Some(1) && told.contains("tampered with: record 0 (aud_"), "{told}");
    let (exit, told) = verify(&changed, &["--json"]);
    assert!(
        exit == Some(1) && (told.contains(r#""verified":false"#) || told.contains(r#""verified": false"#)),
        "{told}"
    );
    assert_eq!(verify("", &[]).0, Some(9), "what is no export says nothing");
    server.stop();

    // What was signed at the stop is in the file, and holds.
    let kept = keystead(&["audit", "verify", "--data", &data, "--checkpoints", &notes], &[]);
    assert_eq!(kept.status.code(), Some(0), "{}", String::from_utf8_lossy(&kept.stderr));
    let notes = std::fs::read_to_string(&notes).unwrap();
    assert!(notes.contains("\nkeystead/org_"), "{notes}");
    // An installation that lost it all.
    let empty = path("empty");
    Server::start(Path::new(&empty), &[]).stop();
    let lost = keystead(&["audit", "verify", "--data", &empty, "--checkpoints", &path("notes")], &[]);
    assert_eq!(lost.status.code(), Some(1));
}
