//! Imported keys become as our own once their whole token was seen: found and proven by it.

use crate::Keystead;
use crate::keyring::imports::Upgrade;
use crate::refused::Refused;
use keystead_domain::foreign::Form;
use keystead_domain::ids::KeyId;
use keystead_store::{Acted, Change, ChangeKind, ImportRow};
use std::sync::Arc;
use std::time::Duration;

/// How often keys that were used are upgraded.
const EVERY: Duration = Duration::from_secs(5);

impl Keystead {
    /// Upgrades what was used, until the stop, and once more then.
    pub(crate) async fn keep_upgrading(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            let stop = tokio::select! {
                () = self.stopping.cancelled() => true,
                _ = ticks.tick() => false,
            };
            for (id, upgrade) in self.keyring.imports.take_uses() {
                if let Err(error) = self.upgrade_import(id, upgrade).await {
                    tracing::warn!(%error, key = %id, "an imported key could not be upgraded; a later use will");
                }
            }
            if stop {
                return;
            }
        }
    }

    /// Makes an imported key one that is found by its whole token.
    pub(crate) async fn upgrade_import(self: &Arc<Self>, id: KeyId, upgrade: Upgrade) -> Result<(), Refused> {
        let Upgrade { organization, lookup, digest, pepper } = upgrade;
        let this = Arc::clone(self);
        let change = move || Change::new(organization, ChangeKind::Key, id.as_bytes());
        let known = self.store.read().await?.import_of(organization, id).await?;
        if known.is_none_or(|import| import.form == Form::Token.name()) {
            // Another node was faster, and this one may not have heard of it yet.
            return self.apply_one(&change()).await;
        }
        self.act(move |tx| {
            Box::pin(async move {
                let gone = || Refused::not_found("key");
                tx.lock_key(organization, id).await?;
                let import = tx.import_of(organization, id).await?.ok_or_else(gone)?;
                let row = tx.key(organization, id).await?.ok_or_else(gone)?;
                let form = Form::Token.name().to_owned();
                tx.upgrade_import(&ImportRow {
                    form,
                    lookup,
                    digest,
                    pepper_version: i64::from(pepper),
                    ..import
                })
                .await?;
                Ok(Acted {
                    value: (),
                    events: vec![this.own_key_event("key.upgrade", &row)],
                    changes: vec![change()],
                })
            })
        })
        .await
    }
}
