//! `envoy.service.auth.v3.Authorization/Check`

mod envoy;
mod messages;

use crate::house::{House, on_both_engines};
use envoy::{
    PERMISSION_DENIED, UNAUTHENTICATED, ask, call, denied, from, get, header, passes, refusal, send,
};
use http::Request;
use http_body_util::Full;
use messages::{Address, OneAddress, Outcome, Peer, Pipe};
use prost::Message;
use serde_json::{Value, json};

on_both_engines! {
    only_a_proxys_own_key_opens_the_door_and_it_comes_from_the_proxy,
    what_passes_is_told_what_to_set_and_to_remove,
    a_key_in_the_query_is_taken_out_however_it_is_spelled,
    both_kinds_of_headers_are_read_and_no_other_doors_lesson_15,
    the_address_is_the_connections_or_the_last_that_is_not_trusted_lesson_22,
    what_a_client_makes_unreadable_is_refused_and_no_error,
    what_is_no_call_is_an_error,
}

const PATH: &str = "/v1/projects/registry/guard";
const METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";

fn guard() -> Value {
    json!({"mode": "enforce", "trusted_proxies": ["192.0.2.0/24"], "routes": [
        {"methods": ["GET"], "path": "/zones/*", "permissions": "zones.read"},
        {"methods": ["GET"], "path": "/maps", "permissions": "zones.read", "credentials": ["query:key"]},
        {"path": "/open/**", "public": true},
    ]})
}

async fn only_a_proxys_own_key_opens_the_door_and_it_comes_from_the_proxy(house: House) {
    let open = get("/open/x", &[("x-keystead-guard", house.asker.key())]);
    let message = open.encode_to_vec();
    let proof = format!("Bearer {}", house.asker.key());
    // The project is not guarded yet.
    assert_eq!(ask(&house, &open).await, Err(PERMISSION_DENIED));
    house.admin.put(PATH, guard()).await.ok();
    passes(&house, &open).await;
    let client = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    for (wrong, code) in [
        // What stands in the client's headers proves nothing.
        (vec![], UNAUTHENTICATED),
        (vec!["Bearer nonsense".to_owned()], UNAUTHENTICATED),
        (vec![house.asker.key().to_owned()], UNAUTHENTICATED),
        (vec![format!("Basic {}", house.asker.key())], UNAUTHENTICATED),
        (vec![proof.clone(), proof.clone()], UNAUTHENTICATED),
        (vec![format!("Bearer {}", client.key)], UNAUTHENTICATED),
        (vec![format!("Bearer {}", house.admin.key())], PERMISSION_DENIED),
    ] {
        let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
        assert_eq!(call(&house.stranger, &wrong, &message).await, Err(code), "{wrong:?}");
    }
    // Envoy Gateway sets no metadata; a Secret's value may end with the line.
    let mut extended = open.clone();
    let key = format!("{}\n", house.asker.key());
    extended.attributes.as_mut().unwrap().context_extensions =
        [("x-keystead-guard".to_owned(), key), ("another".to_owned(), "thing".to_owned())].into();
    let extended = extended.encode_to_vec();
    assert!(call(&house.stranger, &[], &extended).await.is_ok());
    assert_eq!(call(&house.stranger, &[&proof], &extended).await, Err(UNAUTHENTICATED), "two proofs");
}

