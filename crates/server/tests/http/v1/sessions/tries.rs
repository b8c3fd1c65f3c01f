//! Guessing: who guesses slows down, and nobody else.

use crate::house::{House, PASSWORD, on_both_engines, origin};
use keystead_api::SignIn;
use keystead_service::Refused;
use serde_json::json;
use std::sync::Arc;

on_both_engines! {
    who_guesses_waits_longer_and_longer_and_then_may_try_again,
    guesses_from_elsewhere_lock_nobody_out,
    many_guesses_at_once_are_no_way_around,
}

fn guess(email: &str, password: &str) -> SignIn {
    SignIn { email: email.into(), password: password.into(), ..SignIn::default() }
}

async fn who_guesses_waits_longer_and_longer_and_then_may_try_again(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        let wrong = json!({"email": email, "password": "a wrong password"});
        for _ in 0..5 {
            house.try_sign_in(wrong.clone()).await.refused(401, "sign_in_failed");
        }
        for wait in [1, 2, 4, 8] {
            let before = house.keystead.passwords_done();
            let refused = house.try_sign_in(wrong.clone()).await;
            assert_eq!(refused.headers["retry-after"], wait.to_string().as_str(), "{email}");
            refused.refused(429, "rate_limited");
            assert_eq!(house.keystead.passwords_done(), before);
            house.wait(wait);
            house.try_sign_in(wrong.clone()).await.refused(401, "sign_in_failed");
        }
    }
    house.try_sign_in(ada.proof()).await.refused(429, "rate_limited");
    house.wait(16);
    house.sign_in(&ada).await;
    // Whoever was right begins anew.
    let wrong = json!({"email": ada.email, "password": "a wrong password"});
    house.try_sign_in(wrong).await.refused(401, "sign_in_failed");
    house.sign_in(&ada).await;
}

async fn guesses_from_elsewhere_lock_nobody_out(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    // From as many networks as there have to be for an attack on the address.
    for network in 0..110 {
        let from = origin(&format!("198.51.{network}.1"));
        let refused = house.keystead.sign_in(&guess(&ada.email, "a wrong password"), &from).await;
        assert!(matches!(refused, Err(Refused::SignInFailed)), "{refused:?}");
    }
    let again = house.keystead.sign_in(&guess(&ada.email, "a wrong password"), &origin("198.51.7.9")).await;
    assert!(matches!(again, Err(Refused::TooOften { retry_after_seconds: 1, .. })), "{again:?}");
    house.sign_in(&ada).await;
    let elsewhere = house.keystead.sign_in(&guess(&ada.email, PASSWORD), &origin("203.0.113.1")).await;
    assert!(elsewhere.is_ok());
    // One network that tries many addresses waits; who signed in there before does not.
    for one in 0..50 {
        let email = format!("somebody-{one}@example.com");
        let _ = house.keystead.sign_in(&guess(&email, "a wrong password"), &origin("203.0.113.9")).await;
    }
    let next =
        house.keystead.sign_in(&guess("new@example.com", "a wrong password"), &origin("203.0.113.9")).await;
    assert!(matches!(next, Err(Refused::TooOften { .. })), "{next:?}");
    let known = house.keystead.sign_in(&guess(&ada.email, PASSWORD), &origin("203.0.113.9")).await;
    assert!(known.is_ok(), "{known:?}");
}

async fn many_guesses_at_once_are_no_way_around(house: House) {
    let ada = house.person("ada@example.com", &["projects.read"]).await;
    let before = house.keystead.passwords_done();
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (keystead, email) = (Arc::clone(&house.keystead), ada.email.clone());
        guesses.spawn(async move {
            keystead.sign_in(&guess(&email, "a wrong password"), &origin("203.0.113.9")).await.unwrap_err()
        });
    }
    let refused = guesses.join_all().await;
    let looked_at = refused.iter().filter(|refused| matches!(refused, Refused::SignInFailed)).count();
    assert_eq!((looked_at, house.keystead.passwords_done() - before), (5, 5));
}
