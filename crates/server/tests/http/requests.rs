//! Requests that are wrong as such, whatever the route

use crate::house::{House, on_both_engines};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::json;

on_both_engines! {
    one_key_in_either_place_proves_the_caller,
    two_credentials_are_refused_lessons_20,
    what_is_no_key_of_ours_learns_nothing,
    a_management_key_is_as_restricted_as_it_says,
    deep_json_is_refused_lessons_42,
    a_huge_body_is_refused_lessons_42,
    too_many_headers_are_refused_lessons_42,
    what_is_no_json_is_refused_without_repeating_it_lessons_28,
    unknown_routes_and_methods_are_refused,
}

fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "keystead.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

async fn one_key_in_either_place_proves_the_caller(house: House) {
    let key = house.admin.key();
    for (name, value) in [("authorization", format!("Bearer {key}")), ("x-api-key", key.to_owned())] {
        let answer = house.stranger.send(request(Method::GET, "/v1/projects", &[(name, &value)], "")).await;
        answer.ok();
    }
    house.stranger.get("/v1/projects").await.refused(401, "unauthenticated");
}

/// LESSONS 20: proxies disagree on which of two credentials counts.
async fn two_credentials_are_refused_lessons_20(house: House) {
    let (key, bearer) = (house.admin.key().to_owned(), format!("Bearer {}", house.admin.key()));
    for headers in [
        [("authorization", bearer.as_str()), ("x-api-key", key.as_str())],
        [("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        [("x-api-key", key.as_str()), ("x-api-key", key.as_str())],
    ] {
        let answer = house.stranger.send(request(Method::GET, "/v1/projects", &headers, "")).await;
        answer.refused(400, "credential_ambiguous");
    }
    let joined = format!("{bearer}, {bearer}");
    let answer =
        house.stranger.send(request(Method::GET, "/v1/projects", &[("authorization", &joined)], "")).await;
    answer.refused(401, "unauthenticated");
}

async fn what_is_no_key_of_ours_learns_nothing(house: House) {
    let project_key = house.admin.issue(json!({"permissions": ["**"]})).await;
    let own = house.admin.poke("/v1/whoami").await.ok()["id"].as_str().unwrap().to_owned();
    let mut told = Vec::new();
    for key in [
        "nonsense".to_owned(),
        house.unknown_key(),
        house.forged_management_key(&own),
        // Keys of projects guard the projects' APIs, never Keystead's.
        project_key.key.clone(),
    ] {
        let caller = house.stranger.with_key_unchecked(&key);
        let mut problem = caller.get("/v1/projects").await.refused(401, "unauthenticated");
        problem.as_object_mut().unwrap().remove("request_id");
        told.push(problem);
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "{told:?}");
}

async fn a_management_key_is_as_restricted_as_it_says(house: House) {
    let issue = async |restrictions: serde_json::Value| {
        let body = json!({"permissions": ["projects.read"], "restrictions": restrictions});
        house.admin.with_key(&house.admin.issue_in("keystead", body).await.key)
    };
    let elsewhere = issue(json!({"networks": {"allow": ["192.0.2.0/24"]}})).await;
    let forged = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
    elsewhere.call(Method::GET, "/v1/projects", None, &forged).await.refused(403, "forbidden");
    let here = issue(json!({"networks": {"allow": ["127.0.0.0/8"]}})).await;
    here.get("/v1/projects").await.ok();
    let one_route = issue(json!({"endpoints": [{"methods": ["GET"], "path": "/v1/projects"}]})).await;
    one_route.get("/v1/projects").await.ok();
    one_route.get("/v1/projects/registry").await.refused(403, "forbidden");
    let late = issue(
        json!({"hours": {"time_zone": "UTC", "weekly": [{"days": ["fri"], "from": "00:00", "to": "24:00"}]}}),
    )
    .await;
    late.get("/v1/projects").await.refused(403, "forbidden");
    house.wait(86_400);
    late.get("/v1/projects").await.ok();
    let ending = house
        .admin
        .issue_in(
            "keystead",
            json!({"permissions": ["projects.read"],
        "expires_at": "2026-01-03T00:00:00Z"}),
        )
        .await;
    let ending = house.admin.with_key(&ending.key);
    ending.get("/v1/projects").await.ok();
    house.wait(86_400);
    ending.get("/v1/projects").await.refused(401, "unauthenticated");
}

/// LESSONS 42: JSON nesting (CVE-2025-59043).
async fn deep_json_is_refused_lessons_42(house: House) {
    let bearer = format!("Bearer {}", house.admin.key());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for depth in [33, 10_000, 200_000] {
        let body = format!("{{\"name\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let answer = house.stranger.send(request(Method::POST, "/v1/projects", &headers, body)).await;
        answer.refused(400, "invalid_json");
    }
    let key = house.admin.issue(json!({})).await;
    let nested = (0..14).fold(json!(1), |inner, _| json!([inner]));
    house.admin.patch(&key.path(), json!({"metadata": {"x": nested}})).await.ok();
}

/// LESSONS 42: memory exhaustion (CVE-2024-8185).
async fn a_huge_body_is_refused_lessons_42(house: House) {
    let bearer = format!("Bearer {}", house.admin.key());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    let answer = house.stranger.send(request(Method::POST, "/v1/projects", &headers, body)).await;
    answer.refused(413, "too_large");
}

async fn too_many_headers_are_refused_lessons_42(house: House) {
    let names: Vec<_> = (0..70).map(|number| format!("x-many-{number}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let answer = house.admin.call(Method::GET, "/v1/projects", None, &headers).await;
    answer.refused(431, "headers_too_large");
}

/// LESSONS 28 (CVE-2025-4166): errors disclosed request data.
async fn what_is_no_json_is_refused_without_repeating_it_lessons_28(house: House) {
    let bearer = format!("Bearer {}", house.admin.key());
    let send = async |content_type: &str, body: &'static str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        let answer = house.stranger.send(request(Method::POST, "/v1/projects", &headers, body)).await;
        assert!(!answer.text.contains("CANARY"), "{}", answer.text);
        answer
    };
    send("application/json", "{\"name\": CANARY}").await.refused(400, "invalid_json");
    send("application/json", "").await.refused(400, "invalid_json");
    send("application/json", "{\"name\": {\"CANARY\": 1}}").await.wrong_field("invalid_field", "/name");
    send("application/json", "{\"CANARY\": 1}").await.wrong_field("invalid_field", "");
    send("application/json", "{\"name\": \"a\", \"name\": \"CANARY\"}").await.refused(422, "invalid_field");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        send(content_type, "{\"name\": \"CANARY\"}").await.refused(415, "unsupported_media_type");
    }
    house.admin.get("/v1/projects?CANARY=1").await.refused(422, "invalid_field");
}

async fn unknown_routes_and_methods_are_refused(house: House) {
    for path in [
        "/",
        "/v1",
        "/v2/projects",
        "/v1/projects/",
        "/v1//projects",
        "/v1/keys",
        "/v1/projects/registry/nothing",
    ] {
        house.admin.get(path).await.refused(404, "not_found");
    }
    for (method, path) in [
        (Method::PUT, "/v1/projects"),
        (Method::DELETE, "/v1/projects/registry"),
        (Method::GET, "/v1/verify"),
    ] {
        house.admin.call(method, path, None, &[]).await.refused(405, "method_not_allowed");
    }
}
