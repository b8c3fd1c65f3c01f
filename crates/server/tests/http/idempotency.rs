//! `Idempotency-Key`: what is asked for twice is done once, and answered the same.

use crate::house::{Answer, Client, House, LOG, on_both_engines, secret_of};
use crate::openapi::{described, operations};
use crate::v1::approvals::ready_for;
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    every_post_is_done_once_or_only_asks,
    a_secret_is_given_again_for_ten_minutes_and_its_id_for_a_day,
    another_request_under_the_same_header_is_refused,
    the_header_of_one_caller_is_not_anothers,
    of_many_at_once_one_is_done,
    a_refused_request_is_not_remembered,
    what_was_answered_survives_a_restart,
    a_caller_that_may_no_longer_is_not_answered_again,
    a_header_that_cannot_be_one_is_refused,
    neither_header_nor_answer_is_stored_or_logged_readable,
}

/// A POST with an `Idempotency-Key`.
async fn post(caller: &Client, path: &str, body: Option<Value>, key: &str) -> Answer {
    caller.call(Method::POST, path, body, &[("idempotency-key", key)]).await
}

/// The POSTs that only ask, and why a retry of theirs is another question.
const ASKING: [(&str, &str); 29] = [
    ("/v1/account/passkeys", "what a browser has made is taken once"),
    ("/v1/account/passkeys/begin", "each is a question of its own"),
    ("/v1/account/password", "the password that it proves is another one then"),
    ("/v1/account/recovery", "its answer is the same whatever it does"),
    ("/v1/account/recovery/confirm", "a link works once"),
    ("/v1/account/recovery-codes", "codes are shown once, and each time others"),
    ("/v1/account/totp", "the secret is shown once, and each time another"),
    ("/v1/account/totp/confirm", "a code works once"),
    ("/v1/contact-confirmations", "a link works once"),
    ("/v1/guardrails/preview", "it changes nothing"),
    ("/v1/guidelines/accept", "what was accepted stays so"),
    ("/v1/identity-providers/{provider}/test", "it changes nothing"),
    ("/v1/invitations/accept", "a link works once"),
    ("/v1/lessons/{lesson}/answers", "what was passed stays so"),
    ("/v1/mail/test", "it asks the mail server, each time with another message"),
    ("/v1/policies/test", "it changes nothing"),
    ("/v1/projects/{project}/guard/import", "applied again it changes nothing"),
    ("/v1/projects/{project}/guard/mode", "the same mode again changes nothing"),
    ("/v1/projects/{project}/guardrails/preview", "it changes nothing"),
    ("/v1/sessions", "each is a session of its own"),
    ("/v1/sessions/current/second-factor", "a code works once"),
    ("/v1/sessions/current/second-factor/passkey", "each is a question of its own"),
    ("/v1/sessions/passkey/begin", "each is a question of its own"),
    ("/v1/sessions/passkey/finish", "what a browser answers works once"),
    ("/v1/sign-in/oidc/finish", "a code works once"),
    ("/v1/sign-in/oidc/start", "each is a sign-in of its own"),
    ("/v1/verify", "a verdict is of its moment, and each request that is let in counts"),
    ("/v1/verify/batch", "the same"),
    ("/v1/whoami", "it changes nothing"),
];

/// The same of what is done to a member or a team.
async fn of_people(house: &House, path: &str) -> (String, Option<Value>) {
    if path.ends_with("/invitation") {
        return (path.replace("{member}", &house.admin.add("bob@example.com", json!([])).await), None);
    }
    if path.ends_with("/contact/ask") {
        let team = json!({"name": "third", "contact": "third@example.net"});
        let team = house.admin.post("/v1/teams", team).await.created();
        return (path.replace("{team}", team["id"].as_str().unwrap()), None);
    }
    let cleo = house.admin.person("Cleo", json!([]), json!([])).await;
    let to = house.admin.add("dan@example.com", json!([])).await;
    (path.replace("{member}", &cleo.id), Some(json!({"to": to, "expected_count": 1})))
}

