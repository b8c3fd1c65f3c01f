//! Reading a public key again: it was sealed when it was issued, and each reading is on record.

use crate::Keystead;
use crate::caller::Caller;
use crate::guidelines::demand::has_read;
use crate::management;
use crate::refused::Refused;
use keystead_api::RevealedKey;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::seal::RootKeyId;
use keystead_store::{Acted, Conn, Tx, public_key_place};
use std::sync::Arc;

impl Keystead {
    /// A public key itself, once more.
    ///
    /// # Errors
    /// When the caller may not see the key, or it is of another kind: those are shown once.
    pub async fn reveal_key(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<RevealedKey, Refused> {
        let (id, place) = self.locate_own_key(caller, id, &[management::KEYS_READ]).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let organization = by.organization();
                has_read(tx, &by, &place.project).await?;
                let row = tx.key(organization, id).await?.ok_or(Refused::not_found("key"))?;
                let Some(sealed) = tx.sealed_key(organization, id).await? else {
                    return Err(Refused::conflict(
                        "Only a public key can be read again.",
                        "If it is lost, issue another one and revoke this.",
                    ));
                };
                let keys = this.root.keys();
                if RootKeyId::of(&sealed).is_some_and(|by| keys.iter().all(|key| key.id() != by)) {
                    return Err(behind());
                }
                let opened = keys.open(&public_key_place(organization, id), &sealed);
                let opened = opened.map_err(|error| Refused::Internal(format!("{id}: {error}")))?;
                let key =
                    str::from_utf8(&opened).map_err(|_| Refused::Internal("a key that is no text".into()))?;
                Ok(Acted {
                    value: RevealedKey { id: id.to_string(), key: key.to_owned() },
                    events: vec![this.key_event(&by, "key.reveal", &row)],
                    changes: Vec::new(),
                })
            })
        })
        .await
    }

    /// Keeps a public key, sealed for its own row.
    pub(crate) async fn keep_sealed(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        id: KeyId,
        token: &str,
    ) -> Result<(), Refused> {
        let sealed = self.seal_at(tx, &public_key_place(organization, id), token.as_bytes()).await?;
        Ok(tx.insert_sealed_key(organization, id, &sealed).await?)
    }

    /// Seals a secret for the place where it is about to be stored.
    ///
    /// # Errors
    /// When another root key seals than this node's current one, or the database cannot answer.
    pub(crate) async fn seal_at(
        &self,
        conn: &mut Conn,
        place: &str,
        secret: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let keys = self.root.keys();
        if conn.sealing_label().await?.is_some_and(|label| label != keys.current().id().label()) {
            return Err(behind());
        }
        let sealed = self.entropy.with(|rng| keys.seal(place, secret, rng));
        sealed.map_err(|_| Refused::Internal("a secret that cannot be sealed".into()))
    }
}

/// Another node exchanged the root key: what this one sealed now could not be opened once the earlier
/// key has gone.
fn behind() -> Refused {
    Refused::conflict(
        "The root key was exchanged on another node, and this one does not have the new key yet.",
        "Copy it to this node, then run keystead root-key rotate here; until then ask another node.",
    )
}
