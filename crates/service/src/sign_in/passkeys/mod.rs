//! Passkeys (WebAuthn): a way in that is both factors at once, and a second factor beside a password. Each use is proved
//! by the person at the authenticator (user verification), so there is one kind of passkey only.

mod add;
mod ceremony;
mod enter;
mod manage;
mod prove;
mod tell;

pub(super) use ceremony::For;
pub(super) use prove::Ceremony;

use crate::Keystead;
use crate::refused::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_domain::invalid::Invalid;
use keystead_store::PasskeyRow;
use keystead_webauthn::RelyingParty;
use serde_json::{Value, json};

/// Passkeys of one account.
const PASSKEYS_MAX: usize = 10;

impl Keystead {
    /// Where passkeys work.
    fn passkey_site(&self) -> Result<&RelyingParty, Refused> {
        self.sign_in.site.as_ref().ok_or_else(|| {
            Refused::conflict(
                "Browsers use no passkeys where this server is reached: that takes a name, and TLS.",
                "Whoever runs it sets sign_in.url to an https URL with a name; keystead doctor says more.",
            )
        })
    }
}

/// Bytes as they are sent.
fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes that were sent, at most so many.
fn decode(field: &str, text: &str, bytes_max: usize) -> Result<Vec<u8>, Invalid> {
    let none = || {
        Invalid::new(
            field,
            format!("This is not base64url without padding, of {bytes_max} bytes at most."),
            "Send what the browser's answer holds, as bytes in base64url.",
        )
    };
    if text.is_empty() || text.len() / 4 > bytes_max / 3 {
        return Err(none());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| none())?;
    Some(bytes).filter(|bytes| bytes.len() <= bytes_max).ok_or_else(none)
}

/// Passkeys as browsers are told of them.
fn descriptors(rows: &[PasskeyRow]) -> Result<Vec<Value>, Refused> {
    let one = |row: &PasskeyRow| {
        let transports: Vec<String> = crate::present::json(&row.transports)?;
        Ok(json!({"type": "public-key", "id": encode(&row.credential_id), "transports": transports}))
    };
    rows.iter().map(one).collect()
}
