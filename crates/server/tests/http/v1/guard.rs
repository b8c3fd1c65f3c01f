//! `/v1/projects/{project}/guard`, and the doors at `/v1/guard/…`.

mod limits;

use crate::house::{Answer, Client, House, on_both_engines};
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    a_guard_is_set_and_changed_on_record,
    what_is_no_guard_is_refused_and_its_field_named,
    a_permission_that_a_route_needs_is_not_deleted,
    one_that_is_deleted_meanwhile_is_not_needed_by_a_route,
    a_document_is_imported_again_and_again,
    only_who_may_sees_and_sets_guards,
    a_door_opens_for_a_key_of_one_environment_only,
    each_door_reads_its_own_headers_lesson_15,
    observing_keeps_what_enforcing_would_refuse,
}

const PATH: &str = "/v1/projects/registry/guard";

fn guard(mode: &str) -> Value {
    json!({"mode": mode, "routes": [
        {"methods": ["GET"], "path": "/zones/*", "permissions": "zones.read"},
        {"path": "/open/**", "public": true},
    ]})
}

/// Asks at HAProxy's door, whose headers name the proxy and the request.
async fn ask(proxy: &Client, method: &str, uri: &str, key: Option<&str>) -> Answer {
    let own = [
        ("x-keystead-guard", proxy.key()),
        ("x-original-method", method),
        ("x-original-uri", uri),
        ("x-original-client", "203.0.113.7"),
    ];
    let headers: Vec<(&str, &str)> = own.into_iter().chain(key.map(|key| ("x-api-key", key))).collect();
    let client = Client::without_key(proxy.shared());
    client.call(Method::GET, "/v1/guard/haproxy", None, &headers).await
}

/// A project that nobody has guarded is shown as what it is: nothing passes.
async fn nobody_has_guarded(house: &House) {
    let shown = house.admin.get(PATH).await.ok();
    assert_eq!((&shown["version"], shown.get("updated_at")), (&json!(0), None));
    assert_eq!((&shown["rules"]["mode"], &shown["rules"]["routes"]), (&json!("enforce"), &json!([])));
}

/// The same without a key, from an address.
async fn ask_from(proxy: &Client, client: &str, uri: &str) -> Answer {
    let own = [
        ("x-keystead-guard", proxy.key()),
        ("x-original-method", "GET"),
        ("x-original-uri", uri),
        ("x-original-client", client),
    ];
    Client::without_key(proxy.shared()).call(Method::GET, "/v1/guard/haproxy", None, &own).await
}

async fn a_guard_is_set_and_changed_on_record(house: House) {
    nobody_has_guarded(&house).await;
    house.admin.post(&format!("{PATH}/mode"), json!({"mode": "observe"})).await.refused(409, "conflict");
    let set = house.admin.put(PATH, guard("observe")).await.ok();
    assert_eq!((&set["version"], &set["rules"]["unlisted"]), (&json!(1), &json!("deny")));
    assert_eq!(house.admin.get(PATH).await.ok(), set);
    assert_eq!(house.admin.put(PATH, guard("observe")).await.ok()["version"], 1, "nothing changed");
    house.wait(1);
    let mode = json!({"mode": "enforce", "routes": ["GET /zones/*"]});
    let set = house.admin.post(&format!("{PATH}/mode"), mode).await.ok();
    assert_eq!((&set["version"], &set["rules"]["routes"][0]["mode"]), (&json!(2), &json!("enforce")));
    house.wait(1);
    let follows = json!({"routes": ["GET /zones/*"]});
    let set = house.admin.post(&format!("{PATH}/mode"), follows).await.ok();
    assert!(set["rules"]["routes"][0].get("mode").is_none());
    let nobody = json!({"mode": "enforce", "routes": ["GET /zones"]});
    house.admin.post(&format!("{PATH}/mode"), nobody).await.wrong_field("unknown_name", "/routes/0");
    house.admin.post(&format!("{PATH}/mode"), json!({})).await.wrong_field("invalid_field", "/mode");
    let records = house.admin.get("/v1/audit?action=guard.update").await.ok();
    assert_eq!(records["items"].as_array().unwrap().len(), 3);
    let changed = &records["items"][1];
    let route = |side: &str| changed[side]["route GET /zones/*"]["mode"].clone();
    assert_eq!((route("before"), route("after")), (Value::Null, json!("enforce")));
    assert!(changed["after"].get("route * /open/**").is_none(), "{changed}");
}

async fn what_is_no_guard_is_refused_and_its_field_named(house: House) {
    let wrong = async |body: Value, code: &str, field: &str| {
        house.admin.put(PATH, body).await.wrong_field(code, field);
    };
    let with = |route: Value| json!({"mode": "enforce", "routes": [route]});
    wrong(with(json!({"path": "/a/../b"})), "invalid_field", "/routes/0/path").await;
    wrong(with(json!({"path": "/a", "permissions": "no.such"})), "unknown_name", "/routes/0/permissions")
        .await;
    wrong(with(json!({"path": "/a", "public": true, "cost": 2})), "invalid_field", "/routes/0/public").await;
    wrong(json!({"mode": "perhaps"}), "invalid_field", "/mode").await;
    wrong(json!({"mode": "enforce", "credentials": ["cookie"]}), "invalid_field", "/credentials/0").await;
    let own = "/v1/projects/keystead/guard";
    house.admin.put(own, json!({"mode": "enforce"})).await.refused(409, "conflict");
    nobody_has_guarded(&house).await;
}

