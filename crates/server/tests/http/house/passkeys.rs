//! Passkeys of a house's people: devices in software, with the browser around them.

use super::signed_in::{PASSWORD, Person};
use super::{Answer, Client, House};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_webauthn::testing::{Authenticator, Says};
use serde_json::{Value, json};

/// What a browser says that was asked so.
pub(crate) fn says(begun: &Value) -> Says {
    let options = &begun["options"];
    let site = options["rpId"].as_str().or_else(|| options["rp"]["id"].as_str()).unwrap();
    let origin = begun["page"].as_str().unwrap().strip_suffix("/passkeys").unwrap();
    Says::new(options["challenge"].as_str().unwrap(), site, origin)
}

/// The flow of what was begun.
pub(crate) fn flow(begun: &Value) -> &str {
    begun["flow"].as_str().unwrap()
}

/// A device that makes a passkey as it was asked.
pub(crate) fn device(begun: &Value, credential: &str) -> Authenticator {
    let user = begun["options"]["user"]["id"].as_str().unwrap();
    Authenticator::es256(credential.as_bytes(), &URL_SAFE_NO_PAD.decode(user).unwrap())
}

impl House {
    /// Begins adding a passkey, with the password where it is the first second factor.
    pub(crate) async fn begin_passkey(&self, session: &Client) -> Value {
        let has_one = session.get("/v1/sessions/current").await.ok()["second_factor"] == true;
        let body = if has_one { json!({}) } else { json!({"password": PASSWORD}) };
        session.post("/v1/account/passkeys/begin", body).await.ok()
    }

    /// Adds a passkey; the device, and what was answered.
    pub(crate) async fn add_passkey(&self, session: &Client, credential: &str) -> (Authenticator, Value) {
        let begun = self.begin_passkey(session).await;
        let device = device(&begun, credential);
        let made = device.create_json(flow(&begun), credential, &says(&begun));
        let added = session.post("/v1/account/passkeys", made).await.created();
        (device, added)
    }

    /// Somebody who has one passkey, and no other second factor.
    pub(crate) async fn with_passkey(&self, email: &str, permissions: &[&str]) -> (Person, Authenticator) {
        let person = self.person(email, permissions).await;
        let device = self.add_passkey(&self.sign_in(&person).await, email).await.0;
        (person, device)
    }

    /// Begins signing in with a passkey.
    pub(crate) async fn begin_passkey_sign_in(&self) -> Value {
        self.stranger.poke("/v1/sessions/passkey/begin").await.ok()
    }

    /// What proves that a device was used to sign in.
    pub(crate) async fn passkey_proof(&self, device: &Authenticator) -> Value {
        let begun = self.begin_passkey_sign_in().await;
        device.get_json(flow(&begun), &says(&begun))
    }

    /// Tries to sign in with a passkey alone.
    pub(crate) async fn try_passkey(&self, proof: &Value) -> Answer {
        let body = json!({"passkey": proof, "token": true});
        self.stranger.post("/v1/sessions/passkey/finish", body).await
    }

    /// Signs somebody in with nothing but a passkey.
    pub(crate) async fn sign_in_with(&self, device: &Authenticator) -> Client {
        let begun = self.try_passkey(&self.passkey_proof(device).await).await.created();
        self.stranger.with_key(begun["token"].as_str().unwrap())
    }
}
