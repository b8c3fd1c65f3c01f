//! What is tried against signing in with a passkey, and by whom.

use crate::house::{House, MailServer, flow, on_both_engines, origin, read, says};
use keystead_service::Refused;
use keystead_webauthn::testing::{Authenticator, Says, encode};
use serde_json::{Value, json};

on_both_engines! {
    who_begins_learns_of_nobody_lessons_24,
    each_lie_lets_nobody_in_lessons_26,
    an_answer_works_once_and_for_five_minutes,
    what_was_begun_for_something_else_signs_nobody_in,
    a_counter_that_went_back_is_refused_and_told,
    wrong_ones_wait_and_keep_nobody_else_out,
    what_is_under_way_from_one_network_is_bounded,
    what_proves_it_is_nowhere_afterwards_lessons_28,
}

/// After so long nobody waits any more.
const QUIET: i64 = 3_601;

/// LESSONS 24: nothing that somebody can ask tells who is here.
async fn who_begins_learns_of_nobody_lessons_24(house: House) {
    let empty = house.begin_passkey_sign_in().await;
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let full = house.begin_passkey_sign_in().await;
    let shape = |begun: &Value| {
        let mut begun = begun.clone();
        begun["flow"] = Value::Null;
        begun["options"]["challenge"] = Value::Null;
        begun
    };
    assert_eq!(shape(&empty), shape(&full));
    assert_eq!(full["options"]["allowCredentials"], json!([]));
    // One that there is, and one that there is not: the same.
    let unknown = Authenticator::es256(b"unknown", &device.user_handle);
    let mut wrong = house.passkey_proof(&device).await;
    wrong["signature"] = encode(&[7; 70]).into();
    let mut told = Vec::new();
    for proof in [wrong, house.passkey_proof(&unknown).await] {
        let mut body = house.try_passkey(&proof).await.refused(401, "sign_in_failed");
        body.as_object_mut().unwrap().remove("request_id");
        told.push(body);
    }
    assert_eq!(told[0], told[1]);
}

/// LESSONS 26: what failed gives no token beside the error.
async fn each_lie_lets_nobody_in_lessons_26(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let (_, bobs) = house.with_passkey("bob@example.com", &[]).await;
    let lies: [fn(&mut Says); 11] = [
        |says| says.kind = Some("webauthn.create"),
        |says| says.challenge = encode(&[7; 32]),
        |says| says.origin = "http://localhost:7701".into(),
        |says| says.origin = "http://127.0.0.1:7700".into(),
        |says| says.origin = "https://localhost:7700".into(),
        |says| says.cross_origin = true,
        |says| says.site = "evil.example".into(),
        |says| says.flags = 0x04,
        |says| says.flags = 0x01,
        |says| says.flags = 0x0d,
        |says| says.tail = vec![0],
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let begun = house.begin_passkey_sign_in().await;
        let mut says = says(&begun);
        lie(&mut says);
        let answer = house.try_passkey(&device.get_json(flow(&begun), &says)).await;
        assert!(!answer.text.contains("kss_") && !answer.headers.contains_key("set-cookie"), "{number}");
        answer.refused(401, "sign_in_failed");
        house.wait(QUIET);
    }
    let with = async |field: &str, value: Value| {
        let mut proof = house.passkey_proof(&device).await;
        proof[field] = value;
        proof
    };
    for (field, value) in [
        // Bob's name on Ada's passkey, and the other way round; and nobody's.
        ("user_handle", encode(&bobs.user_handle).into()),
        ("credential_id", encode(&bobs.credential_id).into()),
        ("user_handle", Value::Null),
        ("signature", encode(&[7; 70]).into()),
        ("flow", house.begin_passkey_sign_in().await["flow"].clone()),
        ("flow", "".into()),
    ] {
        house.try_passkey(&with(field, value).await).await.refused(401, "sign_in_failed");
        house.wait(QUIET);
    }
    let long = "A".repeat(2_000);
    for (field, value) in [("signature", "===="), ("signature", long.as_str()), ("credential_id", "")] {
        let odd = with(field, value.into()).await;
        house.try_passkey(&odd).await.wrong_field("invalid_field", &format!("/passkey/{field}"));
    }
    // All of that used nothing up.
    house.try_passkey(&house.passkey_proof(&device).await).await.created();
}

async fn an_answer_works_once_and_for_five_minutes(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let proof = house.passkey_proof(&device).await;
    let (one, two) = tokio::join!(house.try_passkey(&proof), house.try_passkey(&proof));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 401]);
    house.try_passkey(&proof).await.refused(401, "sign_in_failed");
    let late = house.passkey_proof(&device).await;
    house.wait(300);
    house.try_passkey(&late).await.refused(401, "sign_in_failed");
    let early = house.passkey_proof(&device).await;
    house.wait(299);
    house.try_passkey(&early).await.created();
    house.keystead.purge_sign_in().await.unwrap();
}

async fn what_was_begun_for_something_else_signs_nobody_in(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let session = house.sign_in_with(&device).await;
    for begun in [
        session.poke("/v1/sessions/current/second-factor/passkey").await.ok(),
        house.begin_passkey(&session).await,
    ] {
        let proof = device.get_json(flow(&begun), &says(&begun));
        house.try_passkey(&proof).await.refused(401, "sign_in_failed");
    }
}

