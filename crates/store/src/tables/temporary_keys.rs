//! Temporary keys whose time is over, to be purged.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::Column;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::Micros;

statements! {
    // What the index of temporary keys is for: no other key is looked at.
    EXPIRED(2) = "SELECT organization_id, id FROM keys WHERE kind = 'temporary' AND expires_at < $1 \
        ORDER BY expires_at, id LIMIT $2";
}

impl Conn {
    /// Temporary keys of every organization that expired before an instant, the longest dead first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn temporary_keys_expired_before(
        &mut self,
        before: Micros,
        rows_max: u32,
    ) -> Result<Vec<(OrganizationId, KeyId)>, StoreError> {
        let rows = self.rows::<(Vec<u8>, Vec<u8>), 2>(&EXPIRED, [before.value(), limit(rows_max)]).await?;
        let read = |(organization, id): (Vec<u8>, Vec<u8>)| {
            Some((OrganizationId::from_slice(&organization)?, KeyId::from_slice(&id)?))
        };
        rows.into_iter().map(|row| read(row).ok_or(StoreError::Corrupt("a key's id"))).collect()
    }
}
