//! A real browser with an authenticator of its own, spoken to as WebDriver says (W3C WebDriver; Web Authentication
//! Level 3 §11).

use super::House;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The program `chromedriver`; `cargo xtask test` installs it beside Chromium and says where.
const DRIVER: &str = "KEYSTEAD_TEST_CHROMEDRIVER";

/// The driver. Chromium is its child and outlives it: of a test that fails neither stays behind. They are in the test's
/// process group, so that both also end with a run that is interrupted.
#[derive(Debug)]
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(id) = self.0.id() {
            // Before the driver: once that has ended, nothing says whose child the browser was.
            let _ = std::process::Command::new("pkill").args(["-KILL", "-P", &id.to_string()]).status();
        }
    }
}

/// A browser.
#[derive(Debug)]
pub(crate) struct Chromium {
    port: u16,
    session: String,
    authenticator: String,
    page: String,
    _driver: Driver,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts one, which can reach the house from now on; `None`, and a word, where there is none.
    pub(crate) async fn start(house: &mut House) -> Option<Self> {
        let Some(driver) = std::env::var_os(DRIVER) else {
            println!("not run: {DRIVER} is not set");
            return None;
        };
        house.reach_from_browsers().await;
        let mut driver = Command::new(driver);
        driver.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut driver = Driver(driver.spawn().unwrap());
        let mut told = BufReader::new(driver.0.stdout.take().unwrap()).lines();
        let port = loop {
            let line = told.next_line().await.unwrap().unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        let profile = tempfile::tempdir().unwrap();
        let page = format!("{}/passkeys", house.url());
        let (session, authenticator) = (String::new(), String::new());
        let mut chromium = Self { port, session, authenticator, page, _driver: driver, _profile: profile };
        chromium.open_session().await;
        Some(chromium)
    }

    async fn open_session(&mut self) {
        let profile = format!("--user-data-dir={}", self._profile.path().display());
        let arguments =
            json!(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", profile]);
        let wanted = json!({"goog:chromeOptions": {"args": arguments}, "timeouts": {"script": 60_000}});
        let begun =
            self.send(Method::POST, "/session", json!({"capabilities": {"alwaysMatch": wanted}})).await;
        self.session = begun["sessionId"].as_str().unwrap().to_owned();
        let authenticator = json!({"protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true});
        self.authenticator = self
            .ask(Method::POST, "/webauthn/authenticator", authenticator)
            .await
            .as_str()
            .unwrap()
            .to_owned();
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = if method == Method::POST { body.to_string() } else { String::new() };
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        let (status, bytes) = (answer.status(), answer.into_body().collect().await.unwrap().to_bytes());
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer["value"].clone()
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        self.send(method, &format!("/session/{}{path}", self.session), body).await
    }

    /// Opens the page, anew, with what a program says behind the `#`.
    pub(crate) async fn visit(&self, fragment: &str) {
        // Another fragment alone would not load it again.
        self.ask(Method::POST, "/url", json!({"url": "about:blank"})).await;
        self.ask(Method::POST, "/url", json!({"url": format!("{}{fragment}", self.page)})).await;
    }

    /// Where it is now.
    pub(crate) async fn url(&self) -> String {
        self.ask(Method::GET, "/url", Value::Null).await.as_str().unwrap().to_owned()
    }

    /// Sets a cookie of the house.
    pub(crate) async fn keep(&self, cookie: &str) {
        self.visit("").await;
        let (name, value) = cookie.split_once('=').unwrap();
        let cookie = json!({"name": name, "value": value, "path": "/", "httpOnly": true});
        self.ask(Method::POST, "/cookie", json!({"cookie": cookie})).await;
        self.visit("").await;
    }

    async fn element(&self, selector: &str) -> String {
        let found = json!({"using": "css selector", "value": selector});
        let found = self.ask(Method::POST, "/element", found).await;
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Presses what the selector finds.
    pub(crate) async fn press(&self, selector: &str) {
        let element = self.element(selector).await;
        self.ask(Method::POST, &format!("/element/{element}/click"), json!({})).await;
    }

    /// Types into what the selector finds.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.ask(Method::POST, &format!("/element/{element}/value"), json!({"text": text})).await;
    }

    /// Waits until what the selector finds is shown and has a text; all of its text. The browser tells when.
    pub(crate) async fn read(&self, selector: &str, text: &str) -> String {
        let script = "const [selector, text, done] = arguments;
            const look = () => {
              const found = document.querySelector(selector);
              const shown = found?.checkVisibility() && found.textContent.includes(text);
              if (shown) done(found.textContent); else requestAnimationFrame(look);
            };
            look();";
        let body = json!({"script": script, "args": [selector, text]});
        self.ask(Method::POST, "/execute/async", body).await.as_str().unwrap().to_owned()
    }

    fn at_authenticator(&self, path: &str) -> String {
        format!("/webauthn/authenticator/{}{path}", self.authenticator)
    }

    /// Whether the authenticator's user proves who they are from now on.
    pub(crate) async fn verifies_its_user(&self, verifies: bool) {
        let body = json!({"isUserVerified": verifies});
        self.ask(Method::POST, &self.at_authenticator("/uv"), body).await;
    }

    /// What the authenticator holds, with the private keys.
    pub(crate) async fn credentials(&self) -> Vec<Value> {
        let held = self.ask(Method::GET, &self.at_authenticator("/credentials"), Value::Null).await;
        held.as_array().unwrap().clone()
    }

    /// Puts a credential in place of all that the authenticator holds.
    pub(crate) async fn hold(&self, credential: Value) {
        self.ask(Method::DELETE, &self.at_authenticator("/credentials"), Value::Null).await;
        self.ask(Method::POST, &self.at_authenticator("/credential"), credential).await;
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.ask(Method::DELETE, "", Value::Null).await;
    }
}
