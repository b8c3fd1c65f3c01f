//! Adding a passkey to one's own account.

use super::ceremony::For;
use super::{PASSKEYS_MAX, decode, descriptors, encode};
use crate::Keystead;
use crate::caller::{Caller, SessionProof};
use crate::present::to_json;
use crate::refused::Refused;
use crate::sign_in::change_password::has_password;
use keystead_api::{AddPasskey, AddedPasskey, BeginPasskey, BegunPasskey, RecoveryCodes};
use keystead_domain::ids::{FlowId, PasskeyId};
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_store::{AccountRow, Acted, PasskeyRow, StoreError, Tx, Unique};
use keystead_webauthn::{Algorithm, Expected, Registered, Registration};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The most that is read, in bytes.
const CLIENT_DATA_BYTES_MAX: usize = 4_096;
const ATTESTATION_BYTES_MAX: usize = 16_384;
/// How an authenticator is reached (Web Authentication Level 3 §5.8.4): others are left out.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// What is written when one is added.
struct Adding {
    account: AccountRow,
    own: SessionProof,
    flow: FlowId,
    row: PasskeyRow,
    codes: (RecoveryCodes, Vec<[u8; 32]>),
    now: Micros,
}

impl Keystead {
    /// Begins adding a passkey.
    ///
    /// # Errors
    /// When the caller has no session, or an account without a password; has not proved the second factor a moment ago,
    /// or where there is none the password; or has as many as it may.
    pub async fn begin_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        input: &BeginPasskey,
    ) -> Result<BegunPasskey, Refused> {
        let own = caller.signed_in()?.clone();
        let site = self.passkey_site()?;
        let account = self.may_add(caller, &own, input.password.as_deref()).await?;
        let rows = self.store.read().await?.passkeys(own.account).await?;
        room_for_another(&rows)?;
        let algorithms = Algorithm::ALL.map(|one| json!({"type": "public-key", "alg": one.number()}));
        let mut options = Map::new();
        for (name, value) in [
            ("rp", json!({"id": site.id(), "name": "Keystead"})),
            (
                "user",
                json!({"id": encode(&account.id.0), "name": account.email, "displayName": account.name}),
            ),
            ("pubKeyCredParams", algorithms.into_iter().collect::<Value>()),
            ("excludeCredentials", descriptors(&rows)?.into()),
            (
                "authenticatorSelection",
                json!({"residentKey": "required", "requireResidentKey": true, "userVerification": "required"}),
            ),
            ("attestation", "none".into()),
        ] {
            options.insert(name.into(), value);
        }
        self.begin_ceremony(For::Adding(own.id), &caller.origin, options).await
    }

    /// Whoever adds a way in proves more than that somebody left a session open.
    async fn may_add(
        &self,
        caller: &Caller,
        own: &SessionProof,
        password: Option<&str>,
    ) -> Result<AccountRow, Refused> {
        if self.has_second_factor(own.account).await? {
            self.stepped_up(caller)?;
            return self.own_account(own).await;
        }
        // An account of a provider: it would be a way around that one, which may have put the person out.
        has_password(&self.own_account(own).await?)?;
        let password = password.ok_or_else(|| {
            Invalid::new(
                "/password",
                "The account has no second factor: adding a passkey takes its password.",
                "Send `password`.",
            )
        })?;
        self.prove_password(caller, own, "/password", password).await
    }

    /// Adds the passkey that a browser has made.
    ///
    /// # Errors
    /// When it was not begun in the caller's session, or does not hold; when somebody has it already.
    pub async fn add_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        input: &AddPasskey,
    ) -> Result<AddedPasskey, Refused> {
        let own = caller.signed_in()?.clone();
        name::display_name("/name", &input.name)?;
        let client_data = decode("/client_data", &input.client_data, CLIENT_DATA_BYTES_MAX)?;
        let attestation = decode("/attestation", &input.attestation, ATTESTATION_BYTES_MAX)?;
        let site = self.passkey_site()?;
        let open = self.open_ceremony(For::Adding(own.id), &input.flow).await?.ok_or_else(|| {
            Invalid::new(
                "/flow",
                "This was not begun in this session, was finished, or took too long.",
                "Begin again: POST /v1/account/passkeys/begin (keystead account passkeys add).",
            )
        })?;
        let expected = Expected { site, challenge: &open.challenge };
        let made = Registration { client_data: &client_data, attestation: &attestation };
        let made = made.verify(&expected).map_err(|failure| {
            Invalid::new(
                "/attestation",
                format!("The passkey cannot be taken: {failure}."),
                "Begin again, on the page that was answered, with an authenticator that verifies its user.",
            )
        })?;
        let account = self.own_account(&own).await?;
        let adding = Adding {
            row: self.new_passkey(&account, input, made)?,
            codes: self.new_recovery_codes(own.account)?,
            now: self.clock.now(),
            flow: open.id,
            account,
            own,
        };
        let mut event = self.account_event(caller, &adding.account, "account.add_passkey");
        event.after_body = Some(to_json(&on_record(&adding.row))?);
        let (this, organization) = (Arc::clone(self), caller.organization());
        let added = self.act(move |tx| {
            Box::pin(async move {
                let codes = adding.write(tx).await?;
                let Adding { account, row, .. } = adding;
                this.tell_of_passkey(tx, (organization, &account), &row, true).await?;
                let passkey = super::manage::present(&row)?;
                let value = AddedPasskey { passkey, recovery_codes: codes.map(|codes| codes.codes) };
                Ok(Acted { value, events: vec![event], changes: Vec::new() })
            })
        });
        let added = added.await?;
        self.post.hurry();
        Ok(added)
    }

    fn new_passkey(
        &self,
        account: &AccountRow,
        input: &AddPasskey,
        made: Registered,
    ) -> Result<PasskeyRow, Refused> {
        let mut transports: Vec<&str> = TRANSPORTS.to_vec();
        transports.retain(|known| input.transports.iter().any(|said| said == known));
        Ok(PasskeyRow {
            id: self.entropy.with(|rng| PasskeyId::random(rng)),
            account_id: account.id,
            name: input.name.clone(),
            credential_id: made.credential_id,
            public_key: made.public_key,
            algorithm: made.algorithm.number(),
            sign_count: made.count.into(),
            transports: to_json(&transports)?,
            backup_eligible: made.backup_eligible,
            backed_up: made.backed_up,
            created_at: self.clock.now(),
            last_used_at: None,
            version: 1,
        })
    }
}

