//! Nobody gives what is not theirs to give: one by one, and over random sequences of a hostile member's acts.

use crate::house::{House, on_both_engines};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_engines! {
    what_one_does_not_have_one_does_not_give,
    a_place_in_a_team_is_given_by_who_may_give_what_it_brings,
    who_was_disabled_is_brought_back_by_who_may_give_what_they_had,
    a_role_that_people_have_grows_by_who_may_grant,
    an_administrator_of_one_project_is_none_of_another,
    a_hostile_member_never_reaches_more_than_was_given,
}

fn helpers_grants() -> Value {
    json!([{"permission": "people.*"}, {"permission": "catalogue.*"}, {"permission": "keys.own"}])
}

async fn what_one_does_not_have_one_does_not_give(house: House) {
    let helper = house.admin.person("Helper", helpers_grants(), json!([])).await;
    let give =
        async |grants: Value| helper.post("/v1/teams", json!({"name": "mine", "grants": grants})).await;
    for beyond in [
        json!([{"permission": "keys.create"}]),
        json!([{"permission": "**"}]),
        json!([{"permission": "routes.read", "project": "registry"}]),
        json!([{"permission": "**", "project": "*"}]),
        json!([{"role": "editor", "project": "registry", "environment": "production"}]),
    ] {
        give(beyond.clone()).await.refused(403, "forbidden");
        let member = json!({"email": "a@example.net", "name": "A", "grants": beyond});
        helper.post("/v1/members", member).await.refused(403, "forbidden");
        let own = format!("/v1/members/{}", helper.id);
        helper.patch(&own, json!({"grants": beyond})).await.refused(403, "forbidden");
    }
    give(json!([{"permission": "people.read"}, {"permission": "keys.own", "resources": ["projects/registry"]}]))
        .await
        .created();
}

async fn a_place_in_a_team_is_given_by_who_may_give_what_it_brings(house: House) {
    house.admin.team("routing", json!([{"role": "editor", "project": "registry"}])).await;
    house.admin.team("readers", json!([{"permission": "people.read"}])).await;
    let helper = house.admin.person("Helper", helpers_grants(), json!([])).await;
    let join = async |team: &str| helper.put(&format!("/v1/teams/{team}/members/me"), json!(null)).await;
    join("routing").await.refused(403, "forbidden");
    let body = json!({"email": "a@example.net", "name": "A", "teams": ["routing"]});
    helper.post("/v1/members", body).await.refused(403, "forbidden");
    join("readers").await.ok();
    // Nor by taking part before it grows.
    let more = json!({"grants": [{"permission": "people.read"}, {"permission": "audit.read"}]});
    helper.patch("/v1/teams/readers", more).await.refused(403, "forbidden");
}

async fn who_was_disabled_is_brought_back_by_who_may_give_what_they_had(house: House) {
    house.admin.team("routing", json!([{"role": "editor", "project": "registry"}])).await;
    let helper = house.admin.person("Helper", helpers_grants(), json!([])).await;
    let ann = house.admin.person("Ann", json!([{"permission": "keys.create"}]), json!([])).await;
    let bob = house.admin.person("Bob", json!([]), json!(["routing"])).await;
    for person in [&ann, &bob] {
        let path = format!("/v1/members/{}", person.id);
        helper.patch(&path, json!({"disabled": true})).await.ok();
        helper.patch(&path, json!({"disabled": false})).await.refused(403, "forbidden");
    }
}

async fn a_role_that_people_have_grows_by_who_may_grant(house: House) {
    house.admin.team("routing", json!([{"role": "editor", "project": "registry"}])).await;
    let helper = house.admin.person("Helper", helpers_grants(), json!(["routing"])).await;
    let path = "/v1/projects/registry/roles/editor";
    helper.patch(path, json!({"permissions": ["**"]})).await.refused(403, "forbidden");
    helper.patch(path, json!({"permissions": ["routes.read"]})).await.ok();
    helper.patch(path, json!({"permissions": ["routes.*"]})).await.refused(403, "forbidden");
    house.admin.patch(path, json!({"permissions": ["routes.*"]})).await.ok();
}