/// A body for what an organization has.
fn of_organization(path: &str) -> Option<Value> {
    Some(match path {
        "/v1/organizations" => json!({"name": "Third", "slug": "third"}),
        "/v1/members" => json!({"email": "ann@example.net", "name": "Ann"}),
        "/v1/teams" => json!({"name": "second"}),
        "/v1/identity-providers" => json!({"name": "corp", "issuer": "https://id.example.com",
            "client_id": "keystead", "email_domains": ["example.com"]}),
        "/v1/policies" => {
            json!({"name": "ci", "text": "forbid (principal is Key, action == Action::\"verify\", resource);"})
        }
        "/v1/projects" => json!({"name": "Second", "slug": "second"}),
        _ => return None,
    })
}

/// A body for every POST that does something; a new one needs its line here.
async fn body_of(house: &House, path: &str) -> (String, Option<Value>) {
    if let Some(body) = of_organization(path) {
        return (path.to_owned(), Some(body));
    }
    let at = |path: &str| path.replace("{project}", "registry");
    let body = match path {
        "/v1/projects/{project}/environments" => json!({"name": "Staging", "slug": "staging"}),
        "/v1/projects/{project}/permissions" => json!({"name": "zones.write"}),
        "/v1/projects/{project}/roles" => json!({"name": "reader", "permissions": ["*.read"]}),
        "/v1/projects/{project}/service-accounts" => json!({"name": "second"}),
        "/v1/projects/{project}/consumers" => json!({"name": "Second customer"}),
        "/v1/projects/{project}/keys/batch" => json!({"items": [new_key()]}),
        "/v1/projects/{project}/keys/bulk" => {
            house.admin.issue(json!({"tags": ["bulk"]})).await;
            json!({"action": "disable", "filter": {"tag": "bulk"}, "expected_count": 1})
        }
        "/v1/projects/{project}/keys/import" => {
            let key = json!({"name": "One", "environment": "production"});
            json!({"items": [{"key": key, "plain": "a-token-0123456789-abc"}]})
        }
        "/v1/projects/{project}/keys" => json!({"name": "Second", "environment": "production"}),
        "/v1/keys/mint" => json!({"uses": 1}),
        "/v1/keys/{id}/reveal" => {
            let public = json!({"kind": "public", "restrictions": {"origins": ["https://a.example"]}});
            return (path.replace("{id}", &house.admin.issue(public).await.id), None);
        }
        "/v1/projects/{project}/notices/{notice}/retry" => {
            let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
            house.admin.patch(&consumer, json!({"contact": "noc@customer.example"})).await.ok();
            let key = house.admin.issue(json!({"consumer": "customer-1"})).await;
            house.admin.rotate(&key, json!({})).await;
            let told = house.admin.get("/v1/projects/registry/notices").await.ok();
            return (at(path).replace("{notice}", told["items"][0]["id"].as_str().unwrap()), None);
        }
        "/v1/members/{member}/invitation"
        | "/v1/members/{member}/keys/hand-over"
        | "/v1/teams/{team}/contact/ask" => return of_people(house, path).await,
        "/v1/root-key/rotate" | "/v1/root-key/retire" | "/v1/identity-keys/replace" => {
            return (path.to_owned(), None);
        }
        _ => {
            let key = house.admin.issue(json!({})).await;
            let at = path.replace("{id}", &key.id);
            let body = match path {
                "/v1/keys/{id}/rotate" => json!({}),
                "/v1/keys/{id}/rotate/complete" | "/v1/keys/{id}/rotate/cancel" => {
                    house.admin.rotate(&key, json!({})).await;
                    return (at, None);
                }
                "/v1/keys/{id}/disable" | "/v1/keys/{id}/enable" => return (at, None),
                "/v1/keys/{id}/suspend" => json!({"until": "2026-02-01T00:00:00Z"}),
                "/v1/keys/{id}/revoke" => json!({"reason": "A test says so"}),
                _ => panic!("{path} is new: prove here that it honours Idempotency-Key"),
            };
            return (at, Some(body));
        }
    };
    (at(path), Some(body))
}

