//! The whole story of a team, lived: the demo organization of `cargo xtask demo`, a real Keystead, and the registry
//! that it guards as a program of its own. On SQLite; what each step relies on is tested on both engines elsewhere.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers fail by panicking")]

#[path = "story/house.rs"]
mod house;

use house::{Call, House};
use keystead_sdk::api::{AuditQuery, KeyQuery, KeyStatus, KeyStatusFilter, UpdateMember, UpdateTeam};
use keystead_sdk::{Client, Error};
use serde_json::{Value, json};

const ROUTE: &str = "networks/NET-7/routes/203.0.113.0-24";
const ZONE: &str = "networks/NET-7/zones/113.0.203.in-addr.arpa";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_has_a_key_of_their_own_and_each_act_traces_to_one_person() {
    let mut house = House::open().await;
    each_team_does_what_is_its_own_and_no_more(&house).await;
    a_refusal_names_what_is_missing(&house).await;
    a_role_on_one_network_ends_at_its_edge(&house).await;
    two_peoples_acts_are_told_apart(&house).await;
    a_report_is_downloaded_with_a_key(&house).await;
    a_deactivated_key_is_refused_and_on_the_inactive_list(&house).await;
    a_leavers_keys_die_at_once_and_nobody_elses(&house).await;
    without_keystead_nothing_passes(&mut house).await;
}

/// Whose keys stand for the six teams.
const TEAMS: [&str; 6] = ["ada", "ben", "chloe", "elif", "femke", "goran"];

/// The matrix: an act, and which of Admin, Tech, Routing, DNS, NOC and Abuse may do it.
fn matrix() -> [(Call, [bool; 6]); 14] {
    let y = true;
    let n = false;
    [
        (Call::get("organizations"), [y, y, n, n, y, y]),
        (Call::get("contacts"), [y, y, n, n, y, y]),
        (Call::get("networks"), [y, y, n, n, y, y]),
        (Call::get("networks/NET-7/routes"), [y, y, y, n, y, y]),
        (Call::get("networks/NET-7/zones"), [y, y, n, y, y, y]),
        (Call::get("reports/routes.csv"), [y, y, n, n, n, n]),
        (Call::get("changes"), [y, y, n, n, n, n]),
        (Call::patch("networks/NET-7", json!({"name": "AURORA-CORE"})), [y, y, n, n, n, n]),
        (Call::put(ROUTE, json!({"origin": 64496})), [y, y, y, n, n, n]),
        (Call::delete("networks/NET-7/routes/203.0.113.0-25"), [y, y, y, n, n, n]),
        (Call::put(ZONE, json!({"name_servers": ["ns1.example.net"]})), [y, y, n, y, n, n]),
        (Call::delete("networks/NET-7/zones/1.113.0.203.in-addr.arpa"), [y, y, n, y, n, n]),
        (Call::post("networks/NET-12/transfer", json!({"organization": "ORG-BOR-4"})), [y, n, n, n, n, n]),
        (Call::put("contacts/noc", json!({"purpose": "x", "email": "noc@x.example"})), [y, n, n, n, n, n]),
    ]
}

async fn each_team_does_what_is_its_own_and_no_more(house: &House) {
    for (call, may) in matrix() {
        for (person, may) in TEAMS.into_iter().zip(may) {
            let answer = house.call(person, &call).await;
            // What is not there to be deleted is found out by those alone who may delete it.
            let passed = matches!(answer.status, 200 | 204 | 404);
            assert_eq!((passed, answer.status == 403), (may, !may), "{person}: {call:?}: {answer:?}");
        }
    }
    // Who is in which team is Keystead's to keep, and for team Admin alone to change.
    let widened = UpdateTeam { purpose: Some("Routes".to_owned()), ..UpdateTeam::default() };
    house.session("ada").await.update_team("routing", &widened, None).await.unwrap();
    for person in &TEAMS[1..] {
        refused(house.session(person).await.update_team("routing", &widened, None).await);
    }
}

