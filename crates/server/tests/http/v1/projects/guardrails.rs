//! `/v1/projects/{project}/guardrails`: what they refuse, by name, and the report

use crate::house::{House, Issued, merged, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    each_guardrail_refuses_a_new_key_by_its_name,
    every_guardrail_that_is_violated_is_named_at_once,
    an_update_is_judged_by_what_it_makes_of_the_key,
    a_key_that_violates_may_still_be_narrowed_and_stopped,
    default_limits_are_given_to_a_key_without_any,
    what_a_role_gives_is_given,
    a_role_does_not_become_a_way_around,
    an_owner_has_so_many_keys_and_no_more,
    many_at_once_do_not_pass_the_owners_maximum,
    a_batch_is_refused_with_all_that_its_items_violate,
    a_bulk_update_leaves_out_what_it_would_make_violate,
    a_temporary_key_may_live_as_long_as_the_organization_says,
    a_minted_key_is_judged_with_what_it_has_of_its_parent,
    the_report_names_keys_that_violate_now_and_why,
    the_report_is_paged,
}

const OWN: &str = "/v1/projects/registry/guardrails";
const KEYS: &str = "/v1/projects/registry/keys";

fn a_key(more: Value) -> Value {
    merged(json!({"name": "A key", "environment": "production"}), more)
}

async fn set(house: &House, rules: Value) {
    house.admin.put(OWN, rules).await.ok();
}

async fn each_guardrail_refuses_a_new_key_by_its_name(house: House) {
    let every = |rule: Value| json!({ "every_kind": rule });
    let private = |rule: Value| json!({"by_kind": {"private": rule}});
    let soon = "2026-01-31T00:00:00Z";
    let allow = |networks: &[&str]| json!({"restrictions": {"networks": {"allow": networks}}});
    let limits = json!({"limits": [{"name": "a", "limit": 1, "window": "1m"}]});
    for (rules, bad, good, name, field) in [
        (json!({"kinds_allowed": []}), json!({}), None, "kinds_allowed", "/kind"),
        (json!({"prefixes_allowed": ["acme"]}), json!({}), None, "prefixes_allowed", ""),
        (
            every(json!({"lifetime_max": "30d"})),
            json!({"expires_at": "2026-01-31T00:00:00.000001Z"}),
            Some(json!({"expires_at": soon})),
            "lifetime_max",
            "/expires_at",
        ),
        (
            private(json!({"expiry_required": true})),
            json!({}),
            Some(json!({"expires_at": "2036-01-01T00:00:00Z"})),
            "expiry_required",
            "/expires_at",
        ),
        (
            every(json!({"networks_required": true})),
            allow(&["192.0.2.0/24", "::/0"]),
            Some(allow(&["192.0.2.0/24"])),
            "networks_required",
            "/restrictions/networks/allow",
        ),
        (private(json!({"limits_required": true})), json!({}), Some(limits), "limits_required", "/limits"),
        (
            private(json!({"permissions_forbidden": ["*.write"]})),
            json!({"permissions": ["zones.read", "routes.*"]}),
            Some(json!({"permissions": ["zones.read", "routes.read"]})),
            "permissions_forbidden",
            "/permissions/1",
        ),
    ] {
        set(&house, rules).await;
        let problem = house.admin.post(KEYS, a_key(bad)).await.guarded(&[(name, "project", field)]);
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
        if let Some(good) = good {
            house.admin.issue(good).await;
        }
    }
    // What was refused left neither a key nor a record.
    let keys = house.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len();
    let recorded = house.admin.audit("action=key.create").await;
    let of_project = recorded.iter().filter(|act| act["project"] == house.acme.project.as_str()).count();
    assert_eq!((keys, of_project), (5, 5));
}

async fn every_guardrail_that_is_violated_is_named_at_once(house: House) {
    let rules = json!({"networks_required": true, "limits_required": true, "lifetime_max": "1d",
        "permissions_forbidden": ["routes.**"]});
    set(&house, json!({ "every_kind": rules })).await;
    let permissions = json!(["zones.read", "routes.read", "routes.write"]);
    house.admin.post(KEYS, a_key(json!({ "permissions": permissions }))).await.guarded(&[
        ("lifetime_max", "project", "/expires_at"),
        ("networks_required", "project", "/restrictions/networks/allow"),
        ("limits_required", "project", "/limits"),
        ("permissions_forbidden", "project", "/permissions/1"),
        ("permissions_forbidden", "project", "/permissions/2"),
    ]);
}

