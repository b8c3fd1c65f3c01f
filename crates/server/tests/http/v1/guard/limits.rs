//! Limits of a guard's routes, asked for at a door.

use super::{PATH, ask, ask_from};
use crate::house::{Answer, House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    whose_requests_count_together_is_said,
    a_refusal_by_any_limit_takes_of_none_lessons_7,
    exactly_as_many_pass_as_a_limit_says_whatever_comes_at_once,
    minting_and_rotating_multiply_no_limit_of_a_route_lessons_3,
    changed_numbers_hold_at_once_and_other_changes_keep_the_count,
    public_routes_are_limited_by_network_and_for_all,
    observing_counts_as_if_it_were_enforced,
    what_is_no_limit_is_refused_and_its_field_named,
}

fn guard(mode: &str, routes: Value) -> Value {
    json!({"mode": mode, "rate_limit_headers": true, "routes": routes})
}

/// One route with these limits, and one without.
async fn limited(house: &House, limits: Value) {
    let routes = json!([{"path": "/exports", "limits": limits}, {"path": "/zones"}]);
    house.admin.put(PATH, guard("enforce", routes)).await.ok();
}

fn limit(name: &str, limit: u64, per: &str) -> Value {
    json!({"name": name, "limit": limit, "window": "1h", "per": per})
}

async fn exports(house: &House, key: &str) -> Answer {
    ask(&house.asker, "GET", "/exports", Some(key)).await
}

async fn whose_requests_count_together_is_said(house: House) {
    let issue = async |consumer: bool| {
        let body = if consumer { json!({"consumer": "customer-1"}) } else { json!({}) };
        house.admin.issue(body).await.key
    };
    let (one, two) = (issue(true).await, issue(true).await);
    let (alone, other) = (issue(false).await, issue(false).await);
    for (per, wanted) in [
        // Each key has two; a consumer's keys have two together; all have two together.
        ("key", [200, 200, 429, 200, 200, 200, 200]),
        ("consumer", [200, 200, 429, 429, 429, 200, 200]),
        ("all", [200, 200, 429, 429, 429, 429, 429]),
        ("address", [200, 200, 429, 429, 429, 429, 429]),
    ] {
        limited(&house, json!([limit(per, 2, per)])).await;
        let mut found = Vec::new();
        for key in [&one, &one, &one, &two, &two, &alone, &other] {
            found.push(exports(&house, key).await.status.as_u16());
        }
        assert_eq!(found, wanted, "{per}");
    }
    // Elsewhere nothing is limited.
    assert_eq!(ask(&house.asker, "GET", "/zones", Some(&one)).await.status, 200);
}

/// LESSONS 7: a refused request had already consumed.
async fn a_refusal_by_any_limit_takes_of_none_lessons_7(house: House) {
    let own = json!({"limits": [{"name": "own", "limit": 10, "window": "1h"}]});
    let (key, other) = (house.admin.issue(own).await.key, house.admin.issue(json!({})).await.key);
    let routes = json!([{"path": "/exports", "cost": 2,
        "limits": [limit("each", 4, "key"), limit("everybody", 6, "all")]}]);
    house.admin.put(PATH, guard("enforce", routes)).await.ok();
    let answer = exports(&house, &key).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["ratelimit-policy"],
        "\"own\";q=10;w=3600, \"each\";q=4;w=3600, \"everybody\";q=6;w=3600"
    );
    assert_eq!(answer.headers["ratelimit"], "\"own\";r=8, \"each\";r=2, \"everybody\";r=4");
    assert_eq!(exports(&house, &key).await.status, 200);
    for _ in 0..3 {
        let refused = exports(&house, &key).await;
        assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (429, Some("rate_limited")));
        // Two units of four an hour.
        assert_eq!(refused.headers["retry-after"], "1800");
        assert_eq!(refused.headers["ratelimit"], "\"own\";r=6, \"each\";r=0;t=1800, \"everybody\";r=2");
    }
    assert_eq!(exports(&house, &other).await.status, 200);
    assert_eq!(exports(&house, &other).await.headers["ratelimit"], "\"each\";r=2, \"everybody\";r=0;t=1200");
}

async fn exactly_as_many_pass_as_a_limit_says_whatever_comes_at_once(house: House) {
    let limits = json!({"limits": [{"name": "a", "limit": 1_000, "window": "1h"}, {"name": "b", "limit": 900, "window": "1h"}]});
    let keys = [house.admin.issue(json!({})).await.key, house.admin.issue(limits).await.key];
    limited(
        &house,
        json!([limit("each", 40, "key"), limit("everybody", 60, "all"), limit("from", 1_000, "address")]),
    )
    .await;
    let mut running = tokio::task::JoinSet::new();
    for task in 0..16 {
        let (proxy, key) = (house.asker.clone(), keys[task % 2].clone());
        running.spawn(async move {
            let mut passed = 0;
            for _ in 0..8 {
                passed += usize::from(ask(&proxy, "GET", "/exports", Some(&key)).await.status == 200);
            }
            passed
        });
    }
    assert_eq!(running.join_all().await.into_iter().sum::<usize>(), 60);
}