async fn every_post_is_done_once_or_only_asks(house: House) {
    let mut proven = 0;
    for (method, path, operation) in operations(&described()) {
        if method != "POST" {
            continue;
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let honours = parameters.iter().any(|one| one["name"] == "Idempotency-Key");
        assert_eq!(honours, !ASKING.iter().any(|(asking, _)| *asking == path), "{path}");
        if !honours {
            continue;
        }
        let (person, at, body) = match path.strip_prefix("/v1/approvals") {
            Some(act) => {
                let act = act.rsplit('/').next().filter(|act| !act.is_empty()).unwrap_or("ask");
                let (person, at, body) = ready_for(&house, act).await;
                (Some(person), at, body)
            }
            None => {
                let (at, body) = body_of(&house, &path).await;
                (None, at, body)
            }
        };
        let holder = house.admin.with_key(&house.admin.issue(json!({})).await.key);
        let (caller, auditor): (&Client, &Client) = match path.as_str() {
            "/v1/organizations"
            | "/v1/root-key/rotate"
            | "/v1/root-key/retire"
            | "/v1/identity-keys/replace" => (&house.operator, &house.operator),
            "/v1/keys/mint" => (&holder, &house.admin),
            _ => (person.as_ref().unwrap_or(&house.admin), &house.admin),
        };
        let acts = async || auditor.get("/v1/audit?limit=1000").await.ok()["items"].as_array().unwrap().len();
        let first = post(caller, &at, body.clone(), "the-same").await;
        assert!(first.status.is_success(), "{path}: {}", first.text);
        let done = acts().await;
        house.wait(1);
        let again = post(caller, &at, body.clone(), "the-same").await;
        assert_eq!((first.status, &first.text), (again.status, &again.text), "{path}");
        for header in ["etag", "location"] {
            assert_eq!(first.headers.get(header), again.headers.get(header), "{path}: {header}");
        }
        assert_eq!(acts().await, done, "{path} was done twice");
        post(caller, &format!("{at}?other"), body, "the-same").await.refused(422, "idempotency_mismatch");
        // Each in turn under the same header would be a mismatch: it is one name for one request.
        house.wait(86_400);
        proven += 1;
    }
    assert!(proven >= 12, "{proven}");
}

const KEYS: &str = "/v1/projects/registry/keys";

fn new_key() -> Option<Value> {
    Some(json!({"name": "Once", "environment": "production"}))
}

async fn a_secret_is_given_again_for_ten_minutes_and_its_id_for_a_day(house: House) {
    let first = post(&house.admin, KEYS, new_key(), "order-1").await.created();
    house.wait(599);
    assert_eq!(post(&house.admin, KEYS, new_key(), "order-1").await.created(), first);
    house.wait(1);
    let later = post(&house.admin, KEYS, new_key(), "order-1").await;
    assert!(!later.text.contains(secret_of(first["key"].as_str().unwrap())));
    let later = later.refused(409, "secret_not_kept");
    assert_eq!(later["ids"], json!([first["id"]]));
    house.wait(86_400 - 601);
    post(&house.admin, KEYS, new_key(), "order-1").await.refused(409, "secret_not_kept");
    house.wait(1);
    let fresh = post(&house.admin, KEYS, new_key(), "order-1").await.created();
    assert_ne!(fresh["id"], first["id"]);
    assert_eq!(house.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len(), 2);
}

async fn another_request_under_the_same_header_is_refused(house: House) {
    post(&house.admin, KEYS, new_key(), "order-1").await.created();
    let other = Some(json!({"name": "Twice", "environment": "production"}));
    post(&house.admin, KEYS, other.clone(), "order-1").await.refused(422, "idempotency_mismatch");
    let by_id = format!("/v1/projects/{}/keys", house.acme.project);
    post(&house.admin, &by_id, new_key(), "order-1").await.refused(422, "idempotency_mismatch");
    post(&house.admin, KEYS, other, "order-2").await.created();
}

async fn the_header_of_one_caller_is_not_anothers(house: House) {
    let body = json!({"permissions": ["keys.create"]});
    let colleague = house.admin.with_key(&house.admin.issue_in("keystead", body).await.key);
    let mine = post(&house.admin, KEYS, new_key(), "order-1").await.created();
    let colleagues = post(&colleague, KEYS, new_key(), "order-1").await.created();
    let others = post(&house.other, KEYS, new_key(), "order-1").await.created();
    assert!(mine["id"] != colleagues["id"] && mine["id"] != others["id"]);
}

async fn of_many_at_once_one_is_done(house: House) {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let admin = house.admin.clone();
        running.spawn(async move { post(&admin, KEYS, new_key(), "order-1").await });
    }
    let mut ids = Vec::new();
    for answer in running.join_all().await {
        if answer.status == 409 {
            assert_eq!(answer.headers["retry-after"], "1");
            answer.refused(409, "idempotency_in_flight");
        } else {
            ids.push(answer.created()["id"].clone());
        }
    }
    let listed = house.admin.get(KEYS).await.ok()["items"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1);
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == listed[0]["id"]), "{ids:?}");
}

