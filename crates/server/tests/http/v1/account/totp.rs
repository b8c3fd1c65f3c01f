//! The second factor: one-time codes, recovery codes, and proving it again.

use crate::house::{House, PASSWORD, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_wrong_second_factor_gives_no_session_lessons_26,
    a_code_works_once_however_it_is_spelled_lessons_23,
    of_two_with_one_code_at_once_one_passes,
    the_right_password_buys_no_guesses_at_the_second_factor,
    a_recovery_code_works_once_and_new_ones_end_the_old,
    what_was_begun_does_not_count_before_it_is_confirmed,
    sensitive_acts_ask_for_it_again,
    to_make_somebody_an_administrator_asks_for_it_again,
    the_secret_is_sealed_and_opens_with_another_root_key,
}

async fn a_wrong_second_factor_gives_no_session_lessons_26(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let (secret, _) = house.second_factor(&session).await;
    let before = session.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len();
    house.try_sign_in(ada.proof()).await.refused(403, "second_factor_required");
    let other = if house.code(&secret) == "000000" { "000001" } else { "000000" };
    for code in [other, "", "abcd-efgh-ijkm", "12345", "1234567"] {
        let mut proof = ada.proof();
        proof["code"] = code.into();
        let answer = house.try_sign_in(proof).await;
        assert!(!answer.text.contains("kss_") && !answer.headers.contains_key("set-cookie"));
        let status = answer.status.as_u16();
        assert!(status == 401 || status == 429, "{}", answer.text);
    }
    assert_eq!(session.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len(), before);
    // Only the right password is asked for more.
    house.wait(60);
    let wrong = json!({"email": ada.email, "password": "a wrong password"});
    house.try_sign_in(wrong).await.refused(401, "sign_in_failed");
    house.wait(60);
    let mut proof = ada.proof();
    proof["code"] = house.code(&secret).into();
    assert!(house.try_sign_in(proof).await.created()["second_factor_at"].is_string());
}

/// LESSONS 23: a code with spaces was taken twice (CVE-2025-6014).
async fn a_code_works_once_however_it_is_spelled_lessons_23(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let (secret, _) = house.second_factor(&house.sign_in(&ada).await).await;
    let code = house.code(&secret);
    let mut proof = ada.proof();
    proof["code"] = format!("{} {}", &code[..3], &code[3..]).into();
    house.try_sign_in(proof.clone()).await.created();
    for spelled in [code.clone(), format!(" {code}"), format!("{code} ")] {
        proof["code"] = spelled.into();
        house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    }
}

async fn of_two_with_one_code_at_once_one_passes(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let (secret, codes) = house.second_factor(&house.sign_in(&ada).await).await;
    for code in [house.code(&secret), codes[0].clone()] {
        let mut proof = ada.proof();
        proof["code"] = code.into();
        let (one, two) = tokio::join!(house.try_sign_in(proof.clone()), house.try_sign_in(proof));
        let mut codes = [one.status.as_u16(), two.status.as_u16()];
        codes.sort_unstable();
        assert_eq!(codes, [201, 401]);
    }
}

async fn the_right_password_buys_no_guesses_at_the_second_factor(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let (secret, _) = house.second_factor(&house.sign_in(&ada).await).await;
    let wrong = if house.code(&secret) == "000000" { "000001" } else { "000000" };
    let (mut proof, mut refused) = (ada.proof(), 0);
    for _ in 0..8 {
        // Asked for more: no failure, and no pardon of those before.
        let asked = house.try_sign_in(ada.proof()).await.status.as_u16();
        proof["code"] = wrong.into();
        let guessed = house.try_sign_in(proof.clone()).await.status.as_u16();
        refused += usize::from(guessed == 429);
        assert!([403, 429].contains(&asked) && [401, 429].contains(&guessed), "{asked} {guessed}");
    }
    assert_eq!(refused, 3);
}