async fn an_update_is_judged_by_what_it_makes_of_the_key(house: House) {
    let rules = json!({"networks_required": true, "lifetime_max": "30d", "limits_required": true,
        "permissions_forbidden": ["*.write"]});
    set(&house, json!({ "every_kind": rules })).await;
    let key = house
        .admin
        .issue(json!({
            "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}},
            "limits": [{"name": "a", "limit": 1, "window": "1m"}],
            "expires_at": "2026-01-31T00:00:00Z",
            "permissions": ["zones.read"],
        }))
        .await;
    let change = async |body: Value| house.admin.patch(&key.path(), body).await;
    for (body, name, field) in [
        (json!({"restrictions": {}}), "networks_required", "/restrictions/networks/allow"),
        (json!({"limits": []}), "limits_required", "/limits"),
        (json!({"expires_at": null}), "lifetime_max", "/expires_at"),
        (json!({"expires_at": "2026-02-01T00:00:00Z"}), "lifetime_max", "/expires_at"),
        (json!({"permissions": ["routes.write"]}), "permissions_forbidden", "/permissions/0"),
        (json!({"roles": ["editor"]}), "permissions_forbidden", "/roles/0"),
    ] {
        change(body).await.guarded(&[(name, "project", field)]);
    }
    // The lifetime is counted from the creation: waiting gains nothing.
    house.wait(20 * 86_400);
    change(json!({"expires_at": "2026-02-10T00:00:00Z"})).await.guarded(&[(
        "lifetime_max",
        "project",
        "/expires_at",
    )]);
    assert_eq!(house.admin.show(&key).await["version"], 1);
    change(json!({"expires_at": "2026-01-25T00:00:00Z", "permissions": ["routes.read"]})).await.ok();
}

async fn a_key_that_violates_may_still_be_narrowed_and_stopped(house: House) {
    let permissions = json!(["routes.*", "zones.read"]);
    let key =
        house.admin.issue(json!({"permissions": permissions, "expires_at": "2027-01-01T00:00:00Z"})).await;
    let rules = json!({"lifetime_max": "30d", "networks_required": true,
        "permissions_forbidden": ["*.write"]});
    set(&house, json!({"kinds_allowed": [], "every_kind": rules})).await;
    let change = async |body: Value| house.admin.patch(&key.path(), body).await;
    change(json!({"name": "Renamed", "expires_at": "2026-06-01T00:00:00Z"})).await.ok();
    change(json!({"expires_at": "2026-06-02T00:00:00Z"})).await.guarded(&[(
        "lifetime_max",
        "project",
        "/expires_at",
    )]);
    change(json!({"permissions": ["routes.*", "networks.write"]})).await.guarded(&[(
        "permissions_forbidden",
        "project",
        "/permissions/1",
    )]);
    let narrowed = json!([{"permission": "routes.write", "resources": ["routes/1", "routes/2"]}]);
    change(json!({ "permissions": narrowed })).await.ok();
    change(json!({"permissions": ["routes.write"]})).await.guarded(&[(
        "permissions_forbidden",
        "project",
        "/permissions/0",
    )]);
    change(json!({"restrictions": {"networks": {"allow": ["192.0.2.1"]}}})).await.ok();
    change(json!({"restrictions": {}})).await.guarded(&[(
        "networks_required",
        "project",
        "/restrictions/networks/allow",
    )]);
    house.admin.turn(&key, "disable", None).await;
    house.admin.turn(&key, "enable", None).await;
    house.admin.revoke(&key).await;
}