async fn a_permission_that_a_route_needs_is_not_deleted(house: House) {
    let catalogue = "/v1/projects/registry/permissions";
    let made = json!({"name": "exports.read", "description": "Read exports"});
    house.admin.post(catalogue, made).await.created();
    let mut rules = guard("enforce");
    rules["routes"][0]["permissions"] = json!({"any": ["zones.read", {"all": ["exports.read"]}]});
    house.admin.put(PATH, rules).await.ok();
    let exports = format!("{catalogue}/exports.read");
    let refused = house.admin.delete(&exports).await.refused(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("GET /zones/*"), "{refused}");
    house.admin.put(PATH, guard("enforce")).await.ok();
    house.admin.delete(&exports).await.gone();
}

async fn one_that_is_deleted_meanwhile_is_not_needed_by_a_route(house: House) {
    let catalogue = "/v1/projects/registry/permissions";
    let mut rules = guard("enforce");
    rules["routes"][0]["permissions"] = json!("exports.read");
    for _ in 0..8 {
        let made = json!({"name": "exports.read", "description": "Read exports"});
        house.admin.post(catalogue, made).await.created();
        let exports = format!("{catalogue}/exports.read");
        let (set, deleted) = tokio::join!(house.admin.put(PATH, rules.clone()), house.admin.delete(&exports));
        assert_eq!(
            [set.status.as_u16() == 200, deleted.status.as_u16() == 204].iter().filter(|did| **did).count(),
            1
        );
        house.admin.put(PATH, guard("enforce")).await.ok();
        let gone = house.admin.delete(&exports).await.status.as_u16();
        assert!(gone == 204 || gone == 404, "{gone}");
    }
}

async fn a_document_is_imported_again_and_again(house: House) {
    let import = format!("{PATH}/import");
    let document = json!({"openapi": "3.1.0", "paths": {
        "/zones": {"get": {"operationId": "list", "tags": ["zones"]}},
        "/pets": {"post": {"operationId": "adopt", "tags": ["pets"]}}}});
    let ask = |mode: Value, apply: bool| {
        let mut body = json!({"document": document, "apply": apply});
        if !mode.is_null() {
            body["mode"] = mode;
        }
        body
    };
    house.admin.post(&import, ask(Value::Null, true)).await.wrong_field("invalid_field", "/mode");
    let told = house.admin.post(&import, ask(json!("enforce"), false)).await.ok();
    assert_eq!((&told["applied"], &told["permissions"]), (&json!(false), &json!(["pets.write"])));
    nobody_has_guarded(&house).await;
    let done = house.admin.post(&import, ask(json!("enforce"), true)).await.ok();
    assert_eq!((&done["applied"], &done["version"]), (&json!(true), &json!(1)));
    house.admin.get("/v1/projects/registry/permissions/pets.write").await.ok();
    house.admin.post(&import, ask(json!("enforce"), true)).await.wrong_field("invalid_field", "/mode");
    let again = house.admin.post(&import, ask(Value::Null, true)).await.ok();
    assert_eq!((&again["unchanged"], &again["version"]), (&json!(2), &json!(1)));
    let records = house.admin.get("/v1/audit?action=guard.import").await.ok();
    assert_eq!(records["items"].as_array().unwrap().len(), 1);
}

async fn only_who_may_sees_and_sets_guards(house: House) {
    house.admin.put(PATH, guard("enforce")).await.ok();
    let holding = async |permissions: Value| {
        let new = json!({"name": "Somebody", "environment": "production", "permissions": permissions});
        let made = house.admin.post("/v1/projects/keystead/keys", new).await.created();
        house.admin.with_key(made["key"].as_str().unwrap())
    };
    let reader = holding(json!(["guards.read"])).await;
    reader.get(PATH).await.ok();
    reader.get(&format!("{PATH}/report")).await.ok();
    reader.put(PATH, guard("observe")).await.refused(403, "forbidden");
    reader.post(&format!("{PATH}/mode"), json!({"mode": "observe"})).await.refused(403, "forbidden");
    let writer = holding(json!(["guards.write"])).await;
    writer.put(PATH, guard("observe")).await.ok();
    // Permissions join the catalogue only by who may write it.
    let document = json!({"openapi": "3.0.0", "paths": {"/pets": {"get": {}}}});
    let import = json!({"document": document, "apply": true});
    writer.post(&format!("{PATH}/import"), import).await.refused(403, "forbidden");
    house.admin.get("/v1/projects/registry/permissions/pets.read").await.refused(404, "not_found");
}

