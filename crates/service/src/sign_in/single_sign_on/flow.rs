//! A sign-in under way: what only its starter holds, and what is made of that. Nothing of it is stored but a keyed
//! digest, so a stolen database finishes nobody's sign-in, and any node can finish what another began.

use crate::Keystead;
use crate::refused::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_domain::digest::Purpose;
use keystead_domain::ids::FlowId;
use keystead_domain::time::SECOND;
use zeroize::Zeroizing;

/// How long a sign-in may take at the provider.
pub(super) const LASTS_MICROS: i64 = 600 * SECOND;
/// How many may be under way from one network: an office behind one address fits.
pub(super) const FROM_NETWORK_MAX: i64 = 200;

/// To whom the browser comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// To this server, which sets a cookie.
    Here,
    /// To a program on the person's machine, which is answered a token.
    Program,
}

/// What the starter's token stands for. Each can be told to the provider: none leads back to the token.
pub(super) struct Derived {
    /// Binds what comes back to who began.
    pub(super) state: String,
    /// Binds the ID token to this sign-in.
    pub(super) nonce: String,
    /// Binds the code to who began (RFC 7636): told with it only.
    pub(super) verifier: Zeroizing<String>,
}

impl Keystead {
    pub(super) fn derive(&self, token: &str) -> Result<Derived, Refused> {
        let text =
            |purpose| Ok::<_, Refused>(URL_SAFE_NO_PAD.encode(self.tag(purpose, &[token.as_bytes()])?));
        Ok(Derived {
            state: text(Purpose::FlowState)?,
            nonce: text(Purpose::FlowNonce)?,
            verifier: Zeroizing::new(text(Purpose::FlowVerifier)?),
        })
    }

    pub(super) fn flow_digest(&self, id: FlowId, token: &str) -> Result<[u8; 32], Refused> {
        self.tag(Purpose::Flow, &[&id.0, token.as_bytes()])
    }
}