async fn what_passes_is_told_what_to_set_and_to_remove(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let key = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    let (told, metadata) = passes(&house, &get("/zones/a?x=1", &[("x-api-key", &key.key)])).await;
    assert_eq!(header(&told.headers, "x-keystead-key-id"), Some(key.id.as_str()));
    assert_eq!(header(&told.headers, "x-keystead-permissions"), Some("zones.read"));
    let signed = header(&told.headers, "x-keystead-identity").unwrap();
    for name in ["x-api-key", "x-keystead-guard", "x-keystead-consumer"] {
        assert!(told.headers_to_remove.iter().any(|removed| removed == name), "{name}: {told:?}");
    }
    assert!(told.query_parameters_to_remove.is_empty());
    assert_eq!(metadata["key_id"], key.id);
    assert_eq!((metadata["project"].as_str(), metadata["environment"].as_str()), ("registry", "production"));
    assert!(metadata["request_id"].starts_with("req_") && !metadata.contains_key("code"));
    // What opens something is in no log.
    assert!(metadata.values().all(|value| value != signed && !value.contains(&key.key)), "{metadata:?}");

    // Of a public route, nobody is known: each header is removed.
    let (told, metadata) = passes(&house, &get("/open/x", &[])).await;
    assert!(told.headers.is_empty() && !metadata.contains_key("key_id"));
    for name in
        ["key-id", "owner", "consumer", "permissions", "environment", "request-id", "identity", "guard"]
    {
        let name = format!("x-keystead-{name}");
        assert!(told.headers_to_remove.contains(&name), "{name}");
    }
    assert_eq!(denied(&house, &get("/zones/a", &[])).await, (401, "malformed".to_owned()));
    assert_eq!(denied(&house, &get("/zone", &[])).await, (403, "endpoint_denied".to_owned()));
    // LESSONS 16.
    let forged = get("/open/x", &[("x_keystead_owner", "sa_1")]);
    assert_eq!(denied(&house, &forged).await, (400, "identity_header_forged".to_owned()));
    let Some(Outcome::Denied(told)) = ask(&house, &get("/zones/a", &[])).await.unwrap().outcome else {
        panic!("it has no key");
    };
    assert_eq!(header(&told.headers, "www-authenticate"), Some("Bearer realm=\"keystead\""));
}

async fn a_key_in_the_query_is_taken_out_however_it_is_spelled(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let key = house.admin.issue(json!({"permissions": ["zones.read"]})).await.key;
    for (name, removed) in
        [("key", vec!["key", "key"]), ("%6bEy", vec![]), ("%6B%65y", vec!["%6B%65y", "key"])]
    {
        let check = get(&format!("/maps?a=1&{name}={key}"), &[]);
        if removed.is_empty() {
            assert_eq!(denied(&house, &check).await, (401, "malformed".to_owned()), "{name}: another name");
            continue;
        }
        let (told, _) = passes(&house, &check).await;
        assert_eq!(told.query_parameters_to_remove, removed, "{name}");
    }
    let twice = get(&format!("/maps?key={key}&k%65y={key}"), &[]);
    assert_eq!(denied(&house, &twice).await, (401, "malformed".to_owned()));
    // Observing, a key of ours does not go on whatever is wrong with it; others' do.
    house.admin.post(&format!("{PATH}/mode"), json!({"mode": "observe"})).await.ok();
    let lacking = house.admin.issue(json!({"permissions": []})).await.key;
    let (told, metadata) = passes(&house, &get(&format!("/maps?key={lacking}"), &[])).await;
    assert_eq!(told.query_parameters_to_remove, ["key", "key"]);
    assert!(!metadata.contains_key("key_id"));
    let (told, _) = passes(&house, &get("/maps?key=home-made", &[])).await;
    assert!(told.query_parameters_to_remove.is_empty());
}

async fn both_kinds_of_headers_are_read_and_no_other_doors_lesson_15(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let key = house.admin.issue(json!({"permissions": ["zones.read"]})).await.key;
    let joined = |headers: &[(&str, &str)]| {
        let mut check = get("/zones/a", &[]);
        let http = check.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
        http.header_map = None;
        http.headers = [(":path", "/zones/a")]
            .iter()
            .chain(headers)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        check
    };
    passes(&house, &joined(&[("x-api-key", &key), ("x-note", "caf!")])).await;
    let bearer = format!("Bearer {key}");
    passes(&house, &joined(&[("authorization", &bearer)])).await;
    // LESSONS 20: by default, Envoy joins two of one name.
    let two = format!("{key},{key}");
    assert_eq!(denied(&house, &joined(&[("x-api-key", &two)])).await, (401, "not_found".to_owned()));
    let two = get("/zones/a", &[("x-api-key", &key), ("x-api-key", &key)]);
    assert_eq!(denied(&house, &two).await, (401, "malformed".to_owned()));
    let lying = get(
        "/zones/a",
        &[
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", "/open/x"),
            ("x-original-uri", "/open/x"),
            ("x-envoy-original-path", "/open/x"),
            ("x-original-client", "192.0.2.1"),
        ],
    );
    assert_eq!(denied(&house, &lying).await, (401, "malformed".to_owned()));
    // What is no UTF-8 is a value like others.
    let mut raw = get("/zones/a", &[("x-api-key", &key), ("x-note", "?")]);
    let http = raw.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
    http.header_map.as_mut().unwrap().headers.last_mut().unwrap().raw_value = b"caf\xe9\xff".to_vec();
    passes(&house, &raw).await;
}

