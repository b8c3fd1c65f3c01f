//! One's own passkeys: added, seen, named, deleted.

use crate::house::{House, MailServer, PASSWORD, device, flow, on_both_engines, read, says};
use keystead_webauthn::testing::{Authenticator, Says, encode};
use serde_json::{Value, json};

on_both_engines! {
    a_passkey_is_added_seen_named_and_deleted,
    what_the_browser_is_asked_names_the_site_and_the_account,
    adding_one_takes_the_password_or_the_second_factor_again,
    the_first_second_factor_brings_recovery_codes_and_the_last_takes_them,
    one_time_codes_are_not_added_around_a_passkey,
    a_passkey_that_does_not_hold_is_refused_by_its_step,
    what_was_not_begun_in_this_session_adds_nothing,
    a_passkey_is_registered_once_and_never_taken_over,
    an_account_has_ten_at_most_also_of_many_at_once,
    deleting_one_ends_the_other_sessions_and_its_way_in,
    passkeys_are_for_people_and_for_their_own_account_only,
    its_person_is_told_by_letter,
}

const PATH: &str = "/v1/account/passkeys";

async fn a_passkey_is_added_seen_named_and_deleted(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    assert_eq!(session.get(PATH).await.ok()["items"], json!([]));
    let (device, added) = house.add_passkey(&session, "laptop").await;
    assert_eq!((&added["name"], &added["backed_up"]), (&json!("laptop"), &json!(false)));
    assert_eq!((&added["transports"], &added["last_used_at"]), (&json!(["internal"]), &Value::Null));
    house.wait(1);
    let (_, second) = house.add_passkey(&session, "phone").await;
    assert!(second.get("recovery_codes").is_none());
    let listed = session.get(PATH).await.ok()["items"].clone();
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&json!("phone"), &json!("laptop")));
    let path = format!("{PATH}/{}", added["id"].as_str().unwrap());
    let named = async |version: &str| {
        let body = Some(json!({"name": "The big one"}));
        session.call(http::Method::PATCH, &path, body, &[("if-match", version)]).await
    };
    named("\"7\"").await.refused(412, "precondition_failed");
    assert_eq!(named("\"1\"").await.ok()["version"], 2);
    session.patch(&path, json!({"name": " "})).await.wrong_field("invalid_field", "/name");
    assert_eq!(session.patch(&path, json!({})).await.ok()["version"], 2);
    house.wait(5);
    house.sign_in_with(&device).await;
    let seen = session.get(PATH).await.ok()["items"][1].clone();
    assert_eq!(
        (&seen["name"], &seen["last_used_at"]),
        (&json!("The big one"), &json!("2026-01-01T00:00:06Z"))
    );
    session.delete(&path).await.gone();
    for answer in [session.delete(&path).await, session.patch(&path, json!({"name": "x"})).await] {
        answer.refused(404, "not_found");
    }
    let acts = house.admin.audit(&format!("actor={}", ada.id)).await;
    for (action, field) in [("add", "after"), ("update", "before"), ("update", "after"), ("delete", "before")]
    {
        let act = acts.iter().find(|act| act["action"] == format!("account.{action}_passkey")).unwrap();
        assert!(act[field]["passkey"].as_str().unwrap().starts_with("pky_"), "{act}");
    }
}

