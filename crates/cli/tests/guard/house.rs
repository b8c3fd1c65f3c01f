//! A Keystead server with a guarded project, made through the front door: the binary alone.

use crate::upstream::Upstream;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

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
  /maps:
    get: {operationId: maps, tags: [orders], x-keystead: {permissions: orders.read, credentials: ["query:key", "header:x-api-key"]}}
  /open/{what}:
    get: {operationId: open, security: []}
"#;

/// A port that nobody listens on: below those that the kernel gives to whoever asks for any, and given once.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run on the same machine begins elsewhere.
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A program that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Ends it in order: what it has gathered is written.
    pub(crate) fn end(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
        assert!(self.0.wait().unwrap().success());
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
        Self::start_with(upstream, false)
    }

    /// With a door at its socket, too, or without.
    pub(crate) fn start_with(upstream: &Upstream, door: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut house =
            Self { folder, port: free_port(), own: free_port(), key: String::new(), server: None };
        let mut tables = format!(
            "[[guard]]\nlisten = \"127.0.0.1:{}\"\nupstreams = [\"http://127.0.0.1:{}\"]\nproject = \"shop\"\nenvironment = \"live\"\n",
            house.own, upstream.port
        );
        if door {
            tables += &house.door("live");
        }
        fs::write(house.path("keystead.toml"), tables).unwrap();
        house.key = house.serve().unwrap();
        house.run(&["projects", "create", "--name", "Shop", "--slug", "shop", "--prefix", "shop"]);
        house.run(&["environments", "create", "-p", "shop", "--name", "Live", "--slug", "live"]);
        fs::write(house.path("openapi.yaml"), OPENAPI).unwrap();
        let document = house.path("openapi.yaml");
        let import =
            ["guard", "import", document.to_str().unwrap(), "-p", "shop", "--mode", "enforce", "--apply"];
        house.run(&import);
        house
    }

    /// Starts the server, on the data that there is, until it says where it listens; the key that it tells, if it does.
    pub(crate) fn serve(&mut self) -> Option<String> {
        let log = File::options().create(true).append(true).open(self.path("serve.log")).unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_keystead"))
            .args(["serve", "--config"])
            .arg(self.path("keystead.toml"))
            .arg("--data")
            .arg(self.path("data"))
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
        self.server = Some(Running(server));
        let mut key = None;
        loop {
            let line = said.next().unwrap_or_else(|| panic!("no start: {}", self.log())).unwrap();
            if let Some(told) = line.strip_prefix("KEYSTEAD_KEY=") {
                key = Some(told.to_owned());
            } else if line.starts_with("http://") {
                return key;
            }
        }
    }

    /// The socket of its door.
    pub(crate) fn socket(&self) -> String {
        self.path("shop.sock").display().to_string()
    }

    /// What the configuration says of it.
    pub(crate) fn door(&self, environment: &str) -> String {
        let socket = self.socket();
        format!("[[door]]\nsocket = \"{socket}\"\nproject = \"shop\"\nenvironment = \"{environment}\"\n")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("serve.log")).unwrap()
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

    /// What a command prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        let output = command.args(arguments).env_clear().envs(self.environment()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command answers.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Changes fields of the guard.
    pub(crate) fn set_guard(&self, fields: &Value) {
        let mut guard = self.json(&["guard", "show", "-p", "shop"])["rules"].clone();
        guard.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let file = self.path("guard.json");
        fs::write(&file, guard.to_string()).unwrap();
        self.run(&["guard", "set", "-p", "shop", "--from-json", file.to_str().unwrap()]);
    }

    /// A key for the API: itself, and its id.
    pub(crate) fn issue(&self, with: &[&str]) -> (String, String) {
        let create = ["keys", "create", "-p", "shop", "-e", "live", "--name", "A client"];
        let made = self.json(&[&create, with].concat());
        (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    }
}
