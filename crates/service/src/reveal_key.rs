//! Reading a public key again: it was sealed when it was issued, and each reading is on record.

use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::management;
use crate::refused::Refused;
use keystead_api::RevealedKey;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// A public key itself, once more.
    ///
    /// # Errors
    /// When the caller may not see the key, or it is of another kind: those are shown once.
    pub async fn reveal_key(self: &Arc<Self>, caller: &Caller, id: &str) -> Result<RevealedKey, Refused> {
        let (id, _) = self.locate_key(caller, id, management::KEYS_READ).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let organization = by.organization();
                let row = tx.key(organization, id).await?.ok_or(Refused::not_found("key"))?;
                let Some(sealed) = tx.sealed_key(organization, id).await? else {
                    return Err(Refused::conflict(
                        "Only a public key can be read again.",
                        "If it is lost, issue another one and revoke this.",
                    ));
                };
                let opened = this.root.open(&place_of(organization, id), &sealed);
                let opened = opened.map_err(|error| Refused::Internal(format!("{id}: {error}")))?;
                let key =
                    str::from_utf8(&opened).map_err(|_| Refused::Internal("a key that is no text".into()))?;
                let target = Target {
                    kind: "key",
                    id: id.to_string(),
                    name: &row.name,
                    project: Some(row.project_id),
                };
                Ok(Acted {
                    value: RevealedKey { id: id.to_string(), key: key.to_owned() },
                    events: vec![this.event(&by, "key.reveal", target)],
                    changes: Vec::new(),
                })
            })
        })
        .await
    }

    /// Seals a key for its own row.
    pub(crate) fn seal_key(
        &self,
        organization: OrganizationId,
        id: KeyId,
        token: &str,
    ) -> Result<Vec<u8>, Refused> {
        let place = place_of(organization, id);
        let sealed = self.entropy.with(|rng| self.root.seal(&place, token.as_bytes(), rng));
        sealed.map_err(|_| Refused::Internal("a key that cannot be sealed".into()))
    }
}

/// A sealed key that is moved to another row, or another tenant's, does not open there.
fn place_of(organization: OrganizationId, id: KeyId) -> String {
    format!("{organization}/public_keys/{id}/sealed")
}
