//! `[[guard]]`: the installation's own proxies before APIs. One table each, in the file only.

use super::mistake::Mistake;
use super::sources;
use keystead_listen::Bounds;
use keystead_proxy::{Health, Origin, Settings, UPSTREAMS_MAX, is_tunnel};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Most proxies of one server.
pub const GUARDS_MAX: usize = 64;

/// A proxy that lets through to an API what its keys may do.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// Whose project, where the installation has several organizations: its slug.
    pub organization: Option<String>,
    /// Whose keys: the project's slug.
    pub project: String,
    /// And the environment's.
    pub environment: String,
    /// PEM files of the certificate and its private key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where to, and within which bounds.
    pub proxy: Settings,
    /// The file and line.
    pub(super) place: String,
    /// What is in force, for `config show`.
    pub(super) shown: Map<String, Value>,
}

/// A number of a table: its name, default and bounds.
struct Whole(&'static str, u64, u64, u64);

const CONNECTIONS: Whole = Whole("connections_max", 10_000, 1, 1_000_000);
const IN_FLIGHT: Whole = Whole("requests_in_flight_max", 1_024, 1, 1_000_000);
const HEAD: Whole = Whole("head_bytes_max", 32_768, 8_192, 1_048_576);
const BODY: Whole = Whole("body_bytes_max", 1 << 30, 0, 1 << 40);
const HEADER_TIME: Whole = Whole("header_seconds_max", 10, 1, 300);
const IDLE_TIME: Whole = Whole("idle_seconds_max", 75, 1, 3_600);
const CONNECT_TIME: Whole = Whole("connect_seconds_max", 5, 1, 300);
const ANSWER_TIME: Whole = Whole("answer_seconds_max", 60, 1, 3_600);
const SILENCE_TIME: Whole = Whole("silence_seconds_max", 300, 1, 86_400);
const HEALTH_INTERVAL: Whole = Whole("health_interval_seconds", 5, 1, 3_600);
const HEALTH_TIME: Whole = Whole("health_answer_seconds_max", 2, 1, 300);
const HEALTH_FAILURES: Whole = Whole("health_failures_max", 3, 1, 100);
const HEALTH_SUCCESSES: Whole = Whole("health_successes_min", 2, 1, 100);

/// What a table may say.
const NAMES: [&str; 24] = [
    "listen",
    "upstreams",
    "organization",
    "project",
    "environment",
    "certificate",
    "key",
    "http2",
    "ca_file",
    "upgrades",
    CONNECTIONS.0,
    IN_FLIGHT.0,
    HEAD.0,
    BODY.0,
    HEADER_TIME.0,
    IDLE_TIME.0,
    CONNECT_TIME.0,
    ANSWER_TIME.0,
    SILENCE_TIME.0,
    "health_path",
    HEALTH_INTERVAL.0,
    HEALTH_TIME.0,
    HEALTH_FAILURES.0,
    HEALTH_SUCCESSES.0,
];

/// One table while it is read. What is wrong is told, and reading goes on.
struct Table<'a> {
    path: &'a Path,
    text: &'a str,
    line: usize,
    table: &'a DeTable<'a>,
    shown: Map<String, Value>,
    mistakes: &'a mut Vec<Mistake>,
}

