//! Signed identity: what an upstream verifies with the published keys, for whom it is, and that there is always a key.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "everything here is a test, or what tests stand on"
)]

mod house;
#[path = "identity/keys.rs"]
mod keys;

use house::{House, field, narrowed, suite, texts};
use http::HeaderMap;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use keystead_api::*;
use keystead_domain::time::{Clock, DAY, SECOND};
use keystead_guard::{Answer, Request};
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::testing::{POSTGRES_VARIABLE, postgres};
use serde_json::{Value, json};
use std::sync::Arc;

suite! {
    tokens::a_door_tells_whose_request_it_is_and_the_published_keys_verify_it,
    tokens::a_token_is_for_one_audience_of_one_organization,
    tokens::a_token_is_made_once_and_anew_when_it_says_something_else,
    tokens::a_token_ends_with_its_key,
    tokens::long_lists_of_permissions_are_left_out_and_that_is_told,
    tokens::nobody_is_signed_for_whose_request_does_not_pass,
    keys::another_key_signs_each_month_and_each_is_published_before_and_after,
    keys::an_exchange_of_the_root_key_keeps_the_keys,
    keys::a_replaced_key_signs_nothing_more,
}

/// A guarded API and its proxy.
struct Api<'a> {
    node: &'a Arc<Keystead>,
    proxy: Caller,
}

/// `acme` with a guard that any valid key passes.
async fn guarded<'a>(house: &'a House, admin: &Caller, audience: Option<&str>) -> Api<'a> {
    house.acme(admin).await;
    let guard = Guard {
        unlisted: UnlistedEndpoints::AnyKey,
        audience: audience.map(Into::into),
        ..Guard::new(GuardMode::Enforce)
    };
    house.keystead.set_guard(admin, "acme", guard, None).await.unwrap();
    let grant = narrowed("keys.verify", &["projects/acme/environments/production"]);
    Api { node: &house.keystead, proxy: house.key_of(admin, vec![grant]).await }
}

impl Api<'_> {
    async fn ask(&self, key: &str) -> Answer {
        let headers = HeaderMap::from_iter([("x-api-key".parse().unwrap(), key.parse().unwrap())]);
        let request =
            Request { method: "GET", path: "/orders", query: None, headers: &headers, strips_query: false };
        let door = self.node.open_door(&self.proxy).await.unwrap();
        self.node.guard_request(&door, &request, None).await
    }

    async fn token(&self, key: &str) -> String {
        let Answer::Allow(allowed) = self.ask(key).await else { panic!("refused") };
        let mut signed = allowed.set.iter().filter(|(name, _)| name == "x-keystead-identity");
        let token = signed.next().unwrap().1.to_str().unwrap().to_owned();
        assert!(signed.next().is_none() && !allowed.remove.iter().any(|name| name == "x-keystead-identity"));
        token
    }

    async fn claims(&self, key: &str) -> Value {
        let token = self.token(key).await;
        let audience = said(&token)["aud"].as_str().unwrap().to_owned();
        verified(self.node, &token, &audience).unwrap()
    }
}

fn kids(node: &Keystead) -> Vec<String> {
    published(node).unwrap()
}

/// The ids of the keys that a node publishes, while it does.
fn published(node: &Keystead) -> Option<Vec<String>> {
    let set: Value = serde_json::from_slice(&node.published_identity_keys().ok()?).unwrap();
    Some(set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect())
}

/// What a token says, not verified.
fn said(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// What an upstream does that has the keys which a node publishes. Its clock is not the test's.
fn verified(publisher: &Keystead, token: &str, audience: &str) -> Result<Value, String> {
    let set: JwkSet = serde_json::from_slice(&publisher.published_identity_keys().unwrap()).unwrap();
    let jwk = set.find(&kid(token)).ok_or("the key is not published")?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["aud", "iss", "sub", "exp"]);
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(jwk).unwrap();
    Ok(decode::<Value>(token, &key, &validation).map_err(|error| error.to_string())?.claims)
}

mod tokens {
    use super::*;

    pub(crate) async fn a_door_tells_whose_request_it_is_and_the_published_keys_verify_it(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, None).await;
        let input = CreateConsumer {
            name: "Customer".into(),
            external_id: Some("customer-1".into()),
            ..CreateConsumer::default()
        };
        let consumer = house.keystead.create_consumer(&admin, "acme", input).await.unwrap();
        let input = CreateKey {
            consumer: Some(consumer.id.clone()),
            permissions: house::everywhere(&["routes.read"]),
            ..CreateKey::default()
        };
        let key = house.key(&admin, input).await;
        let token = api.token(&key.key).await;
        let organization = admin.organization();
        let audience = format!("keystead:{organization}:acme:production");
        let claims = verified(&house.keystead, &token, &audience).unwrap();
        let now = house.clock.now().0 / SECOND;
        assert_eq!(
            claims,
            json!({
                "iss": format!("keystead/{organization}"),
                "aud": audience,
                "sub": key.details.id,
                "owner": claims["owner"],
                "consumer": {"id": consumer.id, "external_id": "customer-1"},
                "project": "acme",
                "environment": "production",
                "permissions": ["routes.read"],
                "iat": now,
                "exp": now + 60,
            })
        );
        let owner = &key.details.owner;
        assert_eq!(claims["owner"], json!({"kind": owner.kind, "id": owner.id, "name": owner.name}));
        let (body, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{}A.{signature}", &body[..body.len() - 1]);
        assert!(verified(&house.keystead, &forged, &audience).is_err());
    }