async fn default_limits_are_given_to_a_key_without_any(house: House) {
    let limit = |name: &str, limit: u32| json!([{"name": name, "limit": limit, "window": "1m"}]);
    house.admin.put("/v1/guardrails", json!({"limits_default": limit("all", 5)})).await.ok();
    let key = house.admin.issue(json!({})).await;
    assert_eq!(key.shown["limits"], limit("all", 5));
    set(&house, json!({"limits_default": limit("own", 2), "every_kind": {"limits_required": true}})).await;
    let key = house.admin.issue(json!({"limits": []})).await;
    assert_eq!(key.shown["limits"], limit("own", 2));
    assert_eq!(house.admin.show(&key).await["limits"], limit("own", 2));
    for code in ["valid", "valid", "rate_limited"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    let own = house.admin.issue(json!({"limits": limit("mine", 9)})).await;
    assert_eq!(own.shown["limits"], limit("mine", 9));
}

async fn what_a_role_gives_is_given(house: House) {
    set(&house, json!({"every_kind": {"permissions_forbidden": ["routes.write"]}})).await;
    house.admin.post(KEYS, a_key(json!({"roles": ["editor"]}))).await.guarded(&[(
        "permissions_forbidden",
        "project",
        "/roles/0",
    )]);
    let roles = "/v1/projects/registry/roles";
    house.admin.patch(&format!("{roles}/editor"), json!({"permissions": ["routes.read"]})).await.ok();
    house.admin.issue(json!({"roles": ["editor"]})).await;
}

async fn a_role_does_not_become_a_way_around(house: House) {
    let role = "/v1/projects/registry/roles/editor";
    let change =
        async |permissions: Value| house.admin.patch(role, json!({ "permissions": permissions })).await;
    change(json!(["routes.read"])).await.ok();
    set(&house, json!({"every_kind": {"permissions_forbidden": ["*.write"]}})).await;
    // No key has it: nothing is given to any.
    change(json!(["routes.read", "zones.*"])).await.ok();
    change(json!(["routes.read"])).await.ok();
    let key = house.admin.issue(json!({"roles": ["editor"]})).await;
    change(json!(["routes.read", "routes.write"])).await.guarded(&[(
        "permissions_forbidden",
        "project",
        "/permissions/1",
    )]);
    assert_eq!(house.admin.get(role).await.ok()["permissions"], json!(["routes.read"]));
    change(json!(["routes.read", "zones.read"])).await.ok();
    house.admin.revoke(&key).await;
    change(json!(["routes.write"])).await.ok();
}

async fn an_owner_has_so_many_keys_and_no_more(house: House) {
    set(&house, json!({"keys_per_owner_max": 2})).await;
    let admin = &house.admin;
    let workers = |more: Value| merged(json!({"owner": "worker"}), more);
    let first = admin.issue(workers(json!({}))).await;
    let second = admin.issue(workers(json!({"expires_at": "2026-01-02T00:00:00Z"}))).await;
    let full = &[("keys_per_owner_max", "project", "/owner")];
    let more = async || admin.post(KEYS, a_key(workers(json!({})))).await;
    more().await.guarded(full);
    // Neither another owner's nor a key given to this one is a way around.
    let customers = admin.issue(json!({"owner": house.acme.consumer})).await;
    admin.patch(&customers.path(), json!({"owner": "worker"})).await.guarded(full);
    admin.patch(&first.path(), json!({"name": "Still mine"})).await.ok();
    admin.turn(&first, "disable", None).await;
    more().await.guarded(full);
    // An expired one makes room, and does not come back while that is taken.
    house.at("2026-01-02T00:00:00Z");
    admin.issue(workers(json!({}))).await;
    admin.patch(&second.path(), json!({"expires_at": "2027-01-01T00:00:00Z"})).await.guarded(full);
    admin.revoke(&first).await;
    admin.patch(&second.path(), json!({"expires_at": "2027-01-01T00:00:00Z"})).await.ok();
    // In another project it has keys of its own.
    let other = json!({"name": "Mail", "slug": "mail"});
    admin.post("/v1/projects", other).await.created();
}

async fn many_at_once_do_not_pass_the_owners_maximum(house: House) {
    set(&house, json!({"keys_per_owner_max": 3})).await;
    for owner in ["worker", house.acme.consumer.as_str()] {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let (admin, body) = (house.admin.clone(), a_key(json!({ "owner": owner })));
            asking.spawn(async move { admin.post(KEYS, body).await });
        }
        let answers = asking.join_all().await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|one| one.status == 201);
        assert_eq!((made.len(), refused.len()), (3, 9), "{owner}");
        for answer in refused {
            answer.guarded(&[("keys_per_owner_max", "project", "/owner")]);
        }
    }
    assert_eq!(house.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len(), 6);
}

