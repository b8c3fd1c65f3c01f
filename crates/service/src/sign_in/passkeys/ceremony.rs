//! A ceremony under way: what only its starter holds, and the challenge that is made of it. Nothing is stored but a keyed
//! digest, so a stolen database finishes nobody's, and any node can finish what another began.

use super::encode;
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::Refused;
use crate::sign_in::tries::network;
use keystead_api::BegunPasskey;
use keystead_domain::digest::{Purpose, equal};
use keystead_domain::ids::{FlowId, SessionId};
use keystead_domain::sign_in::secret_token::{PlainToken, SecretToken, TokenKind};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::PasskeyFlowRow;
use serde_json::{Map, Value};

/// How long a person may take.
const LASTS_MICROS: i64 = 300 * SECOND;
/// How many may be under way from one network: an office behind one address fits.
const FROM_NETWORK_MAX: i64 = 200;

/// What a ceremony is for. One that was begun for something finishes nothing else, nor in another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sign_in) enum For {
    /// A passkey is added, in this session.
    Adding(SessionId),
    /// Somebody signs in, or proves a second factor without a session.
    SigningIn,
    /// The second factor is proved again, in this session.
    StepUp(SessionId),
}

impl For {
    const fn name(self) -> &'static str {
        match self {
            Self::Adding(_) => "add",
            Self::SigningIn => "sign_in",
            Self::StepUp(_) => "step_up",
        }
    }

    const fn session(self) -> Option<SessionId> {
        match self {
            Self::SigningIn => None,
            Self::Adding(session) | Self::StepUp(session) => Some(session),
        }
    }
}

/// A ceremony that its starter came back to.
pub(super) struct Open {
    pub(super) id: FlowId,
    /// What was to be signed, in base64url.
    pub(super) challenge: String,
}

impl Keystead {
    /// Begins a ceremony; `options` are asked with its challenge.
    pub(super) async fn begin_ceremony(
        &self,
        purpose: For,
        origin: &Origin,
        mut options: Map<String, Value>,
    ) -> Result<BegunPasskey, Refused> {
        let page = format!("{}/passkeys", self.passkey_site()?.base());
        let now = self.clock.now();
        let (id, flow) = self.entropy.with(|rng| {
            let id = FlowId::random(rng);
            (id, PlainToken::mint(TokenKind::Flow, id.0, rng))
        });
        let row = PasskeyFlowRow {
            id,
            purpose: purpose.name().into(),
            session_id: purpose.session(),
            digest: self.ceremony_digest(id, flow.expose())?,
            network: network(origin.ip),
            created_at: now,
            expires_at: now.plus(LASTS_MICROS),
        };
        let expires_at = row.expires_at;
        self.add_ceremony(row, now).await?;
        options.insert("challenge".into(), self.challenge(flow.expose())?.into());
        options.insert("timeout".into(), (LASTS_MICROS / 1_000).into());
        let flow = flow.expose().to_owned();
        Ok(BegunPasskey { flow, options, page, expires_at: expires_at.to_timestamp() })
    }

    async fn add_ceremony(&self, row: PasskeyFlowRow, now: Micros) -> Result<(), Refused> {
        let added = self.store.bookkeeping(move |ledger| {
            Box::pin(async move {
                if ledger.passkey_flows_from(&row.network, now).await? >= FROM_NETWORK_MAX {
                    return Ok(false);
                }
                ledger.insert_passkey_flow(&row).await?;
                Ok::<_, Refused>(true)
            })
        });
        if added.await? {
            return Ok(());
        }
        Err(Refused::TooOften {
            detail: "Too many passkeys were asked for from this network and not used.".into(),
            retry_after_seconds: 60,
        })
    }

    /// The ceremony that a token belongs to, where it was begun for that; `None` alike whatever is wrong. It is used up
    /// with what it is for, in one transaction.
    pub(super) async fn open_ceremony(&self, purpose: For, token: &str) -> Result<Option<Open>, Refused> {
        let Some(token) = SecretToken::parse(TokenKind::Flow, token.trim()) else { return Ok(None) };
        let id = FlowId(token.id());
        let digest = self.ceremony_digest(id, token.expose())?;
        let row = self.store.read().await?.passkey_flow(id).await?;
        let fits = row.is_some_and(|row| {
            equal(&row.digest, &digest)
                && row.purpose == purpose.name()
                && row.session_id == purpose.session()
                && row.expires_at > self.clock.now()
        });
        let challenge = self.challenge(token.expose())?;
        Ok(fits.then_some(Open { id, challenge }))
    }

    fn ceremony_digest(&self, id: FlowId, token: &str) -> Result<[u8; 32], Refused> {
        self.tag(Purpose::PasskeyFlow, &[&id.0, token.as_bytes()])
    }

    fn challenge(&self, token: &str) -> Result<String, Refused> {
        Ok(encode(&self.tag(Purpose::PasskeyChallenge, &[token.as_bytes()])?))
    }
}
