//! `[[guard]]`: the installation's own proxies before APIs. One table each, in the file only.

use super::mistake::Mistake;
use super::table::{Kind, Table, Text, Whole, Whose};
use keystead_listen::Bounds;
use keystead_proxy::{Health, Origin, Settings, UPSTREAMS_MAX, is_tunnel};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeTable;

/// Most proxies of one server.
pub const GUARDS_MAX: usize = 64;

/// A proxy that lets through to an API what its keys may do.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// Whose keys are asked.
    pub whose: Whose,
    /// PEM files of the certificate and its private key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where to, and within which bounds.
    pub proxy: Settings,
    /// The file and line.
    pub(super) place: String,
    /// What is in force, for `config show`.
    pub(super) shown: Map<String, Value>,
}

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

/// What a table is.
const KIND: Kind = Kind {
    name: "guard",
    names: &[
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
    ],
    needs: "Add it: a guard needs listen, upstreams, project and environment.",
    reference: "docs/PROXY.md",
};

/// Reads one table; `None` when something in it is wrong.
pub(super) fn read(
    file: Text<'_>,
    line: usize,
    table: &DeTable<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Guard> {
    let mut table = Table::new(&KIND, file, line, table, mistakes);
    let listen = table.parsed::<SocketAddr>("listen", "Write it like \"127.0.0.1:8080\" or \"[::1]:8080\".");
    let upstreams = upstreams(&mut table);
    let whose = table.whose();
    let tls = tls(&mut table);
    let http2 = table.flag("http2");
    let ca_file = table.optional("ca_file").map(PathBuf::from);
    let upgrades = upgrades(&mut table);
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
        health: health(&mut table),
    };
    let (place, shown) = table.end()?;
    Some(Guard { listen: listen?, whose: whose?, tls, proxy, place, shown })
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn upstreams(table: &mut Table<'_>) -> Vec<Origin> {
    let fix =
        "Write 1 to 32 like [\"http://127.0.0.1:9000\"] or [\"https://api.internal\"], without user or path.";
    let texts = table.list("upstreams", fix).unwrap_or_default();
    let origins: Vec<Origin> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if origins.len() != texts.len() || !(1..=UPSTREAMS_MAX).contains(&origins.len()) {
        table.mistake("upstreams", "this is no list of upstreams.", fix);
    } else {
        let shown: Vec<String> = origins.iter().map(ToString::to_string).collect();
        table.shown.insert("upstreams".into(), shown.into());
    }
    origins
}

fn upgrades(table: &mut Table<'_>) -> Vec<String> {
    let fix =
        "Write names like [\"websocket\"], at most 8, or []; nothing that carries HTTP again, such as h2c.";
    let mut names = if table.has("upgrades") {
        table.list("upgrades", fix).unwrap_or_default()
    } else {
        vec!["websocket".to_owned()]
    };
    names.iter_mut().for_each(|name| name.make_ascii_lowercase());
    if names.len() > 8 || !names.iter().all(|name| is_tunnel(name)) {
        table.mistake("upgrades", "connections are not upgraded to that.", fix);
    }
    table.shown.insert("upgrades".into(), names.clone().into());
    names
}

fn health(table: &mut Table<'_>) -> Option<Health> {
    let path = table.optional("health_path");
    let (interval, answer) = (table.whole(HEALTH_INTERVAL), table.whole(HEALTH_TIME));
    let mut count = |which| u32::try_from(table.whole(which)).unwrap_or(u32::MAX);
    let (failures_max, successes_min) = (count(HEALTH_FAILURES), count(HEALTH_SUCCESSES));
    let path = path?;
    let is_path = (1..=1_024).contains(&path.len()) && path.starts_with('/') && !path.contains('#');
    let Some(path) = is_path.then(|| path.parse().ok()).flatten() else {
        table.mistake("health_path", "this is no path.", "Write it like \"/healthz\", at most 1024 bytes.");
        return None;
    };
    let (interval, answer) = (Duration::from_secs(interval), Duration::from_secs(answer));
    Some(Health { path, interval, answer, failures_max, successes_min })
}

fn tls(table: &mut Table<'_>) -> Option<(PathBuf, PathBuf)> {
    match (table.optional("certificate"), table.optional("key")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => {
            table.mistake("certificate", "one of certificate and key is missing.", "Set both, or neither.");
            None
        }
    }
}
