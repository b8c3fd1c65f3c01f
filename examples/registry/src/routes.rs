//! Route objects of a network: which autonomous system may announce which prefix.

use crate::guard::Admitted;
use crate::problem::{Body, Problem};
use crate::records::{Registry, Route};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use ipnet::IpNet;
use std::collections::BTreeMap;

const ROUTES_MAX: usize = 256;

pub(crate) async fn list(
    State(registry): State<Registry>,
    Path(network): Path<String>,
) -> Result<Json<BTreeMap<String, Route>>, Problem> {
    registry.see(|records| Ok(Json(records.network(&network)?.routes.clone())))
}

pub(crate) async fn set(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path((network, route)): Path<(String, String)>,
    Body(new): Body<Route>,
) -> Result<Json<Route>, Problem> {
    registry.change(by, |records| {
        let network = records.network_mut(&network)?;
        if !lies_in(&route, &network.prefix) {
            let detail = format!("{route} is no prefix in {}.", network.prefix);
            return Err(Problem::invalid(
                detail,
                "Write a prefix of the network, `-` for `/`: 203.0.113.0-24.",
            ));
        }
        if network.routes.len() >= ROUTES_MAX && !network.routes.contains_key(&route) {
            return Err(Problem::invalid("The network has 256 routes.", "Withdraw one first."));
        }
        network.routes.insert(route, new.clone());
        Ok(Json(new))
    })
}

pub(crate) async fn remove(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path((network, route)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    registry.change(by, |records| {
        let removed = records.network_mut(&network)?.routes.remove(&route);
        removed.map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Problem::not_found("no such route"))
    })
}

/// Whether this is the one way to write a prefix of that network.
fn lies_in(route: &str, network: &str) -> bool {
    let (Ok(prefix), Ok(network)) = (route.replace('-', "/").parse::<IpNet>(), network.parse::<IpNet>())
    else {
        return false;
    };
    prefix.trunc().to_string().replace('/', "-") == route && network.contains(&prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_lies_in_its_network_and_is_written_in_one_way() {
        assert!(lies_in("203.0.113.0-24", "203.0.113.0/24") && lies_in("203.0.113.128-25", "203.0.113.0/24"));
        for route in
            ["203.0.112.0-23", "198.51.100.0-24", "203.0.113.1-24", "203.0.113.0/24", "x", "2001:db8::-32"]
        {
            assert!(!lies_in(route, "203.0.113.0/24"), "{route}");
        }
    }
}