/// LESSONS 3: rotating reset limits; minting multiplied them.
async fn minting_and_rotating_multiply_no_limit_of_a_route_lessons_3(house: House) {
    limited(&house, json!([limit("each", 3, "key")])).await;
    let key = house.admin.issue(json!({})).await;
    let minted = house.admin.mint(&key, json!({})).await;
    let rotated = house.admin.rotate(&key, json!({"grace_seconds": 3_600})).await;
    for (key, wanted) in
        [(&minted, 200), (&key, 200), (&rotated, 200), (&minted, 429), (&key, 429), (&rotated, 429)]
    {
        assert_eq!(exports(&house, &key.key).await.status, wanted);
    }
}

async fn changed_numbers_hold_at_once_and_other_changes_keep_the_count(house: House) {
    let key = house.admin.issue(json!({})).await.key;
    limited(&house, json!([limit("each", 3, "key")])).await;
    for wanted in [200, 200, 200, 429] {
        assert_eq!(exports(&house, &key).await.status, wanted);
    }
    let kept = json!([{"path": "/new"}, {"path": "/exports", "cost": 1, "limits": [limit("more", 9, "all"), limit("each", 3, "key")]}]);
    house.admin.put(PATH, guard("enforce", kept)).await.ok();
    assert_eq!(exports(&house, &key).await.status, 429);
    // What was used up stays used up; from now on it fills as the new numbers say.
    limited(&house, json!([limit("each", 6, "key")])).await;
    assert_eq!(exports(&house, &key).await.status, 429);
    house.wait(600);
    assert_eq!(exports(&house, &key).await.status, 200);
    assert_eq!(exports(&house, &key).await.status, 429);
    limited(&house, json!([])).await;
    assert_eq!(exports(&house, &key).await.status, 200);
}

async fn public_routes_are_limited_by_network_and_for_all(house: House) {
    let limits = json!([limit("each", 2, "address"), limit("everybody", 4, "all")]);
    let routes = json!([{"path": "/open", "public": true, "limits": limits}]);
    house.admin.put(PATH, guard("enforce", routes)).await.ok();
    let open = async |client: &str| ask_from(&house.asker, client, "/open").await;
    let first = open("2001:db8::1").await;
    assert_eq!(
        (first.status.as_u16(), &first.headers["ratelimit"]),
        (200, &"\"each\";r=1, \"everybody\";r=3".parse().unwrap())
    );
    assert_eq!(open("2001:db8::2").await.status, 200);
    let refused = open("2001:db8::3").await;
    assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (429, Some("rate_limited")));
    assert_eq!(refused.headers["retry-after"], "1800");
    for (client, wanted) in [("2001:db8:0:1::1", 200), ("192.0.2.1", 200), ("192.0.2.2", 429)] {
        assert_eq!(open(client).await.status, wanted, "{client}");
    }
    house.wait(900);
    assert_eq!(open("192.0.2.2").await.status, 200);
}

async fn observing_counts_as_if_it_were_enforced(mut house: House) {
    let key = house.admin.issue(json!({})).await.key;
    let routes = |mode: &str| {
        json!([{"path": "/exports", "mode": mode, "limits": [limit("each", 2, "key")]},
            {"path": "/open", "public": true, "mode": mode, "limits": [limit("all", 1, "all")]}])
    };
    house.admin.put(PATH, guard("enforce", routes("observe"))).await.ok();
    for _ in 0..5 {
        assert_eq!(exports(&house, &key).await.status, 200);
        assert_eq!(ask(&house.asker, "GET", "/open", None).await.status, 200);
    }
    house.admin.put(PATH, guard("enforce", routes("enforce"))).await.ok();
    assert_eq!(exports(&house, &key).await.status, 429);
    assert_eq!(ask(&house.asker, "GET", "/open", None).await.status, 429);
    house.restart().await;
    let report = house.admin.get(&format!("{PATH}/report")).await.ok();
    let rows: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["route"], &row["code"], &row["count"]))
        .collect();
    let [open, keyed] = [("* /open", 4), ("* /exports", 3)]
        .map(|(route, count)| (json!(route), json!("rate_limited"), json!(count)));
    assert_eq!(rows, [(&open.0, &open.1, &open.2), (&keyed.0, &keyed.1, &keyed.2)]);
}

async fn what_is_no_limit_is_refused_and_its_field_named(house: House) {
    let wrong = async |route: Value, field: &str| {
        let body = json!({"mode": "enforce", "routes": [{"path": "/a"}, route]});
        house.admin.put(PATH, body).await.wrong_field("invalid_field", field);
    };
    let with = |limits: Value| json!({"path": "/b", "limits": limits});
    let good = limit("a", 1, "all");
    wrong(with(json!([good, good, good, good, good])), "/routes/1/limits").await;
    wrong(with(json!([good, good])), "/routes/1/limits/1/name").await;
    wrong(with(json!([limit("a", 0, "all")])), "/routes/1/limits/0/limit").await;
    wrong(with(json!([{"name": "a", "limit": 1, "window": "1w"}])), "/routes/1/limits/0/window").await;
    wrong(with(json!([{"name": "a", "limit": 1, "window": "1h", "burst": 2}])), "/routes/1/limits/0/burst")
        .await;
    wrong(with(json!([limit("a", 1, "person")])), "/routes/1/limits/0/per").await;
    wrong(json!({"path": "/b", "public": true, "limits": [limit("a", 1, "key")]}), "/routes/1/limits/0/per")
        .await;
    let set =
        house.admin.put(PATH, guard("enforce", json!([with(json!([limit("a", 1, "key")]))]))).await.ok();
    assert_eq!(set["rules"]["routes"][0]["limits"], json!([{"name": "a", "limit": 1, "window": "1h"}]));
}
