//! `/v1/identity-providers`: who may say who is whom.

use crate::house::{Client, House, Provider, merged, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_provider_is_set_only_by_who_may_everything_and_proved_a_second_factor,
    a_provider_is_changed_and_its_secret_never_shown,
    every_field_is_bounded_and_says_how_to_mend_it,
    providers_at_private_addresses_are_for_the_operator_to_allow_lessons_40,
    a_provider_is_tried_before_anybody_depends_on_it,
    an_organization_has_five_at_most,
}

fn corp(changes: Value) -> Value {
    let corp = json!({"name": "corp", "issuer": "https://id.example.com", "client_id": "keystead",
        "client_secret": "canary-of-the-secret", "email_domains": ["example.com"]});
    merged(corp, changes)
}

async fn add(client: &Client, changes: Value) -> crate::house::Answer {
    client.post("/v1/identity-providers", corp(changes)).await
}

/// A provider can say of anybody that they are the owner: who sets one is one.
async fn a_provider_is_set_only_by_who_may_everything_and_proved_a_second_factor(house: House) {
    let administrator =
        house.person("ann@example.com", &["people.*", "authority.grant", "projects.*", "keys.*"]).await;
    let looker = house.person("lou@example.com", &["people.read"]).await;
    let owner = house.person("olga@example.com", &["**"]).await;
    let (ann, lou, olga) =
        (house.sign_in(&administrator).await, house.sign_in(&looker).await, house.sign_in(&owner).await);
    add(&ann, json!({})).await.refused(403, "forbidden");
    add(&lou, json!({})).await.refused(403, "forbidden");
    add(&olga, json!({})).await.refused(403, "second_factor_required");
    house.second_factor(&olga).await;
    add(&olga, json!({})).await.created();
    house.second_factor(&ann).await;
    let path = "/v1/identity-providers/corp";
    for hostile in [
        json!({"client_id": "mine"}),
        json!({"email_domains": ["evil.example"]}),
        json!({"just_in_time": true}),
    ] {
        ann.patch(path, hostile.clone()).await.refused(403, "forbidden");
        lou.patch(path, hostile).await.refused(403, "forbidden");
    }
    ann.delete(path).await.refused(403, "forbidden");
    lou.get(path).await.ok();
    lou.poke(&format!("{path}/test")).await.refused(403, "forbidden");
    // Their key gives nothing that asks for a second factor, as with administrators.
    let key = house.admin.issue_in("keystead", json!({"permissions": ["**"]})).await;
    house.admin.patch(&key.path(), json!({"owner": owner.id})).await.ok();
    house.stranger.with_key(&key.key).delete(path).await.refused(403, "second_factor_required");
    // Ten minutes later it is asked for again.
    house.wait(601);
    olga.patch(path, json!({"just_in_time": true})).await.refused(403, "second_factor_required");
    house.admin.delete(path).await.gone();
}

