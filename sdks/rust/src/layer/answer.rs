//! What came back, as a verdict or an error: strictly, since what is not a verdict lets nobody pass.

use crate::client::Answer;
use crate::{Client, Error};
use keystead_api::{Code, VerdictDetail, Verification};
use serde_json::{Map, Value};

/// The largest answer that is read: a verdict with 5,000 permissions is smaller.
pub(super) const BYTES_MAX: usize = 4 << 20;
const TEXT_CHARS_MAX: usize = 1_000;

/// What Keystead says of a request.
#[derive(Debug)]
pub(super) enum Said {
    /// A verdict, whose `valid` and `code` say the same.
    Known(Box<Verification>),
    /// A code that this version does not know: it refuses, whatever it says of itself.
    Unknown {
        /// The request's id, as in the server's log.
        request_id: String,
    },
}

/// Reads an answer to `POST /v1/verify`.
pub(super) fn read(client: &Client, answer: &Answer) -> Result<Said, Error> {
    let foreign = |why: &str| Err(client.protocol(answer.status, why.to_owned()));
    client.refuse_encoded(answer)?;
    if !(200..300).contains(&answer.status) {
        return Err(client.refusal(answer));
    }
    if answer.status != 200 || answer.kind != "application/json" {
        return foreign("it is no verdict");
    }
    // Only an object: serde would take a list of the right length for it.
    match serde_json::from_slice::<Map<String, Value>>(&answer.body) {
        Ok(object) => verdict(object).or_else(foreign),
        Err(_) => foreign("it is not the JSON object that was expected"),
    }
}

fn verdict(mut object: Map<String, Value>) -> Result<Said, &'static str> {
    let Some(Value::String(code)) = object.get("code") else { return Err("`code` is missing or no text") };
    let Some(Value::Bool(_)) = object.get("valid") else { return Err("`valid` is missing or no boolean") };
    if !Code::ALL.iter().any(|known| known.as_str() == code) {
        let request_id = object.get("request_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Ok(Said::Unknown { request_id });
    }
    // Only ever beside a refusal, and a newer server's says no less.
    if object
        .get("detail")
        .is_some_and(|detail| serde_json::from_value::<VerdictDetail>(detail.clone()).is_err())
    {
        object.remove("detail");
    }
    let said = serde_json::from_value::<Verification>(Value::Object(object))
        .map_err(|_| "a field of it is missing or of another kind")?;
    if said.valid != (said.code == Code::Valid) {
        return Err("`valid` and `code` contradict each other");
    }
    if said.valid && said.key_id.as_deref().unwrap_or_default().is_empty() {
        return Err("a valid key has no id");
    }
    Ok(Said::Known(Box::new(said)))
}

/// A text of a server's, for a log or a client: bounded, on one line, and without the keys even if it repeats them.
pub(super) fn plain(client: &Client, key: &str, text: &str) -> String {
    let mut text = text.replace(key, "…");
    client.hide_key(&mut text);
    let visible = |c: char| if c.is_control() || is_format(c) { ' ' } else { c };
    text.chars().take(TEXT_CHARS_MAX).map(visible).collect()
}

/// Invisible, or turning what follows around.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