async fn an_administrator_of_one_project_is_none_of_another(house: House) {
    let other = json!({"name": "Other", "slug": "other"});
    house.admin.post("/v1/projects", other).await.created();
    house.admin.post("/v1/projects/other/permissions", json!({"name": "a.read"})).await.created();
    let grants = json!([{"permission": "people.*"}, {"permission": "authority.grant", "resources": ["projects/registry"]}]);
    let lead = house.admin.person("Lead", grants, json!([])).await;
    let team = |name: &str, project: &str, permission: &str| json!({"name": name, "grants": [{"permission": permission, "project": project}]});
    lead.post("/v1/teams", team("a", "registry", "**")).await.created();
    lead.post("/v1/teams", team("b", "other", "a.read")).await.refused(403, "forbidden");
    lead.post("/v1/teams", team("b", "*", "**")).await.refused(403, "forbidden");
}

/// What the hostile member was given of Keystead itself, and of the registry's API.
const MANAGEMENT: [&str; 8] = [
    "people.read",
    "people.write",
    "catalogue.read",
    "catalogue.write",
    "keys.own",
    "keys.read",
    "keys.update",
    "accounts.write",
];
const API: [&str; 1] = ["routes.read"];

/// What it tries to get.
const WANTED: [&str; 9] = [
    "**",
    "keys.create",
    "keys.rotate",
    "authority.grant",
    "people.write",
    "keys.own",
    "routes.read",
    "routes.write",
    "zones.read",
];

async fn a_hostile_member_never_reaches_more_than_was_given(house: House) {
    let admin = &house.admin;
    let reader = json!({"name": "reader", "permissions": API});
    admin.post("/v1/projects/registry/roles", reader).await.created();
    admin.team("power", json!([{"permission": "**", "project": "registry"}, {"permission": "**"}])).await;
    let boss = admin.person("Boss", json!([]), json!(["power"])).await;
    let mut grants: Vec<Value> = MANAGEMENT.iter().map(|name| json!({"permission": name})).collect();
    grants.push(json!({"role": "reader", "project": "registry"}));
    let hostile = admin.person("Mallory", json!(&grants), json!([])).await;
    let boss_key = boss.make(json!({"permissions": ["**"]})).await;
    for seed in 0..3 {
        let mut run = Run {
            house: &house,
            rng: ChaCha8Rng::seed_from_u64(seed),
            as_whom: vec![hostile.key().to_owned()],
            keys: Vec::new(),
            ids: vec![boss.id.clone(), hostile.id.clone(), boss_key.id.clone()],
            given: json!({"grants": grants, "disabled": false}),
            passed: 0,
        };
        for number in 0..120 {
            run.act(seed * 1_000 + number).await;
        }
        run.check().await;
        assert!(run.passed > 10, "of what it tries something must be allowed: {}", run.passed);
    }
}

/// A hostile member's acts, and what it has got by them.
struct Run<'h> {
    house: &'h House,
    rng: ChaCha8Rng,
    /// Keys of Keystead's own that it knows.
    as_whom: Vec<String>,
    /// Keys of the registry that it knows.
    keys: Vec<String>,
    /// Ids that it may name.
    ids: Vec<String>,
    /// What it was given, and is given again after it took that from itself.
    given: Value,
    passed: u32,
}