async fn a_batch_is_refused_with_all_that_its_items_violate(house: House) {
    set(&house, json!({"keys_per_owner_max": 2, "every_kind": {"expiry_required": true}})).await;
    let expires = json!({"expires_at": "2027-01-01T00:00:00Z"});
    let batch = async |items: &[&Value]| {
        let whole = |item: &&Value| a_key(merged(json!({"owner": "worker"}), (*item).clone()));
        let items: Vec<_> = items.iter().map(whole).collect();
        house.admin.post(&format!("{KEYS}/batch"), json!({ "items": items })).await
    };
    let never = json!({});
    batch(&[&expires, &never, &expires, &expires]).await.guarded(&[
        ("expiry_required", "project", "/items/1/expires_at"),
        ("keys_per_owner_max", "project", "/items/3/owner"),
    ]);
    assert_eq!(house.admin.get(KEYS).await.ok()["items"], json!([]));
    let other = json!({"owner": house.acme.consumer, "expires_at": "2027-01-01T00:00:00Z"});
    batch(&[&expires, &other, &expires]).await.ok();
}

async fn a_bulk_update_leaves_out_what_it_would_make_violate(house: House) {
    let limit = json!([{"name": "a", "limit": 1, "window": "1m"}]);
    let limited = house.admin.issue(json!({ "limits": limit })).await;
    house.admin.issue(json!({"name": "Without"})).await;
    set(&house, json!({"every_kind": {"limits_required": true}})).await;
    let body = json!({"action": "update", "changes": {"limits": [], "name": "Same"}, "filter": {},
        "expected_count": 2});
    let outcome = house.admin.post(&format!("{KEYS}/bulk"), body).await.ok();
    let refused = outcome["refused"].as_array().unwrap();
    assert_eq!((refused.len(), refused[0]["id"].as_str()), (1, Some(limited.id.as_str())), "{outcome}");
    assert!(refused[0]["detail"].as_str().unwrap().contains("rate limit"), "{outcome}");
    assert_eq!(house.admin.show(&limited).await["limits"], limit);
}

async fn a_temporary_key_may_live_as_long_as_the_organization_says(house: House) {
    let until = |day: &str| json!({"kind": "temporary", "expires_at": format!("2026-01-{day}T00:00:00Z")});
    let ask = async |day: &str| house.admin.post(KEYS, a_key(until(day))).await;
    let longer = json!({"by_kind": {"temporary": {"lifetime_max": "7d"}}});
    // A project lifts nothing.
    set(&house, longer.clone()).await;
    ask("03").await.guarded(&[("lifetime_max", "built_in", "/expires_at")]);
    house.admin.put("/v1/guardrails", longer).await.ok();
    house.admin.issue(until("08")).await;
    set(&house, json!({"by_kind": {"temporary": {"lifetime_max": "2d"}}})).await;
    ask("04").await.guarded(&[("lifetime_max", "project", "/expires_at")]);
}

async fn a_minted_key_is_judged_with_what_it_has_of_its_parent(house: House) {
    let rules = json!({"networks_required": true, "limits_required": true});
    let body = json!({"keys_per_owner_max": 1, "every_kind": rules,
        "by_kind": {"temporary": {"lifetime_max": "1h", "permissions_forbidden": ["*.write"]}}});
    set(&house, body.clone()).await;
    let parent = house
        .admin
        .issue(json!({
            "owner": "worker", "permissions": ["zones.read", "routes.write"],
            "restrictions": {"networks": {"allow": ["127.0.0.0/8"]}},
            "limits": [{"name": "a", "limit": 9, "window": "1m"}],
        }))
        .await;
    let holder = house.admin.with_key(&parent.key);
    let mint = async |body: Value| holder.post("/v1/keys/mint", body).await;
    let minted = mint(json!({"permissions": ["zones.read"]})).await;
    assert_eq!(minted.status, 201, "{}", minted.text);
    mint(json!({"permissions": ["zones.read", "routes.write"], "expires_in_seconds": 3_601})).await.guarded(
        &[("lifetime_max", "project", "/expires_at"), ("permissions_forbidden", "project", "/permissions/1")],
    );
    assert_eq!(report(&house, "").await["items"], json!([]));
    let mut without = body;
    without["kinds_allowed"] = json!(["private"]);
    set(&house, without).await;
    mint(json!({"permissions": ["zones.read"]})).await.guarded(&[("kinds_allowed", "project", "/kind")]);
}

