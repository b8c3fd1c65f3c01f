//! `/v1/contacts`, `/v1/contact-confirmations`, `/v1/teams/{team}/contact/ask`

use crate::house::{Answer, House, MailServer, grants, on_both_engines, read, token_in, token_in_letter};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

on_both_engines! {
    a_contact_is_verified_by_its_link_and_then_anybody_finds_it,
    what_is_not_shown_looks_like_nothing,
    a_link_works_once_for_its_time_and_its_address,
    of_two_at_once_one_confirms,
    only_who_looks_after_people_asks_or_lists,
    look_ups_are_bounded,
    by_mail_a_contact_is_asked_at_once_and_every_year,
    a_contact_that_is_changed_to_and_fro_is_sent_one_letter,
}

/// A team whose contact can be looked up, once it is verified.
async fn routing(house: &House) -> Value {
    let team = json!({"name": "routing", "contact": "routing@example.net", "listed": true});
    house.admin.post("/v1/teams", team).await.created()
}

/// Has a team's contact asked; the link's token.
async fn ask(house: &House) -> String {
    let asked = house.admin.poke("/v1/teams/routing/contact/ask").await.ok();
    assert_eq!(asked["mailed"], false);
    token_in(asked["link"].as_str().unwrap())
}

async fn confirm(house: &House, token: &str) -> Answer {
    house.stranger.post("/v1/contact-confirmations", json!({"token": token})).await
}

async fn shown(house: &House) -> Answer {
    house.stranger.get("/v1/contacts/acme").await
}

async fn a_contact_is_verified_by_its_link_and_then_anybody_finds_it(house: House) {
    let team = routing(&house).await;
    assert_eq!((&team["contact_state"], &team["listed"]), (&json!("unverified"), &json!(true)));
    shown(&house).await.refused(404, "not_found");
    let token = ask(&house).await;
    house.wait(60);
    let confirmed = confirm(&house, &token).await.ok();
    assert_eq!(
        confirmed,
        json!({"organization": "acme", "team": "routing", "contact": "routing@example.net"})
    );
    let at = "2026-01-01T00:01:00Z";
    assert_eq!(
        shown(&house).await.ok()["contacts"],
        json!([{"team": "routing", "contact": "routing@example.net", "verified_at": at}])
    );
    let team = house.admin.get("/v1/teams/routing").await.ok();
    assert_eq!((&team["contact_state"], &team["contact_verified_at"]), (&json!("verified"), &json!(at)));
    let record = &house.admin.audit("action=team.contact.confirm").await[0];
    assert_eq!((&record["actor"]["kind"], &record["target"]["id"]), (&json!("contact"), &team["id"]));
    assert!(record["request_id"].is_string());
    house.wait(365 * DAY - 1);
    shown(&house).await.ok();
    house.wait(1);
    shown(&house).await.refused(404, "not_found");
    assert_eq!(house.admin.get("/v1/teams/routing").await.ok()["contact_state"], "lapsed");
    confirm(&house, &ask(&house).await).await.ok();
    shown(&house).await.ok();
}

async fn what_is_not_shown_looks_like_nothing(house: House) {
    routing(&house).await;
    confirm(&house, &ask(&house).await).await.ok();
    house.admin.patch("/v1/teams/routing", json!({"listed": false})).await.ok();
    let told = async |slug: &str| {
        let mut body = house.stranger.get(&format!("/v1/contacts/{slug}")).await.refused(404, "not_found");
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    let unlisted = told("acme").await;
    assert_eq!(unlisted, told("nobody").await);
    assert_eq!(unlisted, told("other").await, "it has no team");
    let long = format!("/v1/contacts/{}", "a".repeat(65));
    house.stranger.get(&long).await.refused(422, "invalid_field");
}

async fn a_link_works_once_for_its_time_and_its_address(house: House) {
    routing(&house).await;
    let first = ask(&house).await;
    house.admin.poke("/v1/teams/routing/contact/ask").await.refused(429, "rate_limited");
    house.wait(300);
    let second = ask(&house).await;
    confirm(&house, &first).await.refused(404, "link_invalid");
    // Another address stands there now: who reads the former one says nothing of it.
    house.admin.patch("/v1/teams/routing", json!({"contact": "noc@example.net"})).await.ok();
    confirm(&house, &second).await.refused(404, "link_invalid");
    // A moment ago it was asked, though at another address.
    house.admin.poke("/v1/teams/routing/contact/ask").await.refused(429, "rate_limited");
    house.wait(300);
    let third = ask(&house).await;
    confirm(&house, &third).await.ok();
    confirm(&house, &third).await.refused(404, "link_invalid");
    house.admin.patch("/v1/teams/routing", json!({"contact": "routing@example.net"})).await.ok();
    let team = house.admin.get("/v1/teams/routing").await.ok();
    assert_eq!((&team["contact_state"], &team["contact_verified_at"]), (&json!("unverified"), &json!(null)));
    house.wait(300);
    let late = ask(&house).await;
    house.wait(14 * DAY);
    confirm(&house, &late).await.refused(404, "link_invalid");
    let deleted = ask(&house).await;
    house.admin.delete("/v1/teams/routing").await.gone();
    confirm(&house, &deleted).await.refused(404, "link_invalid");
    for token in ["", "ksl_", house.admin.key()] {
        confirm(&house, token).await.refused(404, "link_invalid");
    }
    // An invitation's link confirms nothing.
    let member = house.admin.add("ada@example.com", json!([])).await;
    let invitation = house.invite(&house.admin, &member).await;
    confirm(&house, &invitation).await.refused(404, "link_invalid");
}

async fn of_two_at_once_one_confirms(house: House) {
    routing(&house).await;
    let token = ask(&house).await;
    let (one, two) = tokio::join!(confirm(&house, &token), confirm(&house, &token));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 404]);
}

