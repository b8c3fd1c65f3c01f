//! What an attacker, or a provider that is broken, could send for an ID token.

use super::*;
use crate::keys::Set;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, encode};
use serde_json::json;

const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'_> =
    Expected { issuer: "https://id.example.com", client_id: "keystead", nonce: "n-0S6_WzA2Mj", again: false };

struct Signer {
    key: EncodingKey,
    shown: Value,
}

impl Signer {
    fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let mut shown =
            serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap()).unwrap();
        shown["kid"] = json!(kid);
        shown["use"] = json!("sig");
        Self { key, shown }
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }
}

fn header(kid: Option<&str>) -> Header {
    Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) }
}

fn claims() -> Value {
    json!({"iss": EXPECTED.issuer, "aud": EXPECTED.client_id, "nonce": EXPECTED.nonce, "sub": "ada", "exp": NOW + 300,
        "iat": NOW})
}

fn keys(shown: &[&Value]) -> Keys {
    let set: Set = serde_json::from_value(json!({"keys": shown})).unwrap();
    Keys::from(set)
}

fn read(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, Failure> {
    let said = Unverified::read(token)?.signed_by(keys).ok_or(Failure::IdToken("unsigned"))?;
    check(said, expected, Micros(NOW * SECOND))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn what_the_provider_signed_for_this_sign_in_is_believed() {
    let signer = Signer::new("one");
    let keys = keys(&[&signer.shown]);
    for kid in [Some("one"), None] {
        let claims = read(&signer.sign(&header(kid), &claims()), &keys, &EXPECTED).unwrap();
        assert_eq!(claims.subject(), "ada");
    }
}

/// The signature: by nobody, by somebody else, with a public key as a secret, with another key's name.
#[test]
fn what_no_key_of_the_provider_signed_is_refused() {
    let (signer, other) = (Signer::new("one"), Signer::new("two"));
    let published = keys(&[&signer.shown]);
    let good = signer.sign(&header(Some("one")), &claims());
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let mut others = claims();
    others["sub"] = json!("eve");
    let none = encoded(&json!({"alg": "none", "typ": "JWT"}));
    let hmac = |secret: &[u8]| {
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap()
    };
    let point = signer.shown["x"].as_str().unwrap();
    let refused = [
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!("{}.{body}.", encoded(&json!({"alg": "None"}))),
        format!("{}.{body}.", encoded(&json!({"typ": "JWT"}))),
        format!("{head}.{}.{signature}", encoded(&others)),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}.{signature}"),
        format!("{head}.{body}.AAAA"),
        hmac(point.as_bytes()),
        hmac(&URL_SAFE_NO_PAD.decode(point).unwrap()),
        hmac(signer.shown.to_string().as_bytes()),
        hmac(b""),
        other.sign(&header(Some("one")), &claims()),
        other.sign(&header(Some("two")), &claims()),
        other.sign(&header(None), &claims()),
        signer.sign(&header(Some("two")), &claims()),
        signer.sign(&Header { crit: Some(vec!["exp".into()]), ..header(Some("one")) }, &claims()),
        // The key that it brings along is the attacker's own.
        other.sign(
            &Header { jwk: Some(serde_json::from_value(other.shown.clone()).unwrap()), ..header(None) },
            &claims(),
        ),
        String::new(),
        "..".into(),
        "a.b.c".into(),
        "x".repeat(BYTES_MAX + 1),
    ];
    for token in refused {
        assert!(read(&token, &published, &EXPECTED).is_err(), "{token}");
    }
    assert!(read(&good, &published, &EXPECTED).is_ok());
}

/// A key that the provider uses for something else signs nobody in.
#[test]
fn keys_for_something_else_do_not_count() {
    let signer = Signer::new("one");
    let token = signer.sign(&header(Some("one")), &claims());
    for (field, value) in [("use", json!("enc")), ("alg", json!("RS256")), ("alg", json!("HS256"))] {
        let mut shown = signer.shown.clone();
        shown[field] = value;
        assert!(read(&token, &keys(&[&shown]), &EXPECTED).is_err(), "{shown}");
    }
    // One that cannot be read does not hide the others.
    let strange = json!({"kty": "XYZ", "kid": "zero"});
    let secret = json!({"kty": "oct", "k": "AAAA", "kid": "one"});
    assert!(read(&token, &keys(&[&strange, &secret, &signer.shown]), &EXPECTED).is_ok());
}

/// Signed by the provider, and not for this sign-in here and now.
#[test]
fn what_was_signed_for_something_else_is_refused() {
    let signer = Signer::new("one");
    let keys = keys(&[&signer.shown]);
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value,
        }
        read(&signer.sign(&header(Some("one")), &claims), &keys, &EXPECTED).map(|_| ())
    };
    for (claim, value) in [
        ("iss", json!("https://id.example.com/")),
        ("iss", json!("https://ID.example.com")),
        ("iss", json!("https://evil.example")),
        ("iss", json!(["https://id.example.com"])),
        ("iss", json!(null)),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!(["keystead", "other"])),
        ("aud", json!({"keystead": true})),
        ("aud", json!(null)),
        ("azp", json!("other")),
        ("nonce", json!("another")),
        ("nonce", json!("")),
        ("nonce", json!(null)),
        ("exp", json!(NOW - LEEWAY)),
        ("exp", json!("9999999999")),
        ("exp", json!(null)),
        ("iat", json!(NOW + LEEWAY + 1)),
        ("iat", json!(null)),
        ("sub", json!("")),
        ("sub", json!("a".repeat(256))),
        ("sub", json!("a\u{0}b")),
        ("sub", json!(7)),
        ("sub", json!(null)),
    ] {
        assert!(matches!(with(claim, value.clone()), Err(Failure::IdToken(_))), "{claim}: {value}");
    }
    for (claim, value) in [
        ("aud", json!(["keystead"])),
        ("azp", json!("keystead")),
        ("exp", json!(NOW - LEEWAY + 1)),
        ("iat", json!(NOW + LEEWAY)),
    ] {
        assert_eq!(with(claim, value.clone()), Ok(()), "{claim}: {value}");
    }
}

#[test]
fn who_is_asked_again_must_have_been() {
    let signer = Signer::new("one");
    let keys = keys(&[&signer.shown]);
    let asked = |at: Option<i64>| {
        let mut claims = claims();
        if let Some(at) = at {
            claims["auth_time"] = json!(at);
        }
        let expected = Expected { again: true, ..EXPECTED };
        read(&signer.sign(&header(Some("one")), &claims), &keys, &expected).is_ok()
    };
    assert!(asked(Some(NOW)) && asked(Some(NOW - 600)));
    assert!(!asked(None) && !asked(Some(NOW - 3_600)) && !asked(Some(NOW + 3_600)));
}
