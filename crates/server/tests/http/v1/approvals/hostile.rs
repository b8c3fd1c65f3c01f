//! Over random sequences of a hostile member's acts: alone, they get no key that needs another's approval.

use super::*;
use crate::house::on_both_engines;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

on_both_engines! {
    a_hostile_member_gets_nothing_that_needs_another,
}

/// All but to break glass, to set guardrails, and to make people.
fn grants() -> Value {
    json!([
        {"permission": "keys.*"}, {"permission": "approvals.read"}, {"permission": "approvals.decide"},
        {"permission": "catalogue.*"}, {"permission": "accounts.*"}, {"permission": "consumers.*"},
        {"permission": "authority.grant"}, {"permission": "people.read"},
        {"permission": "**", "project": "registry"},
    ])
}

async fn a_hostile_member_gets_nothing_that_needs_another(house: House) {
    let scene = Scene::set(house).await;
    guard(&scene.admin, json!({"without_networks": true})).await;
    let mallory = join(&scene.house, "mallory", grants()).await;
    let key = scene.admin.issue_in("keystead", json!({"permissions": ["**"]})).await;
    scene.admin.patch(&key.path(), json!({"owner": mallory.id})).await.ok();
    let callers = vec![mallory.client.clone(), scene.admin.with_key(&key.key)];
    let mut run = Run {
        scene: &scene,
        rng: ChaCha8Rng::seed_from_u64(7),
        callers,
        mallory: mallory.id.clone(),
        keys: Vec::new(),
        approvals: vec![scene_request(&scene).await],
        passed: 0,
    };
    for _ in 0..200 {
        run.act().await;
    }
    run.check().await;
    assert!(run.passed > 20, "of what they try something must be allowed: {}", run.passed);
}

/// What another person asked for: theirs to approve, not to redeem.
async fn scene_request(scene: &Scene) -> String {
    let id = id_of(&asked(&scene.ann, json!({"permissions": ["zones.read"]})).await.created());
    scene.approve(&id).await;
    id
}

struct Run<'s> {
    scene: &'s Scene,
    rng: ChaCha8Rng,
    callers: Vec<Client>,
    mallory: String,
    keys: Vec<String>,
    approvals: Vec<String>,
    passed: u32,
}

impl Run<'_> {
    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap() % count
    }

    fn one(&mut self, of: &[String], other: &str) -> String {
        if of.is_empty() { other.to_owned() } else { of[self.pick(of.len())].clone() }
    }

    fn restrictions(&mut self) -> Value {
        match self.pick(4) {
            0 => json!({}),
            1 => json!({"networks": {"allow": ["0.0.0.0/0"]}}),
            2 => json!({"networks": {"allow": [], "deny": ["192.0.2.0/24"]}}),
            _ => json!({"networks": {"allow": ["192.0.2.0/24"]}}),
        }
    }

    async fn act(&mut self) {
        let me = self.pick(self.callers.len());
        let me = self.callers[me].clone();
        let known = self.keys.clone();
        let key = self.one(&known, "key_aaaaaaaaaaaa");
        let known = self.approvals.clone();
        let approval = self.one(&known, "apr_x");
        let restrictions = self.restrictions();
        let mut body = json!({"name": "x", "environment": "production", "permissions": ["zones.read"],
            "restrictions": restrictions});
        match self.pick(3) {
            0 => body["owner"] = json!("worker"),
            1 => body["kind"] = json!("temporary"),
            _ => {}
        }
        let owner = if self.pick(2) == 0 { "worker".to_owned() } else { self.mallory.clone() };
        let answer = match self.pick(12) {
            0 => me.post(KEYS, body).await,
            1 => me.post(&format!("{KEYS}/batch"), json!({"items": [body]})).await,
            2 => me.post(KEYS, merged(body, json!({"break_glass": "Now"}))).await,
            3 => me.patch(&format!("/v1/keys/{key}"), json!({"restrictions": restrictions})).await,
            4 => me.patch(&format!("/v1/keys/{key}"), json!({"owner": owner})).await,
            5 => me.post(&format!("/v1/keys/{key}/rotate"), json!({"grace_seconds": 0})).await,
            6 => me.post("/v1/approvals", json!({"why": "x", "project": "registry", "create": body})).await,
            7 => {
                let update = json!({"restrictions": restrictions});
                me.post("/v1/approvals", json!({"why": "x", "key": key, "update": update})).await
            }
            8 => me.post(&path(&approval, "approve"), json!({})).await,
            9 => me.poke(&path(&approval, "redeem")).await,
            10 => {
                let rules = json!({"every_kind": {}});
                me.put("/v1/projects/registry/guardrails", rules).await
            }
            _ => me.poke(&path(&approval, "withdraw")).await,
        };
        assert!(answer.status.as_u16() < 500, "{}", answer.text);
        if answer.status.is_success() {
            self.learn(&answer.body).await;
        }
    }

    async fn learn(&mut self, body: &Value) {
        self.passed += 1;
        let id = body["id"].as_str().unwrap_or_default();
        if id.starts_with("apr_") {
            self.approvals.push(id.to_owned());
        } else if id.starts_with("key_") {
            self.keys.push(id.to_owned());
        }
        self.check().await;
    }

    /// No key of the registry can be used from everywhere.
    async fn check(&self) {
        let keys = self.scene.admin.get(&format!("{KEYS}?limit=1000")).await.ok();
        for key in keys["items"].as_array().unwrap() {
            let allow = &key["restrictions"]["networks"]["allow"];
            assert_eq!(*allow, json!(["192.0.2.0/24"]), "{key}");
        }
    }
}
