//! Forgetting what nobody will ask for again: sessions that ended long ago, links that are over, wrong tries.

use crate::Keystead;
use keystead_domain::sign_in::backoff::FORGOTTEN_MICROS;
use keystead_domain::time::SECOND;
use keystead_store::StoreError;

/// For so long it is known from where somebody signed in.
const SESSIONS_KEPT_MICROS: i64 = 30 * 86_400 * SECOND;

impl Keystead {
    /// Forgets what is over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_sign_in(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    ledger.purge_sessions(now.plus(-SESSIONS_KEPT_MICROS)).await?;
                    ledger.purge_links(now).await?;
                    ledger.purge_flows(now).await?;
                    ledger.purge_passkey_flows(now).await?;
                    ledger.purge_tries(now.plus(-FORGOTTEN_MICROS)).await?;
                    Ok(())
                })
            })
            .await
    }
}
