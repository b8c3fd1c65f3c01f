//! Reverse DNS zones of a network: which name servers answer for them.

use crate::guard::Admitted;
use crate::problem::{Body, Problem};
use crate::records::{Registry, Zone};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use std::collections::BTreeMap;

const ZONES_MAX: usize = 256;
const NAME_SERVERS_MAX: usize = 8;
/// RFC 1035 §2.3.4.
const NAME_BYTES_MAX: usize = 253;

pub(crate) async fn list(
    State(registry): State<Registry>,
    Path(network): Path<String>,
) -> Result<Json<BTreeMap<String, Zone>>, Problem> {
    registry.see(|records| Ok(Json(records.network(&network)?.zones.clone())))
}

pub(crate) async fn set(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path((network, zone)): Path<(String, String)>,
    Body(new): Body<Zone>,
) -> Result<Json<Zone>, Problem> {
    let is_reverse = zone.ends_with(".in-addr.arpa") || zone.ends_with(".ip6.arpa");
    if !is_reverse || !is_host(&zone) {
        let fix = "Write a zone below in-addr.arpa or ip6.arpa, in small letters.";
        return Err(Problem::invalid(format!("{zone} is no reverse zone."), fix));
    }
    let servers = &new.name_servers;
    if servers.is_empty() || servers.len() > NAME_SERVERS_MAX || !servers.iter().all(|name| is_host(name)) {
        return Err(Problem::invalid(
            "These are no name servers.",
            "Send 1 to 8 host names, in small letters.",
        ));
    }
    registry.change(by, |records| {
        let zones = &mut records.network_mut(&network)?.zones;
        if zones.len() >= ZONES_MAX && !zones.contains_key(&zone) {
            return Err(Problem::invalid("The network has 256 zones.", "Remove one first."));
        }
        zones.insert(zone, new.clone());
        Ok(Json(new))
    })
}

pub(crate) async fn remove(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path((network, zone)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    registry.change(by, |records| {
        let removed = records.network_mut(&network)?.zones.remove(&zone);
        removed.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Problem::not_found("no such zone"))
    })
}

fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label)
}