async fn report(house: &House, query: &str) -> Value {
    house.admin.get(&format!("{OWN}/report{query}")).await.ok()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

async fn the_report_names_keys_that_violate_now_and_why(house: House) {
    let admin = &house.admin;
    let at = async |day: &str, body: Value| {
        house.at(&format!("2026-01-{day}T00:00:00Z"));
        admin.issue(body).await
    };
    let old = at("01", json!({"name": "Old", "consumer": "customer-1"})).await;
    let two = at("02", json!({"owner": "worker", "roles": ["editor"]})).await;
    let three = at("03", json!({"owner": "worker", "expires_at": "2026-12-01T00:00:00Z"})).await;
    let revoked = at("04", json!({})).await;
    admin.revoke(&revoked).await;
    at("05", json!({"expires_at": "2026-01-06T00:00:00Z"})).await;
    house.at("2026-01-31T12:00:00Z");
    assert_eq!(report(&house, "").await, json!({"items": [], "next_cursor": null}));
    house.admin.put("/v1/guardrails", json!({"every_kind": {"expiry_required": true}})).await.ok();
    let rules = json!({"keys_per_owner_max": 1, "every_kind": {"rotation_age_max": "30d",
        "permissions_forbidden": ["routes.write"]}});
    set(&house, rules).await;
    let page = report(&house, "").await;
    assert_eq!(ids(&page), [&three.id, &two.id, &old.id]);
    let why = |index: usize| -> Vec<(String, String)> {
        let violations = page["items"][index]["violations"].as_array().unwrap();
        let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
        violations.iter().map(|one| (text(one, "guardrail"), text(one, "where"))).collect()
    };
    let expected = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, from)| ((*name).to_owned(), (*from).to_owned())).collect()
    };
    assert_eq!(why(0), expected(&[("keys_per_owner_max", "project")]));
    assert_eq!(
        why(1),
        expected(&[
            ("expiry_required", "organization"),
            ("keys_per_owner_max", "project"),
            ("permissions_forbidden", "project"),
        ])
    );
    assert_eq!(why(2), expected(&[("expiry_required", "organization"), ("rotation_age_max", "project")]));
    let last = &page["items"][2];
    assert_eq!((&last["name"], &last["environment"]), (&json!("Old"), &json!("production")));
    assert_eq!(last["consumer"]["external_id"], "customer-1");
    assert_eq!(last["start"], old.shown["start"]);
}

async fn the_report_is_paged(house: House) {
    let mut keys: Vec<Issued> = Vec::new();
    for number in 0..7 {
        house.wait(1);
        let body = if number % 3 == 2 { json!({"expires_at": "2027-01-01T00:00:00Z"}) } else { json!({}) };
        keys.push(house.admin.issue(body).await);
    }
    set(&house, json!({"every_kind": {"expiry_required": true}})).await;
    let expected: Vec<&str> = [6, 4, 3, 1, 0].iter().map(|index| keys[*index].id.as_str()).collect();
    for limit in [1, 2, 3, 5, 100] {
        let (mut found, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = report(&house, &query).await;
            let listed = ids(&page);
            assert!((1..=limit).contains(&listed.len()), "{limit}");
            found.extend(listed.into_iter().map(str::to_owned));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit={limit}&cursor={cursor}");
        }
        assert_eq!(found, expected, "{limit}");
    }
    house.admin.get(&format!("{OWN}/report?limit=0")).await.wrong_field("invalid_field", "/limit");
    house.admin.get(&format!("{OWN}/report?cursor=x")).await.wrong_field("invalid_field", "/cursor");
    assert_eq!(house.other.get(&format!("{OWN}/report")).await.ok()["items"], json!([]));
}
