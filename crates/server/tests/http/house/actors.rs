//! Who calls, as types: what each may do is in its name.

use super::client::{Client, secret_of};
use super::world::merged;
use serde_json::{Value, json};
use std::ops::Deref;

macro_rules! actors {
    ($($(#[doc = $doc:literal])+ $Name:ident,)*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone)]
        pub(crate) struct $Name(pub(crate) Client);

        impl Deref for $Name {
            type Target = Client;

            fn deref(&self) -> &Client {
                &self.0
            }
        }
    )*};
}

actors! {
    /// The administrator of the installation.
    Operator,
    /// The administrator of the tenant `acme`.
    Admin,
    /// Guards one environment's API: may verify and explain there, and nothing else.
    Asker,
    /// The administrator of another tenant.
    OtherTenant,
    /// Somebody without a key.
    Stranger,
}

/// A key that was issued, and what was shown with it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) shown: Value,
}

impl Issued {
    pub(crate) fn path(&self) -> String {
        format!("/v1/keys/{}", self.id)
    }

    pub(crate) fn secret(&self) -> &str {
        secret_of(&self.key)
    }
}

impl Admin {
    /// Issues a key of the project `registry`, for `production` unless said otherwise.
    pub(crate) async fn issue(&self, body: Value) -> Issued {
        self.issue_in("registry", body).await
    }

    /// Issues a key of a project.
    pub(crate) async fn issue_in(&self, project: &str, body: Value) -> Issued {
        let body = merged(json!({"name": "A key", "environment": "production"}), body);
        let shown = self.post(&format!("/v1/projects/{project}/keys"), body).await.created();
        let key = shown["key"].as_str().unwrap().to_owned();
        self.shared().secrets.lock().push(secret_of(&key).to_owned());
        Issued { id: shown["id"].as_str().unwrap().to_owned(), key, shown }
    }

    /// Mints a key from another, as its holder.
    pub(crate) async fn mint(&self, parent: &Issued, body: Value) -> Issued {
        let shown = self.with_key(&parent.key).post("/v1/keys/mint", body).await.created();
        let key = shown["key"].as_str().unwrap().to_owned();
        self.shared().secrets.lock().push(secret_of(&key).to_owned());
        Issued { id: shown["id"].as_str().unwrap().to_owned(), key, shown }
    }

    /// Rotates a key; the new one.
    pub(crate) async fn rotate(&self, key: &Issued, body: Value) -> Issued {
        let shown = self.post(&format!("{}/rotate", key.path()), body).await.created();
        let key = shown["key"].as_str().unwrap().to_owned();
        self.shared().secrets.lock().push(secret_of(&key).to_owned());
        Issued { id: shown["id"].as_str().unwrap().to_owned(), key, shown }
    }

    /// Whoever guards one environment's API.
    pub(crate) async fn make_asker(&self, project: &str, environment: &str) -> Asker {
        let resource = format!("projects/{project}/environments/{environment}");
        let narrowed = |permission: &str| json!({"permission": permission, "resources": [resource]});
        let body = json!({
            "name": format!("Guard of {project} {environment}"),
            "permissions": [narrowed("keys.verify"), narrowed("keys.read")],
        });
        Asker(self.with_key(&self.issue_in("keystead", body).await.key))
    }

    /// Shows a key, by its id.
    pub(crate) async fn show(&self, key: &Issued) -> Value {
        self.get(&key.path()).await.ok()
    }

    /// Changes a key.
    pub(crate) async fn change(&self, key: &Issued, body: Value) -> Value {
        self.patch(&key.path(), body).await.ok()
    }

    /// Turns a key off, on, … by the last segment of its path.
    pub(crate) async fn turn(&self, key: &Issued, turn: &str, body: Option<Value>) -> Value {
        self.call(http::Method::POST, &format!("{}/{turn}", key.path()), body, &[]).await.ok()
    }

    /// Ends a key.
    pub(crate) async fn revoke(&self, key: &Issued) -> Value {
        self.turn(key, "revoke", Some(json!({"reason": "A test says so"}))).await
    }

    /// The audit, newest first.
    pub(crate) async fn audit(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/v1/audit?limit=1000&{query}")).await.ok()["items"].as_array().unwrap().clone()
    }
}

impl Asker {
    /// The verdict on a key, with whatever else the request says.
    pub(crate) async fn ask(&self, key: &str, request: Value) -> Value {
        let answer = self.post("/v1/verify", merged(json!({"key": key}), request)).await;
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        let verdict = answer.ok();
        assert_eq!(verdict["request_id"], id);
        assert_eq!(verdict["valid"].as_bool().unwrap(), verdict["code"] == "valid", "{verdict}");
        verdict
    }

    /// The verdict's code alone.
    pub(crate) async fn code(&self, key: &Issued, request: Value) -> String {
        self.ask(&key.key, request).await["code"].as_str().unwrap().to_owned()
    }

    /// The verdict's code on a request that says nothing.
    pub(crate) async fn bare(&self, key: &Issued) -> String {
        self.code(key, json!({})).await
    }

    /// Asks so many times at once; how often each code came.
    pub(crate) async fn at_once(
        &self,
        keys: &[&Issued],
        requests: usize,
        tasks: usize,
    ) -> std::collections::BTreeMap<String, usize> {
        let mut running = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let (asker, keys) = (self.clone(), keys.iter().map(|key| (*key).clone()).collect::<Vec<_>>());
            running.spawn(async move {
                let mut codes = Vec::new();
                for request in (task..requests).step_by(tasks) {
                    codes.push(asker.bare(&keys[request % keys.len()]).await);
                }
                codes
            });
        }
        let mut counts = std::collections::BTreeMap::new();
        for code in running.join_all().await.into_iter().flatten() {
            *counts.entry(code).or_insert(0) += 1;
        }
        counts
    }
}