async fn what_the_browser_is_asked_names_the_site_and_the_account(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    house.add_passkey(&session, "laptop").await;
    let begun = house.begin_passkey(&session).await;
    let options = &begun["options"];
    assert_eq!(options["rp"], json!({"id": "localhost", "name": "Keystead"}));
    assert_eq!(begun["page"], "http://localhost:7700/passkeys");
    assert_eq!(begun["expires_at"], "2026-01-01T00:05:00Z");
    assert_eq!(
        (&options["user"]["name"], &options["user"]["displayName"]),
        (&json!("ada@example.com"), &json!("Ada"))
    );
    let algorithms: Vec<_> = options["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(algorithms, [-8, -7, -257]);
    assert_eq!(options["excludeCredentials"][0]["id"], encode(b"laptop"));
    let selection = &options["authenticatorSelection"];
    assert_eq!(
        (&selection["residentKey"], &selection["userVerification"]),
        (&json!("required"), &json!("required"))
    );
    assert_eq!((&options["attestation"], &options["timeout"]), (&json!("none"), &json!(300_000)));
    // 256 bits, each time others.
    let other = house.begin_passkey(&session).await;
    assert_eq!(options["challenge"].as_str().unwrap().len(), 43);
    assert_ne!(options["challenge"], other["options"]["challenge"]);
}

async fn adding_one_takes_the_password_or_the_second_factor_again(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let path = "/v1/account/passkeys/begin";
    let begin = |body: Value| session.post(path, body);
    begin(json!({})).await.wrong_field("invalid_field", "/password");
    begin(json!({"password": "a wrong password"})).await.refused(401, "sign_in_failed");
    begin(json!({"password": PASSWORD})).await.ok();
    let (secret, _) = house.second_factor(&session).await;
    house.wait(600);
    // The password is no second factor.
    begin(json!({"password": PASSWORD})).await.refused(403, "second_factor_required");
    session.post("/v1/sessions/current/second-factor", json!({"code": house.code(&secret)})).await.ok();
    begin(json!({})).await.ok();
    let (bob, device) = house.with_passkey("bob@example.com", &[]).await;
    let mut proof = bob.proof();
    proof["passkey"] = house.passkey_proof(&device).await;
    let token = house.try_sign_in(proof).await.created()["token"].as_str().unwrap().to_owned();
    let bobs = house.stranger.with_key(&token);
    bobs.post(path, json!({})).await.ok();
    house.wait(600);
    bobs.post(path, json!({"password": PASSWORD})).await.refused(403, "second_factor_required");
}

async fn the_first_second_factor_brings_recovery_codes_and_the_last_takes_them(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let (_, added) = house.add_passkey(&session, "laptop").await;
    let codes: Vec<String> = serde_json::from_value(added["recovery_codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(session.get("/v1/sessions/current").await.ok()["second_factor"], true);
    // The password alone signs in no more; a recovery code beside it does, once.
    house.try_sign_in(ada.proof()).await.refused(403, "second_factor_required");
    let mut proof = ada.proof();
    proof["code"] = codes[0].clone().into();
    house.try_sign_in(proof.clone()).await.created();
    house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    let new = session.poke("/v1/account/recovery-codes").await.ok()["codes"].clone();
    // With one-time codes beside it, those are the ones that count, and both are left when one goes.
    let (secret, codes) = house.second_factor(&session).await;
    proof["code"] = new[0].clone();
    house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    session.delete("/v1/account/totp").await.gone();
    proof["code"] = house.code(&secret).into();
    house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    proof["code"] = codes[0].clone().into();
    house.try_sign_in(proof.clone()).await.created();
    session.delete(&format!("{PATH}/{}", added["id"].as_str().unwrap())).await.gone();
    house.sign_in(&ada).await;
    session.poke("/v1/account/recovery-codes").await.refused(409, "conflict");
    // None of the old ones is left for another second factor.
    let (_, again) = house.add_passkey(&session, "phone").await;
    assert_eq!(again["recovery_codes"].as_array().unwrap().len(), 10);
    proof["code"] = codes[1].clone().into();
    house.try_sign_in(proof).await.refused(401, "sign_in_failed");
}

/// Else a stolen session and the password would add a second factor of somebody else's.
async fn one_time_codes_are_not_added_around_a_passkey(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    house.add_passkey(&session, "laptop").await;
    let begin = || session.post("/v1/account/totp", json!({"password": PASSWORD}));
    begin().await.ok();
    house.wait(600);
    begin().await.refused(403, "second_factor_required");
}

async fn a_passkey_that_does_not_hold_is_refused_by_its_step(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let begun = house.begin_passkey(&session).await;
    let device = device(&begun, "laptop");
    let with = |change: fn(&mut Says)| {
        let mut says = says(&begun);
        change(&mut says);
        device.create_json(flow(&begun), "laptop", &says)
    };
    for (lie, step) in [
        (with(|says| says.kind = Some("webauthn.get")), "another ceremony"),
        (with(|says| says.challenge = encode(&[7; 32])), "another challenge"),
        (with(|says| says.origin = "http://localhost:7701".into()), "another site"),
        (with(|says| says.origin = "https://evil.example".into()), "another site"),
        (with(|says| says.cross_origin = true), "another site's page"),
        (with(|says| says.site = "evil.example".into()), "for another site"),
        (with(|says| says.flags = 0x04), "nobody touched"),
        (with(|says| says.flags = 0x01), "did not verify its user"),
        (with(|says| says.flags = 0x15), "backups"),
        (with(|says| says.tail = vec![1, 2, 3]), "malformed"),
    ] {
        let told = session.post(PATH, lie).await.wrong_field("invalid_field", "/attestation");
        assert!(told["detail"].as_str().unwrap().contains(step), "{step}: {told}");
    }
    let mut odd = with(|_| ());
    for (field, text) in [("attestation", "+/+/"), ("attestation", ""), ("client_data", "e30")] {
        let good = odd[field].take();
        odd[field] = text.into();
        let told = session.post(PATH, odd.clone()).await.refused(422, "invalid_field");
        assert!(told["detail"].as_str().unwrap().ends_with('.'), "{told}");
        odd[field] = good;
    }
    odd["attestation"] = "A".repeat(30_000).into();
    session.post(PATH, odd).await.wrong_field("invalid_field", "/attestation");
    // Nothing of that used it up.
    session.post(PATH, with(|_| ())).await.created();
    assert_eq!(session.get(PATH).await.ok()["items"].as_array().unwrap().len(), 1);
}

async fn what_was_not_begun_in_this_session_adds_nothing(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let (session, other) = (house.sign_in(&ada).await, house.sign_in(&ada).await);
    let bob = house.person("bob@example.com", &[]).await;
    let bobs = house.sign_in(&bob).await;
    let begun = house.begin_passkey(&session).await;
    let device = device(&begun, "laptop");
    let made = device.create_json(flow(&begun), "laptop", &says(&begun));
    for elsewhere in [&other, &bobs] {
        elsewhere.post(PATH, made.clone()).await.wrong_field("invalid_field", "/flow");
    }
    // A sign-in's, and none.
    let signing_in = house.begin_passkey_sign_in().await;
    for flow in [flow(&signing_in), "", "ksf_x", flow(&begun).trim_end_matches(char::is_alphanumeric)] {
        let made = device.create_json(flow, "laptop", &says(&signing_in));
        session.post(PATH, made).await.wrong_field("invalid_field", "/flow");
    }
    let (one, two) = tokio::join!(session.post(PATH, made.clone()), session.post(PATH, made.clone()));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert!(codes[0] == 201 && [409, 422].contains(&codes[1]), "{codes:?}");
    session.post(PATH, made).await.wrong_field("invalid_field", "/flow");
    // And five minutes later.
    let begun = house.begin_passkey(&session).await;
    let made = device.create_json(flow(&begun), "laptop", &says(&begun));
    house.wait(300);
    session.post(PATH, made).await.wrong_field("invalid_field", "/flow");
}

async fn a_passkey_is_registered_once_and_never_taken_over(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &[]).await;
    let bob = house.person("bob@example.com", &[]).await;
    let bobs = house.sign_in(&bob).await;
    let begun = house.begin_passkey(&bobs).await;
    // Another key under the id of Ada's: it would sign in as her, or keep her out.
    let thief = Authenticator::es256(&device.credential_id, &device.user_handle);
    let made = thief.create_json(flow(&begun), "mine", &says(&begun));
    bobs.post(PATH, made).await.refused(409, "conflict");
    assert_eq!(bobs.get("/v1/sessions/current").await.ok()["second_factor"], false);
    let session = house.sign_in_with(&device).await;
    assert_eq!(session.get("/v1/sessions/current").await.ok()["member_id"], json!(ada.id));
    house.try_passkey(&house.passkey_proof(&thief).await).await.refused(401, "sign_in_failed");
}

async fn an_account_has_ten_at_most_also_of_many_at_once(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    for number in 0..9 {
        house.add_passkey(&session, &format!("device {number}")).await;
    }
    let (one, two) = (house.begin_passkey(&session).await, house.begin_passkey(&session).await);
    let made = |begun: &Value, name: &str| device(begun, name).create_json(flow(begun), name, &says(begun));
    let (first, second) =
        tokio::join!(session.post(PATH, made(&one, "tenth")), session.post(PATH, made(&two, "eleventh")));
    let mut codes = [first.status.as_u16(), second.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 409]);
    session.post("/v1/account/passkeys/begin", json!({})).await.refused(409, "conflict");
    assert_eq!(session.get(PATH).await.ok()["items"].as_array().unwrap().len(), 10);
}

async fn deleting_one_ends_the_other_sessions_and_its_way_in(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let (laptop, added) = house.add_passkey(&session, "laptop").await;
    let (phone, _) = house.add_passkey(&session, "phone").await;
    let path = format!("{PATH}/{}", added["id"].as_str().unwrap());
    let thiefs = house.sign_in_with(&laptop).await;
    house.wait(600);
    session.delete(&path).await.refused(403, "second_factor_required");
    let hers = house.sign_in_with(&phone).await;
    hers.call(http::Method::DELETE, &path, None, &[("if-match", "\"9\"")])
        .await
        .refused(412, "precondition_failed");
    hers.delete(&path).await.gone();
    for ended in [&session, &thiefs] {
        ended.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    }
    hers.get("/v1/sessions/current").await.ok();
    house.try_passkey(&house.passkey_proof(&laptop).await).await.refused(401, "sign_in_failed");
    house.sign_in_with(&phone).await;
}

async fn passkeys_are_for_people_and_for_their_own_account_only(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let adas = house.sign_in_with(&device).await;
    let id = adas.get(PATH).await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let bob = house.person("bob@example.com", &["**"]).await;
    let bobs = house.sign_in(&bob).await;
    let nobodys = format!("{}{}", &id[..id.len() - 1], if id.ends_with('7') { "8" } else { "7" });
    for id in [&id, &nobodys] {
        let path = format!("{PATH}/{id}");
        bobs.patch(&path, json!({"name": "x"})).await.refused(404, "not_found");
        bobs.delete(&path).await.refused(404, "not_found");
    }
    let path = format!("{PATH}/{id}");
    for answer in [
        house.admin.get(PATH).await,
        house.admin.post("/v1/account/passkeys/begin", json!({"password": PASSWORD})).await,
        house.admin.patch(&path, json!({"name": "x"})).await,
        house.admin.delete(&path).await,
        house.admin.poke("/v1/sessions/current/second-factor/passkey").await,
    ] {
        answer.refused(403, "forbidden");
    }
}

async fn its_person_is_told_by_letter(mut house: House) {
    let Some(mut server) = MailServer::start(json!({})).await else { return };
    let ada = house.person("ada@example.com", &[]).await;
    house.mail_through(Some(server.smtp())).await;
    let session = house.sign_in(&ada).await;
    let (_, added) = house.add_passkey(&session, "laptop").await;
    session.delete(&format!("{PATH}/{}", added["id"].as_str().unwrap())).await.gone();
    assert!(house.keystead.deliver().await.unwrap());
    let mut told = Vec::new();
    for _ in 0..2 {
        let (head, text) = read(&server.next().await.unwrap());
        assert!(format!("{head:?}").contains("ada@example.com"), "{head:?}");
        told.push(text.replace("=\n", ""));
    }
    // Both may be on their way at once: any may arrive first.
    for did in ["added to", "deleted from"] {
        let about = |text: &&String| text.contains("\"laptop\"") && text.contains(did);
        assert_eq!(told.iter().filter(about).count(), 1, "{did}: {told:?}");
    }
    assert!(server.end().await.is_empty());
}
