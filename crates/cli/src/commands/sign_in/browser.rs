//! Asking a browser on this machine for a passkey, on the server's own page. What is asked stands behind the URL's `#`,
//! which reaches no server's log; what proves who began stays here, so that what comes back helps nobody else.

use super::loopback::Loopback;
use crate::exit::Failure;
use crate::output::Output;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_sdk::api::BegunPasskey;
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

/// What opens a URL here.
#[cfg(target_os = "macos")]
const OPENS: &str = "open";
#[cfg(not(target_os = "macos"))]
const OPENS: &str = "xdg-open";

/// Shows a URL, and opens it where somebody looks.
pub(super) fn open(url: &Url, opens_browser: bool, output: &Output) {
    output.note("Open this in a browser on this machine:");
    output.note(url.as_str());
    if opens_browser && io::stderr().is_terminal() {
        // Where nothing opens it, the person does.
        let _ = Command::new(OPENS).arg(url.as_str()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

/// What the browser is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// To make a passkey.
    Create,
    /// To use one.
    Get,
}

/// Asks the browser; what it brought back, with the flow and whatever else belongs to it.
pub(super) async fn ask<T: DeserializeOwned>(
    begun: &BegunPasskey,
    asks: Asks,
    others: &[(&str, &str)],
    (opens_browser, output): (bool, &Output),
) -> Result<T, Failure> {
    let (loopback, port) = Loopback::listen().await?;
    let (url, challenge) = page(begun, asks, port).ok_or_else(|| {
        Failure::local("The server answered no page to open.", "Report this to whoever runs it.")
    })?;
    open(&url, opens_browser, output);
    // As hard to guess as any state, and bound to this ceremony.
    let back = loopback.wait(&challenge).await?;
    let told = back.code.as_deref().and_then(|code| answer(code, &begun.flow, others));
    told.ok_or_else(|| {
        Failure::local("The browser brought back no passkey's answer.", "Run the command again.")
    })
}

fn page(begun: &BegunPasskey, asks: Asks, port: u16) -> Option<(Url, String)> {
    let mut url = Url::parse(&begun.page).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let challenge = begun.options.get("challenge")?.as_str()?.to_owned();
    let what = match asks {
        Asks::Create => "create",
        Asks::Get => "get",
    };
    let told = json!({"do": what, "options": begun.options, "port": port}).to_string();
    url.set_fragment(Some(&URL_SAFE_NO_PAD.encode(told)));
    Some((url, challenge))
}

fn answer<T: DeserializeOwned>(code: &str, flow: &str, others: &[(&str, &str)]) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(code).ok()?;
    let mut told: Map<String, Value> = serde_json::from_slice(&bytes).ok()?;
    for (name, value) in others.iter().chain(&[("flow", flow)]) {
        told.insert((*name).to_owned(), (*value).into());
    }
    serde_json::from_value(Value::Object(told)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::{PasskeyProof, Timestamp};

    #[test]
    fn the_browser_is_told_what_to_ask_and_never_who_began() {
        let options = json!({"challenge": "c2lnbg", "rpId": "localhost"});
        let begun = BegunPasskey {
            flow: "ksf_secret".into(),
            options: options.as_object().unwrap().clone(),
            page: "http://localhost:7700/passkeys".into(),
            expires_at: Timestamp::UNIX_EPOCH,
        };
        let (url, challenge) = page(&begun, Asks::Get, 5_555).unwrap();
        assert_eq!(challenge, "c2lnbg");
        let told = URL_SAFE_NO_PAD.decode(url.fragment().unwrap()).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told, json!({"do": "get", "options": options, "port": 5_555}));
        for page_of in ["file:///etc/passwd", "javascript:alert(1)", ""] {
            assert_eq!(page(&BegunPasskey { page: page_of.into(), ..begun.clone() }, Asks::Get, 1), None);
        }
    }

    #[test]
    fn what_comes_back_is_an_answer_or_nothing_and_names_no_flow_of_its_own() {
        let told = json!({"flow": "ksf_others", "credential_id": "aQ", "client_data": "aQ",
            "authenticator_data": "aQ", "signature": "aQ"});
        let code = URL_SAFE_NO_PAD.encode(told.to_string());
        let proof: PasskeyProof = answer(&code, "ksf_mine", &[]).unwrap();
        assert_eq!((proof.flow.as_str(), proof.user_handle), ("ksf_mine", None));
        for code in ["", "aQ", "!", &URL_SAFE_NO_PAD.encode("{\"x\":1}")] {
            assert!(answer::<PasskeyProof>(code, "ksf_mine", &[]).is_none(), "{code}");
        }
    }
}