async fn a_provider_is_changed_and_its_secret_never_shown(house: House) {
    house.admin.team("routing", json!([])).await;
    let made = add(
        &house.admin,
        json!({"groups_claim": "groups", "group_teams": [{"group": "net", "team": "routing"}]}),
    );
    let made = made.await.created();
    assert_eq!(made["scopes"], json!(["openid", "email", "profile"]));
    assert_eq!(made["group_teams"], json!([{"group": "net", "team": "routing"}]));
    assert_eq!((&made["has_secret"], &made["enforced"]), (&json!(true), &json!(false)));
    assert_eq!(made["redirect_uri"], format!("{}/v1/sign-in/oidc/callback", house.url()));
    let path = "/v1/identity-providers/corp";
    add(&house.admin, json!({})).await.refused(409, "conflict");
    house.other.get(path).await.refused(404, "not_found");
    let changes = json!({"client_secret": null, "groups_claim": null, "email_domains": ["B.example", "b.example "],
        "scopes": ["email"]});
    let changed = house.admin.patch(path, changes).await.ok();
    assert_eq!((&changed["has_secret"], &changed["groups_claim"]), (&json!(false), &json!(null)));
    assert_eq!(changed["email_domains"], json!(["b.example"]));
    assert_eq!(changed["scopes"], json!(["openid", "email"]));
    assert_eq!(changed["version"], 2);
    let stale = [("if-match", "\"1\"")];
    let again = house.admin.call(http::Method::PATCH, path, Some(json!({"client_id": "x"})), &stale).await;
    again.refused(412, "precondition_failed");
    house.admin.patch(path, json!({"client_secret": "another-canary"})).await.ok();
    // A team that is gone is shown by its id, and gives nobody anything.
    house.admin.delete("/v1/teams/routing").await.gone();
    assert!(
        house.admin.get(path).await.ok()["group_teams"][0]["team"].as_str().unwrap().starts_with("team_")
    );
    let listed = house.admin.get("/v1/identity-providers").await;
    let audit = house.admin.get("/v1/audit?limit=1000").await;
    assert!(audit.text.contains("new_secret") && audit.text.contains("identity_provider.update"));
    for text in [&listed.text, &audit.text] {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(!house.database_bytes().windows(6).any(|window| window == b"canary"));
}

async fn every_field_is_bounded_and_says_how_to_mend_it(house: House) {
    for (field, value) in [
        ("/name", json!("Corp")),
        ("/name", json!("")),
        ("/issuer", json!("id.example.com")),
        ("/issuer", json!("http://id.example.com")),
        ("/issuer", json!("https://id.example.com?x=1")),
        ("/issuer", json!("https://id.example.com#x")),
        ("/issuer", json!("https://user:pass@id.example.com")),
        ("/issuer", json!(" https://id.example.com")),
        ("/issuer", json!(format!("https://id.example.com/{}", "x".repeat(600)))),
        ("/client_id", json!("")),
        ("/client_id", json!("a\u{7f}b")),
        ("/client_id", json!("x".repeat(257))),
        ("/client_secret", json!("")),
        ("/client_secret", json!("x".repeat(1_025))),
        ("/groups_claim", json!("")),
        ("/email_domains", json!([])),
        ("/email_domains", json!(vec!["a.example"; 21])),
        ("/email_domains/0", json!(["example"])),
        ("/email_domains/0", json!(["*.example.com"])),
        ("/email_domains/1", json!(["example.com", "a@example.com"])),
    ] {
        let name = field.split('/').nth(1).unwrap();
        add(&house.admin, json!({name: value})).await.wrong_field("invalid_field", field);
    }
    let scopes = json!({"scopes": ["openid", "email profile"]});
    add(&house.admin, scopes).await.wrong_field("invalid_field", "/scopes/1");
    add(&house.admin, json!({"scopes": vec!["a"; 17]})).await.wrong_field("invalid_field", "/scopes");
    let team = json!({"group_teams": [{"group": "a", "team": "nobody"}]});
    add(&house.admin, team).await.wrong_field("unknown_name", "/group_teams/0/team");
    let many = json!({"group_teams": vec![json!({"group": "a", "team": "nobody"}); 201]});
    add(&house.admin, many).await.wrong_field("invalid_field", "/group_teams");
    assert_eq!(house.admin.get("/v1/identity-providers").await.ok()["items"], json!([]));
}

/// LESSONS 40: a tenant has the server look around in the network that it stands in.
async fn providers_at_private_addresses_are_for_the_operator_to_allow_lessons_40(mut house: House) {
    let private = [
        "https://127.0.0.1",
        "http://127.0.0.1:8080",
        "https://localhost",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[::ffff:10.0.0.1]",
        "https://[fd00:ec2::254]",
        "https://2130706433",
    ];
    for issuer in private {
        add(&house.admin, json!({"issuer": issuer})).await.wrong_field("invalid_field", "/issuer");
    }
    house.reach_private_providers().await;
    add(&house.admin, json!({"issuer": "https://127.0.0.1:1"})).await.created();
    // In the clear only on this machine, whatever is allowed.
    add(&house.admin, json!({"issuer": "http://10.0.0.1"})).await.wrong_field("invalid_field", "/issuer");
}

async fn a_provider_is_tried_before_anybody_depends_on_it(mut house: House) {
    let Some(provider) = Provider::start(&mut house).await else { return };
    let test = async |changes: Value| {
        add(&house.admin, changes).await.created();
        let found = house.admin.poke("/v1/identity-providers/corp/test").await.ok();
        house.admin.delete("/v1/identity-providers/corp").await.gone();
        found
    };
    let good = test(json!({"issuer": provider.issuer})).await;
    assert_eq!((&good["ok"], &good["signing_keys"]), (&json!(true), &json!(1)));
    assert_eq!(good["algorithms"], json!(["RS256"]));
    // Named otherwise than it names itself, or where nobody is.
    for issuer in [format!("{}/", provider.issuer), "http://127.0.0.1:1".into()] {
        let bad = test(json!({"issuer": issuer})).await;
        assert_eq!(bad["ok"], false);
        assert!(bad["problem"].as_str().unwrap().ends_with('.'), "{bad}");
    }
}

async fn an_organization_has_five_at_most(house: House) {
    for n in 0..5 {
        add(&house.admin, json!({"name": format!("p{n}")})).await.created();
    }
    add(&house.admin, json!({"name": "p5"})).await.refused(409, "conflict");
    add(&house.other, json!({"name": "p5"})).await.created();
    assert_eq!(house.admin.get("/v1/identity-providers").await.ok()["items"].as_array().unwrap().len(), 5);
}
