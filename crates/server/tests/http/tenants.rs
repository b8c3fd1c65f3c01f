//! LESSONS 6 and 25: what another tenant has and what does not exist look the same, on every route.

use crate::house::{Answer, House, World, on_both_engines};
use crate::openapi::operations;
use crate::v1::approvals::ready_for;
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    anothers_id_looks_like_none_on_every_route_lessons_6,
    anothers_id_in_a_body_looks_like_none_lessons_6,
    anothers_key_looks_like_none_lessons_6,
    anothers_id_in_a_query_looks_like_none_lessons_6,
    slugs_and_names_lead_to_ones_own_things_only,
}

/// Ids that something may be named by in a path.
struct Ids {
    world: World,
    organization: String,
    key: String,
    notice: String,
    member: String,
    team: String,
    approval: String,
    provider: String,
    policy: String,
}

impl Ids {
    fn of(&self, parameter: &str) -> &str {
        match parameter {
            "project" => &self.world.project,
            "environment" => &self.world.environment,
            "permission" => &self.world.permission,
            "role" => &self.world.role,
            "account" => &self.world.account,
            "consumer" => &self.world.consumer,
            "organization" => &self.organization,
            "id" => &self.key,
            "notice" => &self.notice,
            "member" => &self.member,
            "team" => &self.team,
            "approval" => &self.approval,
            "provider" => &self.provider,
            "policy" => &self.policy,
            other => panic!("{{{other}}} is new in a path: say here whose it is"),
        }
    }

    /// The same ids, each with another last digit: they are nobody's.
    fn nobodys(&self) -> Self {
        let other = |id: &str| {
            let (rest, last) = id.split_at(id.len() - 1);
            format!("{rest}{}", if last == "7" { "8" } else { "7" })
        };
        let world = &self.world;
        Self {
            world: World {
                project: other(&world.project),
                environment: other(&world.environment),
                development: other(&world.development),
                permission: other(&world.permission),
                role: other(&world.role),
                account: other(&world.account),
                consumer: other(&world.consumer),
            },
            organization: other(&self.organization),
            key: other(&self.key),
            notice: other(&self.notice),
            member: other(&self.member),
            team: other(&self.team),
            approval: other(&self.approval),
            provider: other(&self.provider),
            policy: other(&self.policy),
        }
    }

    /// A path of the description, with these ids; the project's may be another.
    fn fill(&self, path: &str, project: Option<&str>) -> String {
        let fill = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some("project") => project.unwrap_or(&self.world.project).to_owned(),
            Some(parameter) => self.of(parameter).to_owned(),
            None => part.to_owned(),
        };
        path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }
}

/// A body that the operation would take.
fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "create_key" => json!({"name": "Mine", "environment": "production"}),
        "batch_create_keys" => json!({"items": [{"name": "Mine", "environment": "production"}]}),
        "bulk_keys" => json!({"action": "disable", "filter": {}, "expected_count": 9}),
        "import_keys" => {
            let key = json!({"name": "Mine", "environment": "production"});
            json!({"items": [{"key": key, "plain": "a-token-0123456789-abc"}]})
        }
        "hand_over_keys" => json!({"to": "nobody@example.net", "expected_count": 9}),
        "create_environment" => json!({"name": "Mine", "slug": "mine"}),
        "create_permission" => json!({"name": "mine.read"}),
        "create_role" => json!({"name": "mine", "permissions": ["zones.read"]}),
        "create_service_account" => json!({"name": "mine"}),
        "create_consumer" => json!({"name": "Mine"}),
        "set_project_guardrails" | "preview_project_guardrails" => json!({"kinds_allowed": []}),
        "set_guard" | "set_guard_mode" => json!({"mode": "observe"}),
        "import_guard" => json!({"document": {"openapi": "3.1.0", "paths": {}}, "mode": "observe"}),
        "rotate_key" | "set_rotation_plan" => json!({}),
        "suspend_key" => json!({"until": "2027-01-01T00:00:00Z"}),
        "revoke_key" => json!({"reason": "Mine now"}),
        "update_permission" | "update_role" | "update_service_account" => json!({"description": "Mine"}),
        "approve_approval" | "deny_approval" => json!({"comment": "Mine"}),
        "update_team" => json!({"purpose": "Mine"}),
        "update_identity_provider" => json!({"client_id": "mine"}),
        "update_policy" => json!({"description": "Mine"}),
        update if update.starts_with("update_") => json!({"name": "Mine"}),
        _ => return None,
    })
}

/// All that a caller could tell two answers apart by.
fn told(mut answer: Answer) -> (u16, Vec<(String, String)>, Value) {
    answer.body.as_object_mut().unwrap().remove("request_id");
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, answer.body)
}

