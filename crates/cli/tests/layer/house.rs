//! A real Keystead with the keys of `sdks/cases/house.json`.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tokio::runtime::Runtime;

/// A table that all languages share.
pub(crate) fn cases(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../sdks/cases/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server and its keys.
pub(crate) struct House {
    pub(crate) url: String,
    /// The key that guards ask with.
    pub(crate) guard: String,
    pub(crate) keys: HashMap<String, String>,
    pub(crate) ids: HashMap<String, String>,
    own: String,
    runtime: Runtime,
    _server: Running,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_keystead"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines();
        let server = Running(server);
        let (mut own, mut url) = (String::new(), String::new());
        while url.is_empty() {
            let line = said.next().expect("it says where it listens").unwrap();
            if let Some(key) = line.strip_prefix("KEYSTEAD_KEY=") {
                own = key.to_owned();
            } else if line.starts_with("http://") {
                url = line;
            }
        }
        let mut house = Self {
            url,
            guard: String::new(),
            keys: HashMap::new(),
            ids: HashMap::new(),
            own,
            runtime: Runtime::new().unwrap(),
            _server: server,
            _folder: folder,
        };
        house.furnish();
        house
    }

    pub(crate) fn call(&self, path: &str, body: &Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).bearer_auth(&self.own);
        self.runtime.block_on(async {
            let response = request.json(body).send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(status.is_success(), "{path}: {status} {text}");
            serde_json::from_str(&text).unwrap_or_default()
        })
    }

    fn furnish(&mut self) {
        let plan = cases("house");
        self.call("/v1/projects", &json!({"name": "Acme", "slug": "acme"}));
        for name in ["production", "development"] {
            self.call("/v1/projects/acme/environments", &json!({"name": name, "slug": name}));
        }
        for name in plan["permissions"].as_array().unwrap() {
            self.call("/v1/projects/acme/permissions", &json!({"name": name, "description": name}));
        }
        let another = another_day();
        for (name, body) in plan["keys"].as_object().unwrap() {
            let body = body.to_string().replace("{other_day}", another);
            self.issue(name, "production", serde_json::from_str(&body).unwrap());
        }
        self.issue("elsewhere", "development", json!({"permissions": ["routes.read"]}));
        for act in plan["acts"].as_array().unwrap() {
            let (name, does) = (act[0].as_str().unwrap(), act[1].as_str().unwrap());
            self.call(&format!("/v1/keys/{}/{does}", self.ids[name]), &act[2]);
        }
        for name in plan["spent"].as_array().unwrap() {
            let key = &self.keys[name.as_str().unwrap()];
            self.call("/v1/verify", &json!({"key": key, "project": "acme", "environment": "production"}));
        }
        self.keys.insert("wrong_secret".to_owned(), with_another_secret(&self.keys["good"]));
        let grant =
            json!({"permission": "keys.verify", "resources": ["projects/acme/environments/production"]});
        let made = self.call(
            "/v1/projects/keystead/keys",
            &json!({"name": "guard", "environment": "production", "permissions": [grant]}),
        );
        self.guard = made["key"].as_str().unwrap().to_owned();
    }

    /// Issues a key.
    pub(crate) fn issue(&mut self, name: &str, environment: &str, mut body: Value) {
        body["name"] = name.into();
        body["environment"] = environment.into();
        let made = self.call("/v1/projects/acme/keys", &body);
        self.keys.insert(name.to_owned(), made["key"].as_str().unwrap().to_owned());
        self.ids.insert(name.to_owned(), made["id"].as_str().unwrap().to_owned());
    }

    pub(crate) fn revoke(&self, name: &str) {
        self.call(&format!("/v1/keys/{}/revoke", self.ids[name]), &json!({"reason": "for a test"}));
    }

    /// A text with keys in place of their names.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.keys.iter().fold(text.to_owned(), |text, (name, key)| text.replace(&format!("{{{name}}}"), key))
    }

    pub(crate) fn bearer(&self, name: &str) -> String {
        format!("Bearer {}", self.keys[name])
    }
}

#[expect(clippy::disallowed_methods, reason = "the server's hours are those of its clock")]
fn another_day() -> &'static str {
    let weekday = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().weekday();
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        [usize::from((weekday.to_monday_zero_offset().cast_unsigned() + 3) % 7)]
}

/// The same id, another secret, and a checksum that fits.
fn with_another_secret(key: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (signed, last) = key.split_at(key.len() - 7);
    let signed = format!("{signed}{}", if last.starts_with('a') { 'b' } else { 'a' });
    let mut rest = crc32(signed.as_bytes());
    let mut check = [0_u8; 6];
    for digit in check.iter_mut().rev() {
        *digit = DIGITS[rest as usize % 62];
        rest /= 62;
    }
    signed + std::str::from_utf8(&check).unwrap()
}

/// CRC-32 (IEEE), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}
