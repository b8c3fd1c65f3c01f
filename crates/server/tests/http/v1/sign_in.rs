//! `/v1/sign-in/oidc`: through a certified provider on loopback.

mod attacks;
mod enforced;
mod flow;
mod groups;
mod linking;

use crate::house::{Answer, Back, Client, House, LOOPBACK_PORT, Provider, merged};
use serde_json::{Value, json};

/// A house in which acme has the provider `corp`; nothing where oidc-provider is not installed.
async fn with_corp(house: &mut House, changes: Value) -> Option<Provider> {
    let provider = Provider::start(house).await?;
    add_corp(&house.admin, &provider, changes).await;
    Some(provider)
}

async fn add_corp(admin: &Client, provider: &Provider, changes: Value) -> Value {
    let corp = json!({
        "name": "corp", "issuer": provider.issuer, "client_id": "keystead",
        "client_secret": "a-secret:of/the+client", "scopes": ["openid", "email", "profile", "groups"],
        "email_domains": ["example.com"], "just_in_time": true,
    });
    admin.post("/v1/identity-providers", merged(corp, changes)).await.created()
}

/// Begins a sign-in as a program: where to send the browser, and what its starter holds.
async fn begin(house: &House, changes: Value) -> (String, String) {
    let body = json!({"organization": "acme", "provider": "corp", "loopback_port": LOOPBACK_PORT});
    let begun = house.stranger.post("/v1/sign-in/oidc/start", merged(body, changes)).await.ok();
    (begun["url"].as_str().unwrap().to_owned(), begun["flow"].as_str().unwrap().to_owned())
}

/// Begins a sign-in and goes through the provider.
async fn bring_back(house: &House, provider: &Provider) -> (Back, String) {
    let (url, flow) = begin(house, json!({})).await;
    (provider.visit(&url).await, flow)
}

async fn finish(house: &House, body: Value) -> Answer {
    house.stranger.post("/v1/sign-in/oidc/finish", body).await
}

/// Tries a whole sign-in.
async fn try_sign_in(house: &House, provider: &Provider) -> Answer {
    let (back, flow) = bring_back(house, provider).await;
    finish(house, back.finish(&flow)).await
}

/// Signs in whoever the provider says: the session, and who it is.
async fn sign_in(house: &House, provider: &Provider) -> (Client, Value) {
    let who = try_sign_in(house, provider).await.ok();
    (house.stranger.with_key(who["token"].as_str().unwrap()), who)
}

/// Why somebody was not let in.
#[track_caller]
fn refused(answer: Answer) -> String {
    answer.refused(401, "single_sign_on_failed")["detail"].as_str().unwrap().to_owned()
}
