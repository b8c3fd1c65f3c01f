//! Where a browser is sent to sign in.

use crate::discovery::Metadata;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a provider is asked.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// By which id it knows us.
    pub client_id: &'a str,
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// What to tell of the person.
    pub scopes: &'a [String],
    /// Comes back beside the code.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// Of whoever will send the code on: see [`challenge`].
    pub challenge: &'a str,
    /// Whether to ask who it is again, also of who is signed in there.
    pub again: bool,
}

/// What is shown of a verifier before it is (RFC 7636 §4.2, `S256`).
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

impl Authorization<'_> {
    /// The URL to open.
    #[must_use]
    pub fn url(&self, metadata: &Metadata) -> String {
        let mut url = metadata.authorization_endpoint().clone();
        let mut pairs = url.query_pairs_mut();
        pairs
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("state", self.state)
            .append_pair("nonce", self.nonce)
            .append_pair("code_challenge", self.challenge)
            .append_pair("code_challenge_method", "S256");
        if self.again {
            pairs.append_pair("prompt", "login").append_pair("max_age", "0");
        }
        drop(pairs);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn a_challenge_is_what_the_standard_says() {
        let shown = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(shown, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
