//! Networks: who holds them, what they are called.

use crate::guard::Admitted;
use crate::problem::{Body, Problem};
use crate::records::{Network, Registry};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rename {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transfer {
    organization: String,
}

pub(crate) async fn list(State(registry): State<Registry>) -> Json<BTreeMap<String, Network>> {
    Json(registry.see(|records| records.networks.clone()))
}

pub(crate) async fn show(
    State(registry): State<Registry>,
    Path(id): Path<String>,
) -> Result<Json<Network>, Problem> {
    registry.see(|records| records.network(&id).cloned()).map(Json)
}

pub(crate) async fn change(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path(id): Path<String>,
    Body(new): Body<Rename>,
) -> Result<Json<Network>, Problem> {
    let is_name =
        |name: &str| !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic());
    if !is_name(&new.name) {
        return Err(Problem::invalid("This is no name.", "Send 1 to 64 visible ASCII characters."));
    }
    registry.change(by, |records| {
        let network = records.network_mut(&id)?;
        network.name = new.name;
        Ok(Json(network.clone()))
    })
}

/// Hands a network over to another holder.
pub(crate) async fn transfer(
    State(registry): State<Registry>,
    Extension(by): Extension<Admitted>,
    Path(id): Path<String>,
    Body(to): Body<Transfer>,
) -> Result<Json<Network>, Problem> {
    registry.change(by, |records| {
        if !records.organizations.contains_key(&to.organization) {
            return Err(Problem::not_found("no such organization"));
        }
        let network = records.network_mut(&id)?;
        network.organization = to.organization;
        Ok(Json(network.clone()))
    })
}
