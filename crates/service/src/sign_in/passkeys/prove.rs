//! What the use of a passkey proves. Whatever is wrong is answered alike; but a copied one is told to who has it, and by
//! letter to whose it is.

use super::ceremony::{For, Open};
use super::{decode, descriptors};
use crate::Keystead;
use crate::act::Target;
use crate::caller::{Caller, Origin};
use crate::refused::Refused;
use keystead_api::{BegunPasskey, PasskeyProof};
use keystead_domain::ids::{AccountId, FlowId};
use keystead_domain::time::Micros;
use keystead_store::{Acted, PasskeyRow, PasskeyUse, StoreError, Tx};
use keystead_webauthn::{Assertion, CREDENTIAL_ID_BYTES_MAX, Expected, Failure, Known};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The most that is read, in bytes.
const CLIENT_DATA_BYTES_MAX: usize = 4_096;
const AUTHENTICATOR_DATA_BYTES_MAX: usize = 8_192;
const SIGNATURE_BYTES_MAX: usize = 512;
/// Of a user handle (Web Authentication Level 3 §5.4.3).
const USER_HANDLE_BYTES_MAX: usize = 64;

/// What was sent, as bytes.
pub(super) struct Sent {
    flow: String,
    pub(super) credential_id: Vec<u8>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    user_handle: Option<Vec<u8>>,
}

impl Sent {
    pub(super) fn read(field: &str, proof: &PasskeyProof) -> Result<Self, Refused> {
        let bytes = |name: &str, text: &str, max: usize| decode(&format!("{field}/{name}"), text, max);
        let handle = proof.user_handle.as_deref();
        Ok(Self {
            flow: proof.flow.clone(),
            credential_id: bytes("credential_id", &proof.credential_id, CREDENTIAL_ID_BYTES_MAX)?,
            client_data: bytes("client_data", &proof.client_data, CLIENT_DATA_BYTES_MAX)?,
            authenticator_data: bytes(
                "authenticator_data",
                &proof.authenticator_data,
                AUTHENTICATOR_DATA_BYTES_MAX,
            )?,
            signature: bytes("signature", &proof.signature, SIGNATURE_BYTES_MAX)?,
            user_handle: handle.map(|text| bytes("user_handle", text, USER_HANDLE_BYTES_MAX)).transpose()?,
        })
    }

    /// Whether the authenticator said whose it is: without, nobody is signed in by it alone.
    pub(super) const fn names_its_user(&self) -> bool {
        self.user_handle.is_some()
    }
}

/// A passkey whose use was right, until it is taken.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) row: PasskeyRow,
    pub(super) ceremony: Ceremony,
}

/// What its use writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sign_in) struct Ceremony {
    flow: FlowId,
    used: PasskeyUse,
    at: Micros,
}

impl Ceremony {
    /// Uses it up; `false` when somebody did before, or with a counter that went further.
    pub(in crate::sign_in) async fn take(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        Ok(tx.take_passkey_flow(self.flow, self.at).await? && tx.use_passkey(&self.used, self.at).await?)
    }
}

impl Keystead {
    /// Begins what signs somebody in, or proves their second factor without a session. It is the same for everybody: who
    /// it will be, the passkey says.
    ///
    /// # Errors
    /// When passkeys do not work here, or too many were begun.
    pub async fn begin_passkey_sign_in(&self, origin: &Origin) -> Result<BegunPasskey, Refused> {
        let options = self.request_options(&[])?;
        self.begin_ceremony(For::SigningIn, origin, options).await
    }

    /// Begins proving the second factor again with a passkey, within the caller's session.
    ///
    /// # Errors
    /// When the caller has no session, or its account no passkey.
    pub async fn begin_passkey_step_up(&self, caller: &Caller) -> Result<BegunPasskey, Refused> {
        let own = caller.signed_in()?;
        let rows = self.store.read().await?.passkeys(own.account).await?;
        if rows.is_empty() {
            return Err(Refused::conflict(
                "The account has no passkey.",
                "Add one with POST /v1/account/passkeys/begin (keystead account passkeys add).",
            ));
        }
        let options = self.request_options(&rows)?;
        self.begin_ceremony(For::StepUp(own.id), &caller.origin, options).await
    }