async fn ids(house: &House) -> Ids {
    let organization =
        house.admin.get("/v1/organizations/acme").await.ok()["id"].as_str().unwrap().to_owned();
    let rotated = house.admin.issue(json!({})).await;
    house.admin.rotate(&rotated, json!({})).await;
    let notices = house.admin.get("/v1/projects/registry/notices").await.ok();
    let notice = notices["items"][0]["id"].as_str().unwrap().to_owned();
    let team = house.admin.team("routing", json!([])).await;
    let member = house.admin.person("Ann", json!([]), json!(["routing"])).await.id;
    let key = house.admin.issue(json!({})).await.id;
    let (_, at, _) = ready_for(house, "redeem").await;
    let approval = at.split('/').nth(3).unwrap().to_owned();
    let provider = json!({"name": "corp", "issuer": "https://id.example.com", "client_id": "keystead",
        "email_domains": ["example.com"]});
    let provider = house.admin.post("/v1/identity-providers", provider).await.created();
    let provider = provider["id"].as_str().unwrap().to_owned();
    let policy =
        json!({"name": "ci", "text": "forbid (principal is Key, action == Action::\"mint\", resource);"});
    let policy = house.admin.post("/v1/policies", policy).await.created();
    let policy = policy["id"].as_str().unwrap().to_owned();
    Ids { world: house.acme.clone(), organization, key, notice, member, team, approval, provider, policy }
}