async fn the_address_is_the_connections_or_the_last_that_is_not_trusted_lesson_22(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let networks = json!({"networks": {"allow": ["203.0.113.0/24"]}});
    let key = house.admin.issue(json!({"permissions": ["zones.read"], "restrictions": networks})).await.key;
    let with = |forwarded: &str| get("/zones/a", &[("x-api-key", &key), ("x-forwarded-for", forwarded)]);
    passes(&house, &with("198.51.100.1")).await;
    passes(&house, &from(with("198.51.100.1"), "::ffff:203.0.113.7")).await;
    let refused = (403, "network_denied".to_owned());
    assert_eq!(denied(&house, &from(with("203.0.113.7"), "198.51.100.1")).await, refused);
    passes(&house, &from(with("198.51.100.1, 203.0.113.7, 192.0.2.9"), "192.0.2.1")).await;
    assert_eq!(denied(&house, &from(with("203.0.113.7, 198.51.100.1"), "192.0.2.1")).await, refused);
}

async fn what_a_client_makes_unreadable_is_refused_and_no_error(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let proof = format!("Bearer {}", house.asker.key());
    let invalid = (400, "invalid_request".to_owned());
    // Text that is none, where Envoy's own message has text.
    for at in ["/open/@@", "/zones/a?@@"] {
        let mut message = get(at, &[]).encode_to_vec();
        let places: Vec<usize> = (0..message.len()).filter(|at| message[*at..].starts_with(b"@@")).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| message[*at..*at + 2].copy_from_slice(b"\xff\xfe"));
        assert_eq!(refusal(&call(&house.stranger, &[&proof], &message).await), invalid, "{at}");
    }
    for (name, value) in [("x-note", "a\nb"), ("x note", "a"), ("", "a"), ("x-note", "\u{0}")] {
        assert_eq!(denied(&house, &get("/open/x", &[(name, value)])).await, invalid, "{name:?}");
    }
    let large = (431, "headers_too_large".to_owned());
    let names: Vec<String> = (0..65).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    passes(&house, &get("/open/x", &many[..64])).await;
    assert_eq!(denied(&house, &get("/open/x", &many)).await, large);
    let huge = "x".repeat(64 << 10);
    let huge = get("/open/x", &[("x-huge", &huge)]);
    assert_eq!(denied(&house, &huge).await, large);
    assert_eq!(denied(&house, &get(&format!("/open/{}", "x".repeat(64 << 10)), &[])).await, large);
    // Who proves nothing may have proved it in what is not read.
    assert_eq!(refusal(&call(&house.stranger, &[], &huge.encode_to_vec()).await), large);
    // The operator's mistakes keep out too.
    let closed = (503, "unavailable".to_owned());
    let mut nowhere = get("/open/x", &[]);
    nowhere.attributes.as_mut().unwrap().source = None;
    assert_eq!(denied(&house, &nowhere).await, closed);
    let pipe = Some(Address { address: Some(OneAddress::Pipe(Pipe { path: "/run/a".to_owned() })) });
    nowhere.attributes.as_mut().unwrap().source = Some(Peer { address: pipe, principal: String::new() });
    assert_eq!(denied(&house, &nowhere).await, closed);
    let mut nothing = get("/open/x", &[]);
    nothing.attributes.as_mut().unwrap().request = None;
    assert_eq!(denied(&house, &nothing).await, closed);
}

async fn what_is_no_call_is_an_error(house: House) {
    house.admin.put(PATH, guard()).await.ok();
    let proof = format!("Bearer {}", house.asker.key());
    // INTERNAL: no message of this kind.
    assert_eq!(call(&house.stranger, &[&proof], b"\xff\xff\xff").await, Err(13));
    assert_eq!(
        call(&house.stranger, &[&proof], b"").await.as_ref().map(|checked| checked.outcome.is_some()),
        Ok(true)
    );
    let message = get("/open/x", &[]).encode_to_vec();
    let request = Request::post(format!("http://keystead.test{METHOD}"));
    let json = request.header("content-type", "application/json").header("authorization", &proof);
    let (status, ..) = send(&house.stranger, json.body(Full::new(message.into())).unwrap()).await;
    assert_eq!(status, 415);
    let unknown = Request::post("http://keystead.test/envoy.service.auth.v3.Authorization/Other");
    let unknown = unknown.header("content-type", "application/grpc").body(Full::default()).unwrap();
    assert_eq!(send(&house.stranger, unknown).await.0, 404);
}