impl Run<'_> {
    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap() % count
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let index = self.pick(of.len());
        of[index]
    }

    fn id(&mut self, prefix: &str) -> String {
        let of: Vec<String> = self.ids.iter().filter(|id| id.starts_with(prefix)).cloned().collect();
        if of.is_empty() { "me".into() } else { of[self.pick(of.len())].clone() }
    }

    fn grants(&mut self) -> Value {
        let what = self.one(&WANTED);
        let project = self.one(&["registry", "*", "keystead"]);
        match self.pick(4) {
            0 => json!([{"permission": what}]),
            1 => json!([{"role": self.one(&["reader", "editor", "mine"]), "project": "registry"}]),
            _ => json!([{"permission": what, "project": project}]),
        }
    }

    async fn act(&mut self, number: u64) {
        let key = self.pick(self.as_whom.len());
        let me = self.house.admin.with_key(&self.as_whom[key].clone());
        let (what, team) = (self.one(&WANTED), self.one(&["power", "mine"]));
        let (member, known) = (self.id("mem_"), self.id("key_"));
        let project = self.one(&["registry", "keystead"]);
        let environment = if project == "registry" { "production" } else { "system" };
        let grants = self.grants();
        let answer = match self.pick(14) {
            0 => me.post("/v1/teams", json!({"name": "mine", "grants": grants})).await,
            1 => me.patch(&format!("/v1/teams/{team}"), json!({"grants": grants})).await,
            2 => me.put(&format!("/v1/teams/{team}/members/{member}"), json!(null)).await,
            3 => {
                let email = format!("m{number}@example.net");
                me.post("/v1/members", json!({"email": email, "name": "M", "grants": grants})).await
            }
            4 => me.patch(&format!("/v1/members/{member}"), json!({"grants": grants})).await,
            5 => {
                let disabled = self.pick(2) == 0 && member != self.ids[1];
                me.patch(&format!("/v1/members/{member}"), json!({"disabled": disabled})).await
            }
            6 => {
                let role = self.one(&["reader", "editor", "mine"]);
                let path = format!("/v1/projects/registry/roles/{role}");
                me.patch(&path, json!({"permissions": [what]})).await
            }
            7 => {
                let role = json!({"name": "mine", "permissions": [what]});
                me.post(&format!("/v1/projects/{project}/roles"), role).await
            }
            8 | 9 => {
                let places = self.house.admin.get(&format!("/v1/projects/{project}/environments")).await.ok();
                let environment = places["items"][0]["slug"].as_str().unwrap_or(environment).to_owned();
                let mut body = json!({"name": "x", "environment": environment, "permissions": [what]});
                if self.pick(3) == 0 {
                    body["team"] = json!(team);
                }
                if self.pick(4) == 0 {
                    body["owner"] = json!(self.one(&["worker", "me"]));
                }
                me.post(&format!("/v1/projects/{project}/keys"), body).await
            }
            10 => me.patch(&format!("/v1/keys/{known}"), json!({"permissions": [what]})).await,
            11 => {
                let owner = self.one(&["worker", "me"]);
                let owner = if self.pick(2) == 0 { member } else { owner.to_owned() };
                me.patch(&format!("/v1/keys/{known}"), json!({"owner": owner})).await
            }
            12 => me.post(&format!("/v1/keys/{known}/rotate"), json!({})).await,
            _ => {
                let account = json!({"name": format!("a{number}"), "ceiling": [what]});
                me.post(&format!("/v1/projects/{project}/service-accounts"), account).await
            }
        };
        assert!(answer.status.as_u16() < 500, "{}", answer.text);
        if answer.status.is_success() {
            self.learn(&answer.body).await;
        }
    }

    /// What an answer tells it, and that a new key reaches no further.
    async fn learn(&mut self, body: &Value) {
        self.passed += 1;
        let own = format!("/v1/members/{}", self.ids[1]);
        self.house.admin.patch(&own, self.given.clone()).await.ok();
        if let Some(id) = body["id"].as_str() {
            self.ids.push(id.to_owned());
        }
        if let Some(key) = body["key"].as_str() {
            let known = if key.starts_with("keystead_") { &mut self.as_whom } else { &mut self.keys };
            known.push(key.to_owned());
            self.check().await;
        }
    }

    /// Every key that it knows does at most what was given.
    async fn check(&self) {
        for key in &self.keys {
            for permission in ["routes.read", "routes.write", "zones.read", "networks.read"] {
                let verdict = self.house.asker.ask(key, json!({"permissions": permission})).await;
                assert!(!verdict["valid"].as_bool().unwrap() || API.contains(&permission), "{verdict}");
            }
        }
        let given: BTreeSet<&str> = MANAGEMENT.into_iter().collect();
        for key in &self.as_whom {
            let answer = self.house.admin.with_key(key).post("/v1/whoami", json!({})).await;
            let Some(permissions) = answer.body["effective_permissions"].as_array() else { continue };
            for one in permissions.iter().filter(|one| one["lost"].is_null()) {
                let name = one["permission"].as_str().unwrap();
                assert!(given.contains(name), "{name} through {}", answer.text);
            }
        }
    }
}