/// Reads one table; `None` when something in it is wrong.
pub(super) fn read(
    path: &Path,
    text: &str,
    line: usize,
    table: &DeTable<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Guard> {
    let before = mistakes.len();
    let mut table = Table { path, text, line, table, shown: Map::new(), mistakes };
    table.refuse_unknown();
    let listen = table.parsed::<SocketAddr>("listen", "Write it like \"127.0.0.1:8080\" or \"[::1]:8080\".");
    let upstreams = table.upstreams();
    let organization = table.optional("organization");
    let (project, environment) = (table.required("project"), table.required("environment"));
    let tls = table.tls();
    let http2 = table.flag("http2");
    let ca_file = table.optional("ca_file").map(PathBuf::from);
    let upgrades = table.upgrades();
    let seconds = |table: &mut Table<'_>, which| Duration::from_secs(table.whole(which));
    let silence = seconds(&mut table, SILENCE_TIME);
    let bounds = Bounds {
        connections_max: count(table.whole(CONNECTIONS)),
        head_bytes_max: u32::try_from(table.whole(HEAD)).unwrap_or(u32::MAX),
        header: seconds(&mut table, HEADER_TIME),
        idle: seconds(&mut table, IDLE_TIME),
        stalled: silence,
        // That of the whole server, which is not known here.
        shutdown: Duration::ZERO,
    };
    let proxy = Settings {
        upstreams,
        http2,
        ca_file,
        upgrades,
        bounds,
        requests_in_flight_max: count(table.whole(IN_FLIGHT)),
        body_bytes_max: table.whole(BODY),
        connect: seconds(&mut table, CONNECT_TIME),
        answer: seconds(&mut table, ANSWER_TIME),
        idle: silence,
        health: table.health(),
    };
    let (place, shown) = (sources::place(path, line), table.shown);
    if mistakes.len() > before {
        return None;
    }
    let (listen, project, environment) = (listen?, project?, environment?);
    Some(Guard { listen, organization, project, environment, tls, proxy, place, shown })
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Table<'_> {
    fn refuse_unknown(&mut self) {
        for (key, _) in self.table.iter().filter(|(key, _)| !NAMES.contains(&&**key.get_ref())) {
            let place = sources::place(self.path, sources::line_of(self.text, key.span().start));
            let known = NAMES.iter().map(|name| format!("guard.{name}"));
            let name = format!("guard.{}", key.get_ref());
            self.mistakes.push(sources::unknown(&place, &name, known, "docs/PROXY.md"));
        }
    }

    fn mistake(&mut self, name: &str, detail: &str, fix: &str) {
        let key = self.table.iter().find(|(key, _)| &**key.get_ref() == name);
        let line = key.map_or(self.line, |(key, _)| sources::line_of(self.text, key.span().start));
        let place = sources::place(self.path, line);
        self.mistakes.push(Mistake::new(place, format!("`guard.{name}`: {detail}"), fix));
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        match self.table.get(name)?.get_ref() {
            DeValue::String(text) if !text.is_empty() && !text.contains('\0') => {
                let text = text.to_string();
                self.shown.insert(name.into(), text.clone().into());
                Some(text)
            }
            _ => {
                self.mistake(
                    name,
                    "this is no text.",
                    "Write a string in double quotes, or remove the line.",
                );
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if self.table.get(name).is_none() {
            self.mistake(
                name,
                "it is missing.",
                "Add it: a guard needs listen, upstreams, project and environment.",
            );
            return None;
        }
        self.optional(name)
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, fix: &str) -> Option<T> {
        let parsed = self.required(name)?.parse().ok();
        if parsed.is_none() {
            self.mistake(name, "this cannot be read.", fix);
        }
        parsed
    }

    fn flag(&mut self, name: &str) -> bool {
        let flag = match self.table.get(name).map(|value| value.get_ref()) {
            None => false,
            Some(DeValue::Boolean(flag)) => *flag,
            Some(_) => {
                self.mistake(name, "this is neither true nor false.", "Write true or false, without quotes.");
                false
            }
        };
        self.shown.insert(name.into(), flag.into());
        flag
    }

    fn whole(&mut self, Whole(name, default, min, max): Whole) -> u64 {
        let number = match self.table.get(name).map(|value| value.get_ref()) {
            None => Some(default),
            Some(DeValue::Integer(number)) if number.radix() == 10 => {
                number.as_str().replace('_', "").parse().ok()
            }
            Some(_) => None,
        };
        let number = number.filter(|number| (min..=max).contains(number)).unwrap_or_else(|| {
            let fix = format!("Write a whole number from {min} to {max}, without quotes.");
            self.mistake(name, "this number is out of bounds, or none.", &fix);
            default
        });
        self.shown.insert(name.into(), number.into());
        number
    }

    /// A list of texts.
    fn list(&mut self, name: &str, fix: &str) -> Option<Vec<String>> {
        let DeValue::Array(values) = self.table.get(name)?.get_ref() else {
            self.mistake(name, "this is no list.", fix);
            return None;
        };
        let texts: Option<Vec<String>> = values
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        if texts.is_none() {
            self.mistake(name, "this is no list of texts.", fix);
        }
        texts
    }

    fn upstreams(&mut self) -> Vec<Origin> {
        let fix = "Write 1 to 32 like [\"http://127.0.0.1:9000\"] or [\"https://api.internal\"], without user or path.";
        let texts = self.list("upstreams", fix).unwrap_or_default();
        let origins: Vec<Origin> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        if origins.len() != texts.len() || !(1..=UPSTREAMS_MAX).contains(&origins.len()) {
            self.mistake("upstreams", "this is no list of upstreams.", fix);
        } else {
            let shown: Vec<String> = origins.iter().map(ToString::to_string).collect();
            self.shown.insert("upstreams".into(), shown.into());
        }
        origins
    }

    fn upgrades(&mut self) -> Vec<String> {
        let fix = "Write names like [\"websocket\"], at most 8, or []; nothing that carries HTTP again, such as h2c.";
        let mut names = match self.table.get("upgrades") {
            None => vec!["websocket".to_owned()],
            Some(_) => self.list("upgrades", fix).unwrap_or_default(),
        };
        names.iter_mut().for_each(|name| name.make_ascii_lowercase());
        if names.len() > 8 || !names.iter().all(|name| is_tunnel(name)) {
            self.mistake("upgrades", "connections are not upgraded to that.", fix);
        }
        self.shown.insert("upgrades".into(), names.clone().into());
        names
    }

    fn health(&mut self) -> Option<Health> {
        let path = self.optional("health_path");
        let (interval, answer) = (self.whole(HEALTH_INTERVAL), self.whole(HEALTH_TIME));
        let mut count = |which| u32::try_from(self.whole(which)).unwrap_or(u32::MAX);
        let (failures_max, successes_min) = (count(HEALTH_FAILURES), count(HEALTH_SUCCESSES));
        let path = path?;
        let is_path = (1..=1_024).contains(&path.len()) && path.starts_with('/') && !path.contains('#');
        let Some(path) = is_path.then(|| path.parse().ok()).flatten() else {
            self.mistake(
                "health_path",
                "this is no path.",
                "Write it like \"/healthz\", at most 1024 bytes.",
            );
            return None;
        };
        let (interval, answer) = (Duration::from_secs(interval), Duration::from_secs(answer));
        Some(Health { path, interval, answer, failures_max, successes_min })
    }

    fn tls(&mut self) -> Option<(PathBuf, PathBuf)> {
        match (self.optional("certificate"), self.optional("key")) {
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            (None, None) => None,
            _ => {
                self.mistake(
                    "certificate",
                    "one of certificate and key is missing.",
                    "Set both, or neither.",
                );
                None
            }
        }
    }
}