async fn a_door_opens_for_a_key_of_one_environment_only(house: House) {
    let key = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    let closed = async |proxy: &Client| {
        let answer = ask(proxy, "GET", "/zones/a", Some(&key.key)).await;
        assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (503, Some("unavailable")));
    };
    let proxy = &house.asker;
    closed(proxy).await;
    house.admin.put(PATH, guard("enforce")).await.ok();
    let answer = ask(proxy, "GET", "/zones/a", Some(&key.key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["x-keystead-key-id"], key.id.as_str());
    assert_eq!(answer.headers["x-keystead-permissions"], "zones.read");
    assert!(answer.headers.get("x-api-key").is_none());
    // The client's own key, the administrator's (which is narrowed to nothing), and no key at all open no door.
    closed(&house.admin.with_key_unchecked(&key.key)).await;
    closed(&house.admin).await;
    closed(&house.admin.with_key_unchecked("nonsense")).await;
    // A key of another environment is nobody's here.
    let other = house.admin.issue(json!({"environment": "development", "permissions": ["zones.read"]})).await;
    let answer = ask(proxy, "GET", "/zones/a", Some(&other.key)).await;
    assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (401, Some("not_found")));
}

async fn each_door_reads_its_own_headers_lesson_15(house: House) {
    house.admin.put(PATH, guard("enforce")).await.ok();
    let proxy = &house.asker;
    let client = Client::without_key(proxy.shared());
    let forwarded =
        [("x-forwarded-method", "GET"), ("x-forwarded-uri", "/open/x"), ("x-forwarded-for", "203.0.113.7")];
    let original =
        [("x-original-method", "GET"), ("x-original-uri", "/open/x"), ("x-original-client", "203.0.113.7")];
    let proof = ("x-keystead-guard", proxy.key());
    for (door, own, others) in
        [("forwarded", forwarded, original), ("nginx", original, forwarded), ("haproxy", original, forwarded)]
    {
        let path = format!("/v1/guard/{door}");
        let with = |headers: &[(&'static str, &'static str)]| {
            headers.iter().copied().map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>()
        };
        let call = async |headers: Vec<(&'static str, String)>| {
            let mut all: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            all.push(proof);
            client.call(Method::GET, &path, None, &all).await.status.as_u16()
        };
        assert_eq!(call(with(&own)).await, 200, "{door}");
        assert_ne!(call(with(&others)).await, 200, "{door}: another's headers");
        for missing in 0..own.len() {
            let mut headers = with(&own);
            headers.remove(missing);
            headers.extend(with(&others));
            assert_ne!(call(headers).await, 200, "{door}: {} from another's", own[missing].0);
        }
    }
    let envoy = [proof, ("x-original-client", "203.0.113.7")];
    let call = async |path: &str, headers: &[(&str, &str)]| {
        client.call(Method::POST, path, None, headers).await.status.as_u16()
    };
    assert_eq!(call("/v1/guard/envoy/open/x?a=b", &envoy).await, 200);
    assert_eq!(call("/v1/guard/envoy/zones/a", &envoy).await, 403);
    assert_eq!(call("/v1/guard/envoy/open/x", &envoy[..1]).await, 503);
    assert_eq!(call("/v1/guard/envoy", &envoy).await, 403);
    let lying = [envoy[0], envoy[1], ("x-forwarded-uri", "/open/x"), ("x-original-uri", "/open/x")];
    assert_eq!(call("/v1/guard/envoy/zones/a", &lying).await, 403);
}

async fn observing_keeps_what_enforcing_would_refuse(mut house: House) {
    house.admin.put(PATH, guard("observe")).await.ok();
    let key = house.admin.issue(json!({"permissions": []})).await;
    for _ in 0..3 {
        assert_eq!(ask(&house.asker, "GET", "/zones/a?secret=s3cr3t", Some(&key.key)).await.status, 200);
    }
    let answer = ask(&house.asker, "GET", "/zones/a", Some("home-made-secret")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.headers["x-api-key"].to_str().unwrap()),
        (200, "home-made-secret")
    );
    assert!(answer.headers.get("x-keystead-key-id").is_none());
    assert_eq!(ask(&house.asker, "GET", "/elsewhere", None).await.status, 200);
    house.restart().await;
    let report = house.admin.get(&format!("{PATH}/report")).await.ok();
    let rows: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["route"].as_str().unwrap(), row["code"].as_str().unwrap(), row["count"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(rows[0], ("GET /zones/*", "insufficient_permissions", 3));
    assert!(
        rows.contains(&("GET /zones/*", "malformed", 1))
            && rows.contains(&("unlisted", "endpoint_denied", 1))
    );
    assert_eq!(report["items"][0]["key_id"], key.id.as_str());
    assert_eq!(
        (&report["items"][0]["ip"], &report["items"][0]["endpoint"]),
        (&json!("203.0.113.7"), &json!("GET /zones/a"))
    );
    let text = report.to_string();
    assert!(!text.contains("s3cr3t") && !text.contains("home-made-secret"));
    // What passes is in no report, and what is enforced neither.
    house.admin.post(&format!("{PATH}/mode"), json!({"mode": "enforce"})).await.ok();
    assert_eq!(ask(&house.asker, "GET", "/zones/a", Some(&key.key)).await.status, 403);
    house.restart().await;
    assert_eq!(house.admin.get(&format!("{PATH}/report")).await.ok()["items"][0]["count"], 3);
}