async fn a_counter_that_went_back_is_refused_and_told(mut house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &[]).await;
    let server = MailServer::start(json!({})).await;
    if let Some(server) = &server {
        house.mail_through(Some(server.smtp())).await;
    }
    let at = async |count: u32| {
        let begun = house.begin_passkey_sign_in().await;
        let says = Says { count, ..says(&begun) };
        device.get_json(flow(&begun), &says)
    };
    house.try_passkey(&at(7).await).await.created();
    house.try_passkey(&at(8).await).await.created();
    // The copy, which was made at 7: however often it tries.
    for count in [8, 7, 0] {
        let copied = at(count).await;
        let answer = house.try_passkey(&copied).await;
        assert!(!answer.text.contains("kss_"));
        answer.refused(401, "passkey_copied");
        house.try_passkey(&copied).await.refused(401, "sign_in_failed");
        house.wait(QUIET);
    }
    // Beside a password it is told, too.
    let mut proof = ada.proof();
    proof["passkey"] = at(8).await;
    house.try_sign_in(proof).await.refused(401, "passkey_copied");
    // Whose it is can still use it; of two with one count one passes.
    let (one, two) = (at(9).await, at(9).await);
    let (one, two) = tokio::join!(house.try_passkey(&one), house.try_passkey(&two));
    let mut codes = [one.status.as_u16(), two.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 401]);
    let acts = house.admin.audit("action=account.passkey_copied").await;
    assert!(acts.len() >= 4, "{acts:?}");
    assert_eq!(
        (&acts[0]["actor"]["member"], &acts[0]["after"]["name"]),
        (&json!(ada.id), &json!("ada@example.com"))
    );
    let Some(mut server) = server else { return };
    assert!(house.keystead.deliver().await.unwrap());
    let (_, text) = read(&server.next().await.unwrap());
    assert!(text.contains("There may be two of it"), "{text}");
    let rest = server.end().await.len();
    assert!(rest <= 1, "a letter for each state of the counter: {rest}");
}

async fn wrong_ones_wait_and_keep_nobody_else_out(house: House) {
    let (ada, device) = house.with_passkey("ada@example.com", &[]).await;
    let (_, bobs) = house.with_passkey("bob@example.com", &[]).await;
    for _ in 0..5 {
        let mut wrong = house.passkey_proof(&device).await;
        wrong["signature"] = encode(&[7; 70]).into();
        house.try_passkey(&wrong).await.refused(401, "sign_in_failed");
    }
    let refused = house.try_passkey(&house.passkey_proof(&device).await).await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.refused(429, "rate_limited");
    house.sign_in_with(&bobs).await;
    house.wait(1);
    house.sign_in_with(&device).await;
    // Whoever guesses her password keeps her passkey out as little.
    for _ in 0..6 {
        house.try_sign_in(json!({"email": ada.email, "password": "a wrong password"})).await;
    }
    house.try_sign_in(ada.proof()).await.refused(429, "rate_limited");
    house.sign_in_with(&device).await;
}

async fn what_is_under_way_from_one_network_is_bounded(house: House) {
    for _ in 0..200 {
        house.keystead.begin_passkey_sign_in(&origin("198.51.100.7")).await.unwrap();
    }
    let more = house.keystead.begin_passkey_sign_in(&origin("198.51.100.8")).await;
    assert!(matches!(more, Err(Refused::TooOften { .. })));
    house.keystead.begin_passkey_sign_in(&origin("203.0.113.1")).await.unwrap();
    house.wait(300);
    house.keystead.begin_passkey_sign_in(&origin("198.51.100.7")).await.unwrap();
}

/// LESSONS 28: what was sent is in no answer, log or file.
async fn what_proves_it_is_nowhere_afterwards_lessons_28(house: House) {
    let (_, device) = house.with_passkey("ada@example.com", &[]).await;
    let begun = house.begin_passkey_sign_in().await;
    let proof = device.get_json(flow(&begun), &says(&begun));
    house.try_passkey(&proof).await.created();
    let mut wrong = proof.clone();
    wrong["client_data"] = "canary-of-the-client-data".into();
    let told = house.try_passkey(&wrong).await;
    let begun_again = house.begin_passkey_sign_in().await;
    let mut odd = device.get_json(flow(&begun_again), &says(&begun_again));
    odd["canary-of-a-field"] = 1.into();
    let odd = house.stranger.post("/v1/sessions/passkey/finish", json!({"passkey": odd})).await;
    house.settle().await;
    let log = String::from_utf8_lossy(&crate::house::LOG.lock()).into_owned();
    let bytes = house.database_bytes();
    let texts = [told.text, odd.text, log];
    for canary in [flow(&begun), proof["signature"].as_str().unwrap(), "canary-of-the-client-data"] {
        assert!(texts.iter().all(|text| !text.contains(canary)), "{canary}");
        assert!(!bytes.windows(canary.len()).any(|part| part == canary.as_bytes()), "{canary}");
    }
}
