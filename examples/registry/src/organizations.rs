//! Who holds networks.

use crate::records::{Organization, Registry};
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;

pub(crate) async fn list(State(registry): State<Registry>) -> Json<BTreeMap<String, Organization>> {
    Json(registry.see(|records| records.organizations.clone()))
}
