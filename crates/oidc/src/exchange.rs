//! Giving a code for what it stands for, and asking what a token leaves out.

use crate::claims::Claims;
use crate::discovery::Metadata;
use crate::failure::Failure;
use crate::fetch::Fetch;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// The longest code or token that is sent on, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// What is given for an ID token.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// By which id the provider knows us.
    pub client_id: &'a str,
    /// Our secret there; a public client has none.
    pub client_secret: Option<&'a str>,
    /// The code that came back.
    pub code: &'a str,
    /// What its challenge was made of.
    pub verifier: &'a str,
    /// Where the browser came back to.
    pub redirect_uri: &'a str,
    /// A claim that is looked for at the userinfo endpoint where the token has none.
    pub groups_claim: Option<&'a str>,
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
pub(crate) struct Tokens {
    #[serde(default)]
    pub(crate) id_token: Option<Zeroizing<String>>,
    #[serde(default)]
    pub(crate) access_token: Option<Zeroizing<String>>,
    #[serde(default)]
    error: Option<String>,
}

impl Exchange<'_> {
    /// Gives the code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub(crate) async fn give(&self, fetch: &Fetch, metadata: &Metadata) -> Result<Tokens, Failure> {
        fetch.check(metadata.token_endpoint())?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", self.code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", self.verifier),
        ];
        let mut request = fetch.http()?.post(metadata.token_endpoint().clone());
        match self.client_secret {
            Some(secret) if metadata.takes_basic() => {
                // Encoded first (RFC 6749 §2.3.1): else a `:` in the id would end it.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                request = request.basic_auth(encoded(self.client_id), Some(encoded(secret)));
            }
            Some(secret) => form.extend([("client_id", self.client_id), ("client_secret", secret)]),
            None => form.push(("client_id", self.client_id)),
        }
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let (status, tokens) = fetch.json::<Tokens>(request, "the answer to a code").await?;
        match tokens {
            Some(tokens) if status.is_success() => Ok(tokens),
            Some(Tokens { error: Some(error), .. }) => {
                Err(if error == "invalid_client" { Failure::Client } else { Failure::Code })
            }
            _ => Err(Failure::Answered),
        }
    }
}

/// Adds what the ID token leaves out (Core 1.0 §5.3).
pub(crate) async fn complete(
    fetch: &Fetch,
    metadata: &Metadata,
    tokens: &Tokens,
    claims: &mut Claims,
) -> Result<(), Failure> {
    let (Some(url), Some(token)) = (metadata.userinfo_endpoint(), &tokens.access_token) else {
        return Ok(());
    };
    if token.len() > BYTES_MAX {
        return Err(Failure::Malformed("an access token that is too long"));
    }
    fetch.check(url)?;
    let request = fetch.http()?.get(url.clone()).bearer_auth(token.as_str());
    let (status, more) = fetch.json::<Map<String, Value>>(request, "what it says of the person").await?;
    let more = more.filter(|_| status.is_success()).ok_or(Failure::Answered)?;
    // Else a token that was swapped would add another's address (Core 1.0 §5.3.2).
    if more.get("sub").and_then(Value::as_str) != Some(claims.subject()) {
        return Err(Failure::Malformed("what it says of the person is of another"));
    }
    claims.add(more);
    Ok(())
}