impl Adding {
    /// Writes it; recovery codes where it is the first second factor.
    async fn write(&self, tx: &mut Tx) -> Result<Option<RecoveryCodes>, Refused> {
        // Two at once are counted one after the other.
        if !tx.hold_account(&self.account).await? || !tx.take_passkey_flow(self.flow, self.now).await? {
            return Err(StoreError::Conflict.into());
        }
        let before = tx.passkeys(self.account.id).await?;
        room_for_another(&before)?;
        let totp = tx.second_factor(self.account.id).await?.is_some_and(|row| row.confirmed_at.is_some());
        tx.insert_passkey(&self.row).await.map_err(|error| match error {
            StoreError::Unique(Unique::PasskeyCredential) => Refused::conflict(
                "This passkey is registered already.",
                "Use it, or make another on a different device.",
            ),
            other => other.into(),
        })?;
        tx.step_up_session(self.own.id, self.now).await?;
        if totp || !before.is_empty() {
            return Ok(None);
        }
        tx.replace_recovery_codes(self.account.id, &self.codes.1).await?;
        Ok(Some(self.codes.0.clone()))
    }
}

fn room_for_another(rows: &[PasskeyRow]) -> Result<(), Refused> {
    if rows.len() < PASSKEYS_MAX {
        return Ok(());
    }
    Err(Refused::conflict(
        format!("The account has {PASSKEYS_MAX} passkeys, which is as many as it may have."),
        "Delete one first: DELETE /v1/account/passkeys/{passkey} (keystead account passkeys delete).",
    ))
}

/// What the audit has of it.
pub(super) fn on_record(row: &PasskeyRow) -> Value {
    json!({"passkey": row.id.to_string(), "name": row.name, "algorithm": row.algorithm})
}
