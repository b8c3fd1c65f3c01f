//! What each tenant has: the same names, so that only the tenant tells them apart.

use super::client::Client;
use serde_json::{Value, json};

/// Permissions in the catalogue of the project `registry`.
pub(crate) const PERMISSIONS: [&str; 5] =
    ["networks.read", "networks.write", "routes.read", "routes.write", "zones.read"];

/// A tenant's things, by their ids.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) project: String,
    /// `production`.
    pub(crate) environment: String,
    /// `development`.
    pub(crate) development: String,
    /// `networks.read`.
    pub(crate) permission: String,
    /// `editor`: `routes.*`.
    pub(crate) role: String,
    /// `worker`.
    pub(crate) account: String,
    /// External id `customer-1`.
    pub(crate) consumer: String,
}

impl World {
    /// Makes the things.
    pub(crate) async fn settle(tenant: &Client) -> Self {
        let make = async |path: &str, body: Value| {
            tenant.post(path, body).await.created()["id"].as_str().unwrap().to_owned()
        };
        let project = make("/v1/projects", json!({"name": "Registry", "slug": "registry"})).await;
        let at = |what: &str| format!("/v1/projects/registry/{what}");
        let named = |slug: &str| json!({"name": slug, "slug": slug});
        let environment = make(&at("environments"), named("production")).await;
        let development = make(&at("environments"), named("development")).await;
        let mut permissions = Vec::new();
        for name in PERMISSIONS {
            permissions.push(make(&at("permissions"), json!({"name": name})).await);
        }
        let role = make(&at("roles"), json!({"name": "editor", "permissions": ["routes.*"]})).await;
        let account = make(&at("service-accounts"), json!({"name": "worker"})).await;
        let customer = json!({"name": "First customer", "external_id": "customer-1"});
        let consumer = make(&at("consumers"), customer).await;
        let permission = permissions.swap_remove(0);
        Self { project, environment, development, permission, role, account, consumer }
    }
}

/// One object with the fields of both; the second's win.
pub(crate) fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}