async fn a_refusal_names_what_is_missing(house: &House) {
    let answer = house.call("chloe", &Call::put(ZONE, json!({"name_servers": ["ns.example.net"]}))).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.problem["code"], "insufficient_permissions");
    assert_eq!(answer.problem["detail"], format!("This key may not zones.write on {ZONE}."));
    assert!(answer.header("www-authenticate").contains(r#"scope="zones.write""#), "{answer:?}");
    let nobody = house.raw(None, &Call::get("networks")).await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, r#"Bearer realm="registry""#));
    let wrong = house.raw(Some("reg_live_nonsense"), &Call::get("networks")).await;
    assert_eq!((wrong.status, &wrong.problem["code"]), (401, &json!("malformed")));
}

/// Inês may edit NET-7 and what lies in it, by a grant of her own.
async fn a_role_on_one_network_ends_at_its_edge(house: &House) {
    for (network, status) in [("NET-7", 200), ("NET-31", 403)] {
        let rename = Call::patch(&format!("networks/{network}"), json!({"name": "RENAMED"}));
        assert_eq!(house.call("ines", &rename).await.status, status, "{network}");
    }
    let elsewhere = house.call("ines", &Call::delete("networks/NET-31/routes/198.51.100.0-25")).await;
    assert_eq!(elsewhere.status, 403, "{elsewhere:?}");
    assert_eq!(house.call("ines", &Call::put(ROUTE, json!({"origin": 64497}))).await.status, 200);
    let way_round = house.call("ines", &Call::get("networks/NET-7%2F..%2FNET-31")).await;
    assert_eq!((way_round.status, &way_round.problem["code"]), (400, &json!("ambiguous_path")));
}

async fn two_peoples_acts_are_told_apart(house: &House) {
    for (person, origin) in [("chloe", 64500), ("dario", 64501)] {
        let call = Call::put(ROUTE, json!({"origin": origin}));
        assert_eq!(house.call(person, &call).await.status, 200);
    }
    let changes = house.call("ada", &Call::get("changes")).await.problem;
    let (darios, chloes) = (&changes[0], &changes[1]);
    assert_eq!((&chloes["to"], &darios["to"]), (&json!(ROUTE), &json!(ROUTE)));
    assert_eq!((&chloes["team"], &darios["team"]), (&json!("routing"), &json!("routing")));
    assert_ne!(chloes["key"], darios["key"]);
    for (act, name, person) in [(chloes, "Chloé Martin", "chloe"), (darios, "Dario Conti", "dario")] {
        assert_eq!(act["name"], name);
        let member = house.admin.member(&email(person)).await.unwrap();
        assert_eq!(act["owner"], member.id.as_str(), "{act}");
        // Keystead's audit: whose acts made the key, and who touched it since.
        let made = audit(&house.admin, |query| query.actor = Some(member.id.clone())).await;
        let made: Vec<_> = made.iter().filter(|record| record["action"] == "key.create").collect();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0]["target"]["id"], act["key"]);
        let touched = audit(&house.admin, |query| query.target = Some(text(&act["key"]))).await;
        assert!(touched.iter().all(|record| record["actor"]["member"] == member.id.as_str()), "{touched:?}");
    }
}

async fn a_report_is_downloaded_with_a_key(house: &House) {
    let answer = house.call("ben", &Call::get("reports/holders.csv")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(answer.text.contains("NET-31,198.51.100.0/24,ORG-BOR-4,Boreal Hosting,FI"), "{answer:?}");
    let other = house.raw_with("x-api-key", &house.key("ben"), &Call::get("reports/holders.csv")).await;
    assert_eq!(other.text, answer.text, "either header carries a key");
    assert_eq!(house.call("goran", &Call::get("reports/holders.csv")).await.status, 403);
}

async fn a_deactivated_key_is_refused_and_on_the_inactive_list(house: &House) {
    let id = text(&house.call("ada", &Call::get("changes")).await.problem[1]["key"]);
    let chloe = house.session("chloe").await;
    chloe.disable_key(&id).await.unwrap();
    let stopped = house.call("chloe", &Call::put(ROUTE, json!({"origin": 64500}))).await;
    assert_eq!((stopped.status, &stopped.problem["code"]), (401, &json!("disabled")));
    assert!(stopped.header("www-authenticate").contains("invalid_token"), "{stopped:?}");
    assert!(is_listed(house, KeyStatusFilter::Inactive, &id).await);
    assert!(!is_listed(house, KeyStatusFilter::Active, &id).await);
    house.admin.enable_key(&id).await.unwrap();
    assert!(!is_listed(house, KeyStatusFilter::Inactive, &id).await);
    assert_eq!(house.call("chloe", &Call::put(ROUTE, json!({"origin": 64500}))).await.status, 200);
}

/// Dario leaves. Chloé, of the same team, notices nothing.
async fn a_leavers_keys_die_at_once_and_nobody_elses(house: &House) {
    let (ada, dario) = (house.session("ada").await, house.session("dario").await);
    let leaves = UpdateMember { disabled: Some(true), ..UpdateMember::default() };
    ada.update_member(&email("dario"), &leaves, None).await.unwrap();
    for call in [Call::get("networks/NET-7/routes"), Call::put(ROUTE, json!({"origin": 1}))] {
        let answer = house.call("dario", &call).await;
        assert_eq!((answer.status, &answer.problem["code"]), (401, &json!("disabled")));
    }
    assert_eq!(dario.current_session().await.err().and_then(|error| error.status()), Some(401));
    let owned = ada.keys_of_member(&email("dario")).await.unwrap();
    assert_eq!(owned.items.iter().map(|key| key.status).collect::<Vec<_>>(), [KeyStatus::Disabled]);
    for person in ["ada", "ben", "chloe"] {
        let call = Call::put(ROUTE, json!({"origin": 64500}));
        assert_eq!(house.call(person, &call).await.status, 200, "{person}");
    }
}

async fn without_keystead_nothing_passes(house: &mut House) {
    house.stop_keystead().await;
    let answer = house.call("ada", &Call::get("networks")).await;
    assert_eq!((answer.status, &answer.problem["code"]), (503, &json!("unavailable")));
    assert_eq!(answer.header("retry-after"), "1");
}

fn email(person: &str) -> String {
    format!("{person}@registry.example")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.unwrap_err().status(), Some(403));
}

async fn is_listed(house: &House, status: KeyStatusFilter, id: &str) -> bool {
    let query = KeyQuery { status: Some(status), limit: Some(1_000), ..KeyQuery::default() };
    house.admin.list_keys("registry", &query).await.unwrap().items.iter().any(|key| key.id == id)
}

async fn audit(admin: &Client, narrow: impl FnOnce(&mut AuditQuery)) -> Vec<Value> {
    let mut query = AuditQuery { limit: Some(1_000), ..AuditQuery::default() };
    narrow(&mut query);
    let page = admin.list_audit(&query).await.unwrap();
    page.items.iter().map(|record| serde_json::to_value(record).unwrap()).collect()
}