/// LESSONS 6: a permission error told an outsider that a foreign key exists.
async fn anothers_id_looks_like_none_on_every_route_lessons_6(house: House) {
    let acmes = ids(&house).await;
    let nobodys = acmes.nobodys();
    let before = (house.admin.audit("").await, house.other.get("/v1/audit").await.ok());
    let mut asked = 0;
    for (method, path, operation) in
        operations(&serde_json::to_value(keystead_server::routes::document()).unwrap())
    {
        // Sessions and accounts are for who signed in, whatever their ids: v1/sessions/life.rs and
        // v1/account/passkeys.rs try them. Lessons are nobody's, contacts are everybody's.
        let elsewhere = ["/v1/sessions/", "/v1/account/", "/v1/lessons/", "/v1/contacts/"];
        if !path.contains('{') || elsewhere.iter().any(|own| path.starts_with(own)) {
            continue;
        }
        let operation = operation["operationId"].as_str().unwrap();
        let (method, body) = (method.parse::<Method>().unwrap(), body(operation));
        // Another's thing in another's project, and another's thing in one's own project.
        let own = house.others.project.as_str();
        let projects = if path.matches('{').count() > 1 { vec![None, Some(own)] } else { vec![None] };
        for project in projects {
            let ask = async |ids: &Ids| {
                house.other.call(method.clone(), &ids.fill(&path, project), body.clone(), &[]).await
            };
            let (another, nobody) = (ask(&acmes).await, ask(&nobodys).await);
            assert_eq!(another.status, 404, "{method} {path}: {}", another.text);
            assert_eq!(another.text.len(), nobody.text.len());
            assert_eq!(told(another), told(nobody), "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
    assert_eq!((house.admin.audit("").await, house.other.get("/v1/audit").await.ok()), before);
}

async fn anothers_id_in_a_body_looks_like_none_lessons_6(house: House) {
    let acmes = ids(&house).await;
    let nobodys = acmes.nobodys();
    let own = json!({"name": "Own", "environment": "production"});
    let own = house.other.post("/v1/projects/registry/keys", own).await.created();
    let own = format!("/v1/keys/{}", own["id"].as_str().unwrap());
    let (a, n) = (&acmes.world, &nobodys.world);
    for (field, another, nobody) in [
        ("environment", json!(a.environment), json!(n.environment)),
        ("owner", json!(a.account), json!(n.account)),
        ("owner", json!(a.consumer), json!(n.consumer)),
        ("consumer", json!(a.consumer), json!(n.consumer)),
        ("roles", json!([a.role]), json!([n.role])),
        ("owner", json!(acmes.member), json!(nobodys.member)),
    ] {
        let issue = async |value: &Value| {
            let mut body = json!({"name": "Mine", "environment": "production"});
            body[field] = value.clone();
            told(house.other.post("/v1/projects/registry/keys", body).await)
        };
        let (first, second) = (issue(&another).await, issue(&nobody).await);
        assert_eq!((first.0, &first), (422, &second), "{field}");
        let change = async |value: &Value| told(house.other.patch(&own, json!({field: value})).await);
        let (first, second) = (change(&another).await, change(&nobody).await);
        assert_eq!((first.0, &first), (422, &second), "{field}");
    }
    for (teams, grants) in [
        ([json!([acmes.team]), json!([nobodys.team])], [json!([]), json!([])]),
        (
            [json!([]), json!([])],
            [
                json!([{"role": a.role, "project": "registry"}]),
                json!([{"role": n.role, "project": "registry"}]),
            ],
        ),
        (
            [json!([]), json!([])],
            [
                json!([{"permission": "**", "project": a.project}]),
                json!([{"permission": "**", "project": n.project}]),
            ],
        ),
    ] {
        let add = async |index: usize| {
            let body = json!({"email": "m@example.net", "name": "M", "teams": teams[index], "grants": grants[index]});
            told(house.other.post("/v1/members", body).await)
        };
        let (first, second) = (add(0).await, add(1).await);
        assert_eq!((first.0, &first), (422, &second));
    }
    let narrowed = async |project: &str| {
        let given = json!({"permission": "keys.read", "resources": [format!("projects/{project}")]});
        let body = json!({"name": "Mine", "environment": "production", "permissions": [given]});
        told(house.other.post("/v1/projects/keystead/keys", body).await)
    };
    let (first, second) = (narrowed(&a.project).await, narrowed(&n.project).await);
    assert_eq!((first.0, &first), (422, &second));
}

async fn anothers_key_looks_like_none_lessons_6(house: House) {
    let acmes = ids(&house).await;
    let nobodys = acmes.nobodys();
    let (a, n) = (&acmes.world, &nobodys.world);
    let (raw, unknown) = (house.admin.issue(json!({})).await.key, house.unknown_key());
    let find = async |key: &str| told(house.other.post("/v1/whoami", json!({"key": key})).await);
    assert_eq!(find(&raw).await, find(&unknown).await);
    let verify = async |project: &str, environment: &str, key: &str| {
        let body = json!({"key": key, "project": project, "environment": environment});
        told(house.other.post("/v1/verify", body).await)
    };
    let mine = verify("registry", "production", &raw).await;
    assert_eq!(mine.2["code"], "not_found");
    assert_eq!(mine, verify("registry", "production", &unknown).await);
    let theirs = verify(&a.project, &a.environment, &raw).await;
    assert_eq!((theirs.0, &theirs), (422, &verify(&n.project, &n.environment, &raw).await));
    let mixed = verify("registry", &a.environment, &raw).await;
    assert_eq!((mixed.0, &mixed), (422, &verify("registry", &n.environment, &raw).await));
}

async fn anothers_id_in_a_query_looks_like_none_lessons_6(house: House) {
    let acmes = ids(&house).await;
    let nobodys = acmes.nobodys();
    let (a, n) = (&acmes.world, &nobodys.world);
    for (path, another, nobody) in [
        ("projects/registry/keys?owner=", &a.account, &n.account),
        ("projects/registry/keys?consumer=", &a.consumer, &n.consumer),
        ("projects/registry/keys?environment=", &a.environment, &n.environment),
        ("projects/registry/keys/counts?owner=", &a.account, &n.account),
        ("projects/registry/keys?text=", &acmes.key, &nobodys.key),
        ("audit?project=", &a.project, &n.project),
        ("hygiene?project=", &a.project, &n.project),
        ("hygiene?project=registry&environment=", &a.environment, &n.environment),
        ("audit?actor=", &acmes.key, &nobodys.key),
        ("audit?target=", &a.role, &n.role),
        ("audit?actor=", &acmes.member, &nobodys.member),
        ("audit?actor=", &acmes.team, &nobodys.team),
        ("projects/registry/keys?owner=", &acmes.member, &nobodys.member),
    ] {
        let ask = async |id: &str| told(house.other.get(&format!("/v1/{path}{id}")).await);
        assert_eq!(ask(another).await, ask(nobody).await, "{path}");
    }
}

async fn slugs_and_names_lead_to_ones_own_things_only(house: House) {
    for (path, acmes, others) in [
        ("", &house.acme.project, &house.others.project),
        ("/environments/production", &house.acme.environment, &house.others.environment),
        ("/permissions/networks.read", &house.acme.permission, &house.others.permission),
        ("/roles/editor", &house.acme.role, &house.others.role),
        ("/service-accounts/worker", &house.acme.account, &house.others.account),
        ("/consumers/customer-1", &house.acme.consumer, &house.others.consumer),
    ] {
        let path = format!("/v1/projects/registry{path}");
        assert_eq!(house.admin.get(&path).await.ok()["id"], acmes.as_str());
        assert_eq!(house.other.get(&path).await.ok()["id"], others.as_str());
    }
    let key = house.admin.issue(json!({})).await;
    assert_eq!(house.other.get("/v1/projects/registry/keys").await.ok()["items"], json!([]));
    house.other.get(&key.path()).await.refused(404, "not_found");
}