    /// Else another tenant of the same installation, whose guard is signed by the same keys, would be believed.
    pub(crate) async fn a_token_is_for_one_audience_of_one_organization(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, None).await;
        let key = house.key(&admin, CreateKey::default()).await;
        let token = api.token(&key.key).await;
        assert_eq!(verified(&house.keystead, &token, "https://api.example"), Err("InvalidAudience".into()));
        let other = house.tenant("other").await;
        let others = guarded(&house, &other, None).await;
        let theirs = others.token(&house.key(&other, CreateKey::default()).await.key).await;
        let ours = said(&token);
        assert!(verified(&house.keystead, &theirs, ours["aud"].as_str().unwrap()).is_err());
        assert_ne!(said(&theirs)["iss"], ours["iss"]);
        let set = async |audience: &str| {
            let guard = Guard {
                unlisted: UnlistedEndpoints::AnyKey,
                audience: Some(audience.into()),
                ..Guard::new(GuardMode::Enforce)
            };
            house.keystead.set_guard(&other, "acme", guard, None).await
        };
        let long = "a".repeat(129);
        for audience in [ours["aud"].as_str().unwrap(), "KeyStead:x", "", "two words", "ä", &long] {
            assert_eq!(field(set(audience).await), "/audience", "{audience}");
        }
        set("https://{environment}.example").await.unwrap();
        let claims = others.claims(&house.key(&other, CreateKey::default()).await.key).await;
        assert_eq!(claims["aud"], "https://production.example");
    }

    pub(crate) async fn a_token_is_made_once_and_anew_when_it_says_something_else(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, Some("https://api.example")).await;
        let consumer = house.consumer(&admin, "Customer", Some(&["routes.*"])).await.unwrap();
        let input = CreateKey {
            owner: Some(consumer.id.clone()),
            permissions: house::everywhere(&["routes.read", "routes.write"]),
            ..CreateKey::default()
        };
        let key = house.key(&admin, input).await.key;
        let first = api.token(&key).await;
        house.clock.step(29 * SECOND);
        assert_eq!(api.token(&key).await, first);
        assert_ne!(
            said(&api.token(&house.key(&admin, CreateKey::default()).await.key).await)["sub"],
            said(&first)["sub"]
        );
        house.clock.step(SECOND);
        let second = api.token(&key).await;
        assert_eq!(said(&second)["exp"].as_i64().unwrap(), said(&first)["exp"].as_i64().unwrap() + 30);
        assert_eq!(said(&second)["permissions"], json!(["routes.read", "routes.write"]));
        let input =
            UpdateConsumer { ceiling: Some(Some(texts(&["routes.read"]))), ..UpdateConsumer::default() };
        house.keystead.update_consumer(&admin, "acme", &consumer.id, input, None).await.unwrap();
        assert_eq!(said(&api.token(&key).await)["permissions"], json!(["routes.read"]), "at once");
        house.clock.step(-10 * SECOND);
        let early = api.claims(&key).await;
        assert_eq!(early["iat"], house.clock.now().0 / SECOND, "none is from the future");
    }

    pub(crate) async fn a_token_ends_with_its_key(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, None).await;
        let ends = house.clock.now().plus(90 * SECOND);
        let input = CreateKey { expires_at: Some(ends.to_timestamp()), ..CreateKey::default() };
        let key = house.key(&admin, input).await.key;
        house.clock.step(60 * SECOND);
        assert_eq!(api.claims(&key).await["exp"], ends.0 / SECOND);
    }

    pub(crate) async fn long_lists_of_permissions_are_left_out_and_that_is_told(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, None).await;
        for n in 0..256 {
            house.permission(&admin, "acme", &format!("many.p{n}")).await;
        }
        let input = CreateKey { permissions: house::everywhere(&["many.*"]), ..CreateKey::default() };
        let key = house.key(&admin, input).await.key;
        let whole = api.claims(&key).await;
        assert_eq!(whole["permissions"].as_array().unwrap().len(), 256);
        assert!(whole.get("permissions_omitted").is_none());
        house.permission(&admin, "acme", "many.more").await;
        let cut = api.claims(&key).await;
        assert_eq!(cut["permissions_omitted"], true);
        assert!(cut.get("permissions").is_none());
    }

    pub(crate) async fn nobody_is_signed_for_whose_request_does_not_pass(house: House) {
        let admin = house.admin();
        let api = guarded(&house, &admin, None).await;
        let key = house.key(&admin, CreateKey::default()).await;
        api.token(&key.key).await;
        let reason = RevokeKey { reason: "lost".into() };
        house.keystead.revoke_key(&admin, &key.details.id, reason, None).await.unwrap();
        assert!(matches!(api.ask(&key.key).await, Answer::Refuse(_)), "though its token is still kept");
        let mode = SetGuardMode { mode: Some(GuardMode::Observe), ..SetGuardMode::default() };
        house.keystead.set_guard_mode(&admin, "acme", &mode, None).await.unwrap();
        let Answer::Allow(allowed) = api.ask(&key.key).await else { panic!("observing refuses nothing") };
        assert!(allowed.remove.iter().any(|name| name == "x-keystead-identity"));
        assert!(!allowed.set.iter().any(|(name, _)| name == "x-keystead-identity"));
    }
}