    fn request_options(&self, rows: &[PasskeyRow]) -> Result<Map<String, Value>, Refused> {
        let site = self.passkey_site()?;
        let options: [(&str, Value); 3] = [
            ("rpId", site.id().into()),
            ("allowCredentials", descriptors(rows)?.into()),
            ("userVerification", "required".into()),
        ];
        Ok(options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// What the use of a passkey proves of whose it is. `known` is the passkey of that id, where it may count.
    pub(super) async fn check_passkey(
        self: &Arc<Self>,
        sent: Sent,
        known: Option<PasskeyRow>,
        purpose: For,
        origin: &Origin,
    ) -> Result<Proved, Refused> {
        let open = self.open_ceremony(purpose, &sent.flow).await?;
        let (Some(row), Some(Open { id, challenge })) = (known, open) else {
            return Err(Refused::SignInFailed);
        };
        let assertion = Assertion {
            client_data: &sent.client_data,
            authenticator_data: &sent.authenticator_data,
            signature: &sent.signature,
            user_handle: sent.user_handle.as_deref(),
        };
        let known = Known {
            user_handle: &row.account_id.0,
            public_key: &row.public_key,
            count: u32::try_from(row.sign_count).unwrap_or(u32::MAX),
            backup_eligible: row.backup_eligible,
        };
        let expected = Expected { site: self.passkey_site()?, challenge: &challenge };
        match assertion.verify(&known, &expected) {
            Ok(used) => {
                let used = PasskeyUse {
                    id: row.id,
                    account: row.account_id,
                    sign_count: used.count.into(),
                    backed_up: used.backed_up,
                };
                Ok(Proved { ceremony: Ceremony { flow: id, used, at: self.clock.now() }, row })
            }
            Err(Failure::Counter) => {
                self.note_copy(&row, id, origin).await?;
                Err(Refused::PasskeyCopied)
            }
            Err(failure) => {
                tracing::info!(passkey = %row.id, %failure, "a passkey was refused");
                Err(Refused::SignInFailed)
            }
        }
    }

    /// The same as a second factor of an account that is known already.
    pub(in crate::sign_in) async fn passkey_of_account(
        self: &Arc<Self>,
        proof: &PasskeyProof,
        account: AccountId,
        purpose: For,
        origin: &Origin,
    ) -> Result<Ceremony, Refused> {
        let sent = Sent::read("/passkey", proof)?;
        let known = self.store.read().await?.passkey_by_credential(&sent.credential_id).await?;
        let known = known.filter(|row| row.account_id == account);
        Ok(self.check_passkey(sent, known, purpose, origin).await?.ceremony)
    }

    /// Has it on record, and tells whose it is, that there may be two of a passkey. The ceremony is used up.
    async fn note_copy(
        self: &Arc<Self>,
        row: &PasskeyRow,
        flow: FlowId,
        origin: &Origin,
    ) -> Result<(), Refused> {
        let mut reader = self.store.read().await?;
        let Some(account) = reader.account(row.account_id).await? else { return Ok(()) };
        let members = reader.members_of_account(account.id).await?;
        drop(reader);
        let Some(first) = members.iter().find(|member| !member.disabled) else { return Ok(()) };
        let organization = first.organization_id;
        let event = |member| {
            let target =
                Target { kind: "account", id: account.id.to_string(), name: &account.email, project: None };
            let mut event = self.event_by(member, None, "account.passkey_copied", target, origin);
            event.after_body = Some(super::add::on_record(row).to_string());
            event
        };
        let events = members.iter().map(event).collect();
        let (this, row, now) = (Arc::clone(self), row.clone(), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.take_passkey_flow(flow, now).await? {
                    return Err(Refused::SignInFailed);
                }
                this.tell_of_copy(tx, (organization, &account), &row).await?;
                Ok(Acted { value: (), events, changes: Vec::new() })
            })
        })
        .await?;
        self.post.hurry();
        Ok(())
    }
}