async fn a_recovery_code_works_once_and_new_ones_end_the_old(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let (_, codes) = house.second_factor(&session).await;
    assert_eq!(codes.len(), 10);
    let mut proof = ada.proof();
    proof["code"] = codes[0].to_uppercase().replace('-', " ").into();
    house.try_sign_in(proof.clone()).await.created();
    proof["code"] = codes[0].clone().into();
    house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    let new = session.poke("/v1/account/recovery-codes").await.ok()["codes"].clone();
    proof["code"] = codes[1].clone().into();
    house.try_sign_in(proof.clone()).await.refused(401, "sign_in_failed");
    proof["code"] = new[0].clone();
    house.try_sign_in(proof).await.created();
}

async fn what_was_begun_does_not_count_before_it_is_confirmed(house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    session
        .post("/v1/account/totp", json!({"password": "a wrong password"}))
        .await
        .refused(401, "sign_in_failed");
    let begin = || session.post("/v1/account/totp", json!({"password": PASSWORD}));
    let first = begin().await.ok()["secret"].as_str().unwrap().to_owned();
    let second = begin().await.ok()["secret"].as_str().unwrap().to_owned();
    house.sign_in(&ada).await;
    let confirm = |code: String| session.post("/v1/account/totp/confirm", json!({"code": code}));
    confirm(house.code(&first)).await.refused(401, "sign_in_failed");
    confirm(house.code(&second)).await.ok();
    begin().await.refused(409, "conflict");
    house.try_sign_in(ada.proof()).await.refused(403, "second_factor_required");
}

async fn sensitive_acts_ask_for_it_again(house: House) {
    let ada = house.person("ada@example.com", &["audit.read"]).await;
    let session = house.sign_in(&ada).await;
    session.get("/v1/audit/export").await.refused(403, "second_factor_required");
    let (secret, _) = house.second_factor(&session).await;
    session.get("/v1/audit/export").await;
    house.wait(600);
    let change = json!({"current": PASSWORD, "new": "another horse battery"});
    for answer in [
        session.get("/v1/audit/export").await,
        session.post("/v1/account/password", change.clone()).await,
        session.poke("/v1/account/recovery-codes").await,
        session.delete("/v1/account/totp").await,
    ] {
        answer.refused(403, "second_factor_required");
    }
    let step_up = |code: String| session.post("/v1/sessions/current/second-factor", json!({"code": code}));
    let right = house.code(&secret);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    step_up(wrong.into()).await.refused(401, "sign_in_failed");
    session.delete("/v1/account/totp").await.refused(403, "second_factor_required");
    step_up(right.clone()).await.ok();
    step_up(right).await.refused(401, "sign_in_failed");
    assert_eq!(session.get("/v1/audit/export").await.status, 200);
    session.delete("/v1/account/totp").await.gone();
    house.sign_in(&ada).await;
    // A key that may read the audit was given that on purpose.
    assert_eq!(house.admin.get("/v1/audit/export").await.status, 200);
}

async fn to_make_somebody_an_administrator_asks_for_it_again(house: House) {
    let ada = house.person("ada@example.com", &["people.*", "authority.grant"]).await;
    let session = house.sign_in(&ada).await;
    let give = async |name: &str, permission: &str| {
        session.post("/v1/teams", json!({"name": name, "grants": [{"permission": permission}]})).await
    };
    give("readers", "people.read").await.created();
    for administers in ["people.write", "people.*", "authority.grant"] {
        give("leads", administers).await.refused(403, "second_factor_required");
    }
    house.second_factor(&session).await;
    give("leads", "people.*").await.created();
    house.wait(600);
    give("others", "people.*").await.refused(403, "second_factor_required");
    // Nor by a place in a team that has it.
    session.put("/v1/teams/leads/members/me", json!(null)).await.refused(403, "second_factor_required");
}

async fn the_secret_is_sealed_and_opens_with_another_root_key(mut house: House) {
    let ada = house.person("ada@example.com", &[]).await;
    let (secret, _) = house.second_factor(&house.sign_in(&ada).await).await;
    house.operator.poke("/v1/root-key/rotate").await.ok();
    house.restart().await;
    house.wait(30);
    let mut proof = ada.proof();
    proof["code"] = house.code(&secret).into();
    house.try_sign_in(proof).await.created();
}
