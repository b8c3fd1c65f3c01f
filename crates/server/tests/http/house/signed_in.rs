//! People of a house: invited, joined, signed in.

use super::{Admin, Answer, Client, House};
use http::Method;
use keystead_domain::sign_in::totp;
use keystead_domain::time::{Clock, SECOND};
use serde_json::{Value, json};

/// Everybody's password, until they change it.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody who has joined.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// `mem_…`
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Person {
    /// What signs this person in.
    pub(crate) fn proof(&self) -> Value {
        json!({"email": self.email, "password": self.password, "token": true})
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1/members/{}", self.id)
    }
}

/// A grant of Keystead's own permissions.
pub(crate) fn grants(permissions: &[&str]) -> Value {
    permissions.iter().map(|permission| json!({"permission": permission})).collect()
}

impl Admin {
    /// Creates a member who has not joined; its id.
    pub(crate) async fn add(&self, email: &str, grants: Value) -> String {
        let body = json!({"email": email, "name": "Ada", "grants": grants});
        self.post("/v1/members", body).await.created()["id"].as_str().unwrap().to_owned()
    }
}

impl House {
    /// The token in the link of an invitation.
    pub(crate) async fn invite(&self, by: &Client, member: &str) -> String {
        let invited = by.poke(&format!("/v1/members/{member}/invitation")).await.ok();
        assert_eq!(invited["mailed"], false);
        token_in(invited["link"].as_str().unwrap())
    }

    /// Accepts an invitation.
    pub(crate) async fn accept(&self, token: &str, password: &str) -> Answer {
        self.stranger.post("/v1/invitations/accept", json!({"token": token, "password": password})).await
    }

    /// A member of acme who has joined.
    pub(crate) async fn person(&self, email: &str, permissions: &[&str]) -> Person {
        let id = self.admin.add(email, grants(permissions)).await;
        let token = self.invite(&self.admin, &id).await;
        assert_eq!(self.accept(&token, PASSWORD).await.ok()["organization"], "acme");
        Person { id, email: email.into(), password: PASSWORD.into() }
    }

    /// Tries to sign in.
    pub(crate) async fn try_sign_in(&self, body: Value) -> Answer {
        self.stranger.post("/v1/sessions", body).await
    }

    /// Signs somebody in, as a program does.
    pub(crate) async fn sign_in(&self, person: &Person) -> Client {
        let answer = self.try_sign_in(person.proof()).await;
        assert!(!answer.headers.contains_key("set-cookie"));
        self.stranger.with_key(answer.created()["token"].as_str().unwrap())
    }

    /// The code that an app shows now for a secret in base32.
    pub(crate) fn code(&self, secret: &str) -> String {
        let secret = secret_bytes(secret);
        let code = totp::code_of(&secret, self.clock.now().0.div_euclid(30 * SECOND));
        String::from_utf8(code.to_vec()).unwrap()
    }

    /// Sets up a second factor for somebody: the secret, and the recovery codes.
    pub(crate) async fn second_factor(&self, session: &Client) -> (String, Vec<String>) {
        let begun = session.post("/v1/account/totp", json!({"password": PASSWORD})).await.ok();
        let secret = begun["secret"].as_str().unwrap().to_owned();
        let code = json!({"code": self.code(&secret)});
        let codes = session.post("/v1/account/totp/confirm", code).await.ok()["codes"].clone();
        // The next code is another one.
        self.wait(30);
        (secret, serde_json::from_value(codes).unwrap())
    }
}

/// The token in a letter's link, whose long line is folded (RFC 2045 §6.7).
pub(crate) fn token_in_letter(text: &str) -> String {
    let text = text.replace("=\n", "");
    token_in(text.split_whitespace().find(|word| word.contains('#')).unwrap())
}

/// What stands after a link's `#`.
pub(crate) fn token_in(link: &str) -> String {
    link.split_once('#').unwrap().1.to_owned()
}

fn secret_bytes(base32: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in base32.chars().map(|c| u32::try_from(alphabet.find(c).unwrap()).unwrap()) {
        (bits, held) = ((bits << 5 | digit) & 0xffff, held + 5);
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// A browser that signed in: its cookie, and what it must send beside it.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: Client,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) async fn open(house: &House, person: &Person) -> Self {
        let body = json!({"email": person.email, "password": person.password});
        let answer = house.try_sign_in(body).await;
        let set = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(answer.body.get("token").is_none());
        let (cookie, rest) = set.split_once("; ").unwrap();
        assert_eq!(rest, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
        let csrf = answer.clone().created()["csrf_token"].as_str().unwrap().to_owned();
        Self { client: house.stranger.0.clone(), cookie: cookie.into(), csrf }
    }

    /// A request with the cookie and other headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let headers = [&[("cookie", self.cookie.as_str())], headers].concat();
        self.client.call(method, path, body, &headers).await
    }
}