async fn a_refused_request_is_not_remembered(house: House) {
    let unknown = Some(json!({"name": "Once", "environment": "production", "roles": ["later"]}));
    post(&house.admin, KEYS, unknown.clone(), "order-1").await.refused(422, "unknown_name");
    let role = json!({"name": "later", "permissions": ["routes.read"]});
    house.admin.post("/v1/projects/registry/roles", role).await.created();
    post(&house.admin, KEYS, unknown, "order-1").await.created();
}

async fn what_was_answered_survives_a_restart(mut house: House) {
    let first = post(&house.admin, KEYS, new_key(), "order-1").await.created();
    house.restart().await;
    assert_eq!(post(&house.admin, KEYS, new_key(), "order-1").await.created(), first);
}

async fn a_caller_that_may_no_longer_is_not_answered_again(house: House) {
    let issued = house.admin.issue_in("keystead", json!({"permissions": ["keys.create"]})).await;
    let caller = house.admin.with_key(&issued.key);
    post(&caller, KEYS, new_key(), "order-1").await.created();
    house.admin.change(&issued, json!({"permissions": ["keys.read"]})).await;
    post(&caller, KEYS, new_key(), "order-1").await.refused(403, "forbidden");
    house.admin.revoke(&issued).await;
    post(&caller, KEYS, new_key(), "order-1").await.refused(401, "unauthenticated");
}

async fn a_header_that_cannot_be_one_is_refused(house: House) {
    let long = "a".repeat(256);
    for key in ["", "two words", "tab\there", long.as_str()] {
        post(&house.admin, KEYS, new_key(), key).await.refused(400, "invalid_request");
    }
    let twice = [("idempotency-key", "one"), ("idempotency-key", "two")];
    let answer = house.admin.call(Method::POST, KEYS, new_key(), &twice).await;
    answer.refused(400, "invalid_request");
    post(&house.admin, KEYS, new_key(), &long[1..]).await.created();
    assert_eq!(house.admin.get(KEYS).await.ok()["items"].as_array().unwrap().len(), 1);
}

async fn neither_header_nor_answer_is_stored_or_logged_readable(mut house: House) {
    let header = "CANARY-header-5131";
    let created = post(&house.admin, KEYS, new_key(), header).await.created();
    let secret = secret_of(created["key"].as_str().unwrap()).to_owned();
    post(&house.admin, KEYS, Some(json!({})), header).await;
    house.restart().await;
    for bytes in [house.database_bytes(), LOG.lock().clone()] {
        for hidden in [header, secret.as_str()] {
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden}");
        }
    }
}
