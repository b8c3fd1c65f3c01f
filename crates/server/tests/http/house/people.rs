//! People: each with a key of Keystead's own that may do whatever they may.

use super::actors::{Admin, Issued};
use super::client::{Client, secret_of};
use super::world::merged;
use serde_json::{Value, json};
use std::ops::Deref;

/// A person, and how they call.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// `mem_…`
    pub(crate) id: String,
    client: Client,
}

impl Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Admin {
    /// Adds a person, who may do what is granted, and hands them a key.
    pub(crate) async fn person(&self, name: &str, grants: Value, teams: Value) -> Person {
        let email = format!("{}@example.net", name.to_ascii_lowercase());
        let body = json!({"email": email, "name": name, "grants": grants, "teams": teams});
        let id = self.post("/v1/members", body).await.created()["id"].as_str().unwrap().to_owned();
        let key = self.issue_in("keystead", json!({"name": name, "permissions": ["**"]})).await;
        self.patch(&key.path(), json!({"owner": id})).await.ok();
        Person { id, client: self.with_key(&key.key) }
    }

    /// Makes a team.
    pub(crate) async fn team(&self, name: &str, grants: Value) -> String {
        let body = json!({"name": name, "grants": grants});
        self.post("/v1/teams", body).await.created()["id"].as_str().unwrap().to_owned()
    }
}

impl Person {
    /// Makes a key of the project `registry` for `production`, as themselves unless a team is named.
    pub(crate) async fn make(&self, body: Value) -> Issued {
        let body = merged(json!({"name": "Mine", "environment": "production"}), body);
        let shown = self.post("/v1/projects/registry/keys", body).await.created();
        let key = shown["key"].as_str().unwrap().to_owned();
        self.shared().secrets.lock().push(secret_of(&key).to_owned());
        Issued { id: shown["id"].as_str().unwrap().to_owned(), key, shown }
    }
}