async fn only_who_looks_after_people_asks_or_lists(house: House) {
    routing(&house).await;
    let clerk = house.person("clerk@example.com", &["people.read"]).await;
    let clerk = house.sign_in(&clerk).await;
    clerk.poke("/v1/teams/routing/contact/ask").await.refused(403, "forbidden");
    clerk.patch("/v1/teams/routing", json!({"listed": false})).await.refused(403, "forbidden");
    house.stranger.poke("/v1/teams/routing/contact/ask").await.refused(401, "unauthenticated");
    let nobody = json!({"name": "dns", "listed": true, "grants": grants(&[])});
    house.admin.post("/v1/teams", nobody).await.created();
    house.admin.poke("/v1/teams/dns/contact/ask").await.refused(409, "conflict");
    house.admin.poke("/v1/teams/none/contact/ask").await.refused(404, "not_found");
}

async fn look_ups_are_bounded(house: House) {
    for _ in 0..30 {
        shown(&house).await.refused(404, "not_found");
    }
    let refused = shown(&house).await;
    assert!(refused.headers.contains_key("retry-after"));
    refused.refused(429, "rate_limited");
    house.wait(60);
    shown(&house).await.refused(404, "not_found");
}

/// Delivers one letter: to whom, and the link's token.
async fn letter(house: &House, server: &mut MailServer) -> (String, String) {
    assert!(house.keystead.deliver().await.unwrap());
    let (headers, text) = read(&server.next().await.unwrap());
    // A clock that jumps before it is recorded has it sent once more.
    loop {
        house.keystead.count_mail().await.unwrap();
        if house.keystead.mail_counts().waiting == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let to = headers.iter().find(|(name, _)| name == "To").unwrap().1.clone();
    (to, token_in_letter(&text))
}

async fn by_mail_a_contact_is_asked_at_once_and_every_year(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    let mut next = async |house: &House| letter(house, &mut server).await;
    let quiet = async |house: &House| {
        let before = house.admin.audit("action=team.contact.ask").await;
        house.keystead.ask_contacts().await.unwrap();
        assert_eq!(house.admin.audit("action=team.contact.ask").await, before);
    };
    routing(&house).await;
    let (to, token) = next(&house).await;
    assert!(to.contains("routing@example.net"));
    confirm(&house, &token).await.ok();
    house.admin.patch("/v1/teams/routing", json!({"purpose": "Routes"})).await.ok();
    quiet(&house).await;
    house.wait(300);
    // Whoever does not answer is not asked again by itself.
    house.admin.patch("/v1/teams/routing", json!({"contact": "noc@example.net"})).await.ok();
    assert!(next(&house).await.0.contains("noc@example.net"));
    house.wait(100 * DAY);
    quiet(&house).await;
    let asked = house.admin.poke("/v1/teams/routing/contact/ask").await.ok();
    assert_eq!((&asked["mailed"], asked.get("link")), (&json!(true), None));
    confirm(&house, &next(&house).await.1).await.ok();
    house.wait(335 * DAY - 1);
    quiet(&house).await;
    house.wait(1);
    house.keystead.ask_contacts().await.unwrap();
    if let Some(node) = house.second_node().await {
        node.ask_contacts().await.unwrap();
        node.close().await;
    }
    let (_, token) = next(&house).await;
    quiet(&house).await;
    assert_eq!(house.admin.audit("action=team.contact.ask").await.len(), 2);
    confirm(&house, &token).await.ok();
    house.wait(30 * DAY);
    shown(&house).await.ok();
}

async fn a_contact_that_is_changed_to_and_fro_is_sent_one_letter(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    house.mail_through(Some(server.smtp())).await;
    let change = async |house: &House, contact: Option<&str>| {
        house.admin.patch("/v1/teams/routing", json!({"contact": contact})).await.ok();
    };
    routing(&house).await;
    let (_, token) = letter(&house, &mut server).await;
    for contact in [Some("noc@example.net"), None] {
        change(&house, contact).await;
        confirm(&house, &token).await.refused(404, "link_invalid");
        house.admin.poke("/v1/teams/routing/contact/ask").await.refused(429, "rate_limited");
        change(&house, Some("routing@example.net")).await;
    }
    house.keystead.ask_contacts().await.unwrap();
    // Whoever has the letter can still answer.
    confirm(&house, &token).await.ok();
    change(&house, Some("noc@example.net")).await;
    // The hour's turn asks what the change did not.
    house.keystead.ask_contacts().await.unwrap();
    let (to, token) = letter(&house, &mut server).await;
    assert!(to.contains("noc@example.net"));
    confirm(&house, &token).await.ok();
    house.wait(300);
    change(&house, Some("routing@example.net")).await;
    assert!(letter(&house, &mut server).await.0.contains("routing@example.net"));
    assert!(house.keystead.deliver().await.unwrap());
    assert_eq!(server.end().await, [json!(null); 0], "there were other letters");
}
