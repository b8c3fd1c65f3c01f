//! `/v1/approvals`

mod flow;
mod glass;
mod hostile;
mod oneself;
mod races;
mod rights;
mod told;
mod ways_around;

use crate::house::{Admin, Answer, Client, House, Issued, merged, secret_of};
use http::Method;
use serde_json::{Value, json};
use std::ops::Deref;

const KEYS: &str = "/v1/projects/registry/keys";

/// Somebody who signed in.
struct Signed {
    id: String,
    email: String,
    client: Client,
}

impl Deref for Signed {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A house in which the registry has a sensitive permission, `zones.delete`.
struct Scene {
    house: House,
    /// Makes keys of her own.
    ann: Signed,
    /// Manages keys, and decides.
    bob: Signed,
    /// Administers everything.
    carol: Signed,
}

impl Deref for Scene {
    type Target = House;

    fn deref(&self) -> &House {
        &self.house
    }
}

impl Scene {
    async fn set(house: House) -> Self {
        let sensitive = json!({"name": "zones.delete", "sensitive": true});
        house.admin.post("/v1/projects/registry/permissions", sensitive).await.created();
        let ann = json!([{"permission": "keys.own"}, {"permission": "**", "project": "registry"}]);
        let ann = join(&house, "ann", ann).await;
        let bob = join(&house, "bob", json!([{"role": "key-manager"}])).await;
        let carol = json!([{"role": "administrator"}, {"permission": "**", "project": "registry"}]);
        let carol = join(&house, "carol", carol).await;
        guard(&house.admin, json!({"sensitive_permissions": true})).await;
        Self { house, ann, bob, carol }
    }

    /// Signs everybody in anew: time has passed.
    async fn sign_in_again(&mut self) {
        for person in [&mut self.ann, &mut self.bob, &mut self.carol] {
            person.client = sign_in(&self.house, &person.email).await;
        }
    }

    /// Ann asks for a key that may delete zones.
    async fn ask(&self) -> String {
        id_of(&asked(&self.ann, json!({})).await.created())
    }

    async fn approve(&self, id: &str) -> Value {
        self.bob.post(&path(id, "approve"), json!({})).await.ok()
    }

    /// What a key says to deleting a zone.
    async fn deletes(&self, key: &Issued) -> String {
        self.asker.code(key, json!({"permissions": "zones.delete"})).await
    }

    /// The audit's actions, sorted: the clock stands still.
    async fn actions(&self, query: &str) -> Vec<String> {
        let records = self.admin.audit(query).await;
        let mut actions: Vec<String> =
            records.iter().map(|record| record["action"].as_str().unwrap().to_owned()).collect();
        actions.sort_unstable();
        actions
    }
}

/// Sets what must be approved in the whole organization.
async fn guard(admin: &Admin, approval: Value) {
    let rules = json!({"every_kind": {"approval": approval}});
    admin.put("/v1/guardrails", rules).await.ok();
}

async fn join(house: &House, name: &str, grants: Value) -> Signed {
    let email = format!("{name}@example.com");
    let member = json!({"email": email, "name": name, "grants": grants});
    let id = id_of(&house.admin.post("/v1/members", member).await.created());
    let token = house.invite(&house.admin, &id).await;
    house.accept(&token, crate::house::PASSWORD).await.ok();
    let client = sign_in(house, &email).await;
    Signed { id, email, client }
}

async fn sign_in(house: &House, email: &str) -> Client {
    let proof = json!({"email": email, "password": crate::house::PASSWORD, "token": true});
    let session = house.try_sign_in(proof).await.created();
    house.stranger.with_key(session["token"].as_str().unwrap())
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn path(id: &str, act: &str) -> String {
    format!("/v1/approvals/{id}/{act}")
}

fn wish(more: Value) -> Value {
    merged(json!({"name": "Purge", "environment": "production", "permissions": ["zones.delete"]}), more)
}

/// Asks for a new key.
async fn asked(by: &Client, more: Value) -> Answer {
    let body = json!({"why": "Clean up after the move", "project": "registry", "create": wish(more)});
    by.post("/v1/approvals", body).await
}

/// Redeems an approval of a new key.
async fn redeem(by: &Client, id: &str) -> Issued {
    let shown = by.poke(&path(id, "redeem")).await.ok();
    let key = shown["key"].as_str().unwrap().to_owned();
    by.shared().secrets.lock().push(secret_of(&key).to_owned());
    Issued { id: id_of(&shown), key, shown }
}

/// Refused, with the guardrails that demand an approval and the fields.
#[track_caller]
fn needs_approval(answer: Answer, expected: &[(&str, &str)]) {
    let problem = answer.refused(403, "approval_required");
    let told: Vec<_> = problem["violations"].as_array().unwrap().iter().collect();
    let told: Vec<_> =
        told.iter().map(|one| (one["guardrail"].as_str().unwrap(), one["field"].as_str().unwrap())).collect();
    assert_eq!(told, expected, "{problem}");
    assert!(problem["fix"].as_str().unwrap().contains("/v1/approvals"), "{problem}");
}

const SENSITIVE: (&str, &str) = ("approval_sensitive_permissions", "/permissions/0");
const LONG: (&str, &str) = ("approval_lifetime_over", "/expires_at");
const ANYWHERE: (&str, &str) = ("approval_without_networks", "/restrictions/networks/allow");

/// A request of acme's to which an act can be done, or the asking itself: who does it, where, and with what.
pub(crate) async fn ready_for(house: &House, act: &str) -> (Client, String, Option<Value>) {
    let sensitive = json!({"name": "zones.delete", "sensitive": true});
    // It may be there from another act.
    house.admin.post("/v1/projects/registry/permissions", sensitive).await;
    guard(&house.admin, json!({"sensitive_permissions": true})).await;
    let anns = json!([{"permission": "keys.own"}, {"permission": "**", "project": "registry"}]);
    let ann = join(house, &format!("ann-{act}"), anns).await;
    let bob = join(house, &format!("bob-{act}"), json!([{"role": "key-manager"}])).await;
    if act == "ask" {
        let body = json!({"why": "Clean up", "project": "registry", "create": wish(json!({}))});
        return (ann.client, "/v1/approvals".into(), Some(body));
    }
    let id = id_of(&asked(&ann, json!({})).await.created());
    let comment = Some(json!({"comment": "So be it"}));
    match act {
        "approve" | "deny" => (bob.client, path(&id, act), comment),
        "withdraw" => (ann.client, path(&id, act), None),
        _ => {
            bob.post(&path(&id, "approve"), json!({})).await.ok();
            (ann.client, path(&id, act), None)
        }
    }
}
