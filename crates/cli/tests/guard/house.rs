//! A Keystead server with a guarded project, made through the front door: the binary alone.

use crate::upstream::Upstream;
use serde_json::Value;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The API's description.
const OPENAPI: &str = r#"
openapi: 3.1.0
info: {title: Shop, version: "1"}
servers: [{url: https://api.shop.example/v1}]
tags: [{name: orders, description: What people buy}]
paths:
  /orders:
    get: {operationId: listOrders, tags: [orders]}
    post: {operationId: createOrder, tags: [orders]}
  /orders/{id}:
    get: {operationId: showOrder, tags: [orders]}
    delete: {operationId: deleteOrder, tags: [admin]}
  /partner:
    get: {operationId: partner, tags: [orders], x-keystead: {permissions: orders.read, credentials: ["header:x-api-key"]}}
  /open/{what}:
    get: {operationId: open, security: []}
"#;

/// Looks, 20 ms apart, before a test gives up: half a minute.
const LOOKS_MAX: usize = 1_500;

/// A port that nobody listens on right now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for something that comes soon; it is told when it looks for the last time.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut(bool) -> Option<T>) -> T {
    for look_number in 1..=LOOKS_MAX {
        if let Some(found) = look(look_number == LOOKS_MAX) {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain for {what}");
}

/// A program that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Stops it where it stands: it answers nothing, and its connections stay. A signal that was sent has not arrived
    /// yet, and a thread that still runs would answer.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        eventually("every thread to stop", |_| {
            let threads = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
            let stopped = threads.flatten().all(|thread| {
                let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                stat.rsplit(") ").next().is_some_and(|state| state.starts_with('T'))
            });
            stopped.then_some(())
        });
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    /// Where its own proxy listens.
    pub(crate) own: u16,
    key: String,
    pub(crate) server: Option<Running>,
}

impl House {
    pub(crate) fn start(upstream: &Upstream) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut house =
            Self { folder, port: free_port(), own: free_port(), key: String::new(), server: None };
        let guard = format!(
            "[[guard]]\nlisten = \"127.0.0.1:{}\"\nupstreams = [\"http://127.0.0.1:{}\"]\nproject = \"shop\"\nenvironment = \"live\"\n",
            house.own, upstream.port
        );
        fs::write(house.path("keystead.toml"), guard).unwrap();
        house.serve();
        let log = house.path("serve.log");
        house.key = eventually("the first key", |_| {
            let log = fs::read_to_string(&log).ok()?;
            Some(log.lines().find_map(|line| line.strip_prefix("KEYSTEAD_KEY="))?.to_owned())
        });
        eventually("the server", |_| house.try_run(&["whoami"]).ok());
        house.run(&["projects", "create", "--name", "Shop", "--slug", "shop", "--prefix", "shop"]);
        house.run(&["environments", "create", "-p", "shop", "--name", "Live", "--slug", "live"]);
        fs::write(house.path("openapi.yaml"), OPENAPI).unwrap();
        let document = house.path("openapi.yaml");
        let import =
            ["guard", "import", document.to_str().unwrap(), "-p", "shop", "--mode", "enforce", "--apply"];
        house.run(&import);
        house
    }

    /// Starts the server, on the data that there is.
    pub(crate) fn serve(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("serve.log")).unwrap();
        let server = Command::new(env!("CARGO_BIN_EXE_keystead"))
            .args(["serve", "--config"])
            .arg(self.path("keystead.toml"))
            .arg("--data")
            .arg(self.path("data"))
            .args(["--listen", &format!("127.0.0.1:{}", self.port), "--usage-flush-seconds", "1"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(Running(server));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The environment in which commands run.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        let programs = Path::new(env!("CARGO_BIN_EXE_keystead")).parent().unwrap().display();
        [
            ("PATH", format!("{programs}:/usr/local/bin:/usr/bin:/bin")),
            ("KEYSTEAD_URL", format!("http://127.0.0.1:{}", self.port)),
            ("KEYSTEAD_KEY", self.key.clone()),
        ]
    }

    fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        let output = command.args(arguments).env_clear().envs(self.environment()).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// What a command prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    /// What a command answers.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// A key for the API: itself, and its id.
    pub(crate) fn issue(&self, with: &[&str]) -> (String, String) {
        let create = ["keys", "create", "-p", "shop", "-e", "live", "--name", "A client"];
        let made = self.json(&[&create, with].concat());
        (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    }
}
