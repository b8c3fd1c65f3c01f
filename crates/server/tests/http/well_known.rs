//! `/.well-known/jwks.json`: with what upstreams verify what a door tells them.

use crate::house::{House, on_both_engines};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};

on_both_engines! {
    what_a_door_tells_is_verified_with_the_published_keys,
}

async fn what_a_door_tells_is_verified_with_the_published_keys(house: House) {
    let guard = json!({"mode": "enforce", "unlisted": "any_key"});
    house.admin.put("/v1/projects/registry/guard", guard).await.ok();
    let body = json!({
        "name": "Proxy",
        "permissions": [{"permission": "keys.verify", "resources": ["projects/registry/environments/production"]}],
    });
    let proxy = house.admin.issue_in("keystead", body).await.key;
    let key = house.admin.issue(json!({})).await;
    let headers = [
        ("x-keystead-guard", proxy.as_str()),
        ("x-original-method", "GET"),
        ("x-original-uri", "/orders"),
        ("x-original-client", "192.0.2.1"),
        ("x-api-key", key.key.as_str()),
    ];
    let answer = house.stranger.call(Method::GET, "/v1/guard/nginx", None, &headers).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let token = answer.headers["x-keystead-identity"].to_str().unwrap().to_owned();

    let published = house.stranger.get("/.well-known/jwks.json").await;
    assert_eq!(published.headers["content-type"], "application/jwk-set+json");
    assert_eq!(published.headers["cache-control"], "public, max-age=60");
    let keys: Value = serde_json::from_str(&published.text).unwrap();
    let jwk = &keys["keys"][0];
    for (field, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("use", "sig"), ("alg", "EdDSA")] {
        assert_eq!(jwk[field], value);
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    assert_eq!((&header["kid"], &header["alg"]), (&jwk["kid"], &jwk["alg"]));
    let public = UnparsedPublicKey::new(&ED25519, decode(jwk["x"].as_str().unwrap()));
    let said = format!("{}.{}", parts[0], parts[1]);
    public.verify(said.as_bytes(), &decode(parts[2])).unwrap();
    let claims: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(
        (claims["sub"].as_str(), claims["project"].as_str()),
        (Some(key.id.as_str()), Some("registry"))
    );
    assert!(!token.contains(key.secret()) && !published.text.contains("\"d\""));

    // LESSONS 16: what a client sends of it reaches nobody.
    let forged = [&headers[..], &[("x-keystead-identity", token.as_str())]].concat();
    let answer = house.stranger.call(Method::GET, "/v1/guard/nginx", None, &forged).await;
    assert_eq!(answer.headers["x-keystead-status"], "400");
}
