//! The same through a real browser: its own WebAuthn, its own authenticator, our page.

use crate::house::{Browser, Chromium, House, PASSWORD, on_both_engines};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

on_both_engines! {
    a_person_adds_a_passkey_signs_in_with_it_and_proves_it_again,
    a_program_has_a_browser_add_and_use_a_passkey,
    who_is_not_verified_or_has_a_copy_is_not_let_in,
}

async fn a_person_adds_a_passkey_signs_in_with_it_and_proves_it_again(mut house: House) {
    let Some(chromium) = Chromium::start(&mut house).await else { return };
    let ada = house.person("ada@example.com", &[]).await;
    chromium.keep(&Browser::open(&house, &ada).await.cookie).await;
    chromium.read("#who", "Signed in to acme as ada@example.com").await;
    chromium.type_into("#name", "laptop").await;
    chromium.type_into("#password", "a wrong password").await;
    chromium.press("#add-go").await;
    chromium.read("#problem", "Something of what was sent is wrong").await;
    chromium.type_into("#password", "\u{e009}a\u{e000}").await;
    chromium.type_into("#password", PASSWORD).await;
    chromium.press("#add-go").await;
    chromium.read("#status", "Added laptop").await;
    chromium.read("#passkeys", "laptop").await;
    assert_eq!(chromium.read("#codes-list", "-").await.matches('-').count() % 10, 0);
    // The same device holds no second one for the account.
    chromium.type_into("#name", "again").await;
    chromium.press("#add-go").await;
    chromium.read("#problem", "has a passkey for the account already").await;
    chromium.press("#sign-out").await;
    chromium.read("#status", "Signed out").await;
    chromium.press("#sign-in-go").await;
    chromium.read("#who", "Signed in to acme as ada@example.com").await;
    let acts = house.admin.audit("action=session.create").await;
    assert!(acts.iter().any(|act| act["after"] == json!({"passkey": "laptop"})));
    // Ten minutes later, what is sensitive asks again; the person goes on where they were.
    house.wait(600);
    chromium.press("#passkeys button").await;
    chromium.read("#prove", "Prove again").await;
    chromium.press("#prove-passkey").await;
    chromium.read("#status", "Deleted laptop").await;
    assert_eq!(house.admin.audit("action=session.step_up").await.len(), 1);
    house.sign_in(&ada).await;
    chromium.end().await;
}

/// What a program says to the page, and what the browser brings it.
struct Program {
    listener: TcpListener,
    port: u16,
}

impl Program {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    fn fragment(&self, what: &str, begun: &Value) -> String {
        let told = json!({"do": what, "options": begun["options"], "port": self.port});
        format!("#{}", URL_SAFE_NO_PAD.encode(told.to_string()))
    }

    async fn hear(&self) -> BTreeMap<String, String> {
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.unwrap() > 0 {}
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nback";
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let line = String::from_utf8(request).unwrap();
            if let Some(query) = line.split(' ').nth(1).and_then(|path| path.strip_prefix("/callback?")) {
                return form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            }
        }
    }

    /// Has the browser do it; what came back, with the flow.
    async fn ask(&self, chromium: &Chromium, what: &str, begun: &Value) -> Value {
        chromium.visit(&self.fragment(what, begun)).await;
        chromium.read("#program-what", "The command line on this computer").await;
        // What was asked is not left in the history.
        assert!(!chromium.url().await.contains('#'));
        let (back, ()) = tokio::join!(self.hear(), chromium.press("#program-go"));
        assert_eq!(back["state"], begun["options"]["challenge"].as_str().unwrap());
        let mut told: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&back["code"]).unwrap()).unwrap();
        told["flow"] = begun["flow"].clone();
        told
    }
}

async fn a_program_has_a_browser_add_and_use_a_passkey(mut house: House) {
    let Some(chromium) = Chromium::start(&mut house).await else { return };
    let ada = house.person("ada@example.com", &["audit.read"]).await;
    let session = house.sign_in(&ada).await;
    let program = Program::listen().await;
    let begun = house.begin_passkey(&session).await;
    let mut made = program.ask(&chromium, "create", &begun).await;
    made["name"] = "laptop".into();
    let added = session.post("/v1/account/passkeys", made).await.created();
    assert_eq!(added["transports"], json!(["internal"]));
    // Alone.
    let begun = house.begin_passkey_sign_in().await;
    let proof = program.ask(&chromium, "get", &begun).await;
    let signed_in = house.try_passkey(&proof).await.created();
    assert_eq!(signed_in["email"], "ada@example.com");
    let session = house.stranger.with_key(signed_in["token"].as_str().unwrap());
    // Beside a password.
    let begun = house.begin_passkey_sign_in().await;
    let mut beside = ada.proof();
    beside["passkey"] = program.ask(&chromium, "get", &begun).await;
    house.try_sign_in(beside).await.created();
    // Again.
    house.wait(600);
    session.get("/v1/audit/export").await.refused(403, "second_factor_required");
    let begun = session.poke("/v1/sessions/current/second-factor/passkey").await.ok();
    let proof = program.ask(&chromium, "get", &begun).await;
    session.post("/v1/sessions/current/second-factor", json!({"passkey": proof})).await.ok();
    assert_eq!(session.get("/v1/audit/export").await.status, 200);
    // What is no question of ours asks nothing.
    for fragment in
        ["#", "#%", "#e30", &format!("#{}", URL_SAFE_NO_PAD.encode("{\"do\":\"get\",\"port\":80}"))]
    {
        chromium.visit(fragment).await;
        chromium.read("#sign-in", "Sign in with a passkey").await;
    }
    chromium.end().await;
}

async fn who_is_not_verified_or_has_a_copy_is_not_let_in(mut house: House) {
    let Some(chromium) = Chromium::start(&mut house).await else { return };
    let ada = house.person("ada@example.com", &[]).await;
    let session = house.sign_in(&ada).await;
    let program = Program::listen().await;
    let begun = house.begin_passkey(&session).await;
    let mut made = program.ask(&chromium, "create", &begun).await;
    made["name"] = "laptop".into();
    session.post("/v1/account/passkeys", made).await.created();
    let copy = chromium.credentials().await.remove(0);
    let counted = copy["signCount"].as_u64().unwrap();
    let sign_in = async || {
        chromium.visit("").await;
        chromium.read("#sign-in", "Sign in with a passkey").await;
        chromium.press("#sign-in-go").await;
    };
    sign_in().await;
    chromium.read("#who", "Signed in to acme").await;
    chromium.press("#sign-out").await;
    chromium.read("#status", "Signed out").await;
    // The finger is another's.
    chromium.verifies_its_user(false).await;
    sign_in().await;
    chromium.read("#problem", "No passkey was used").await;
    chromium.verifies_its_user(true).await;
    // The copy, which counts on from where it was made.
    assert!(counted > 0 && chromium.credentials().await[0]["signCount"].as_u64().unwrap() > counted);
    chromium.hold(copy).await;
    sign_in().await;
    chromium.read("#problem", "there may be two of it").await;
    assert_eq!(house.admin.audit("action=account.passkey_copied").await.len(), 1);
    chromium.end().await;
}
