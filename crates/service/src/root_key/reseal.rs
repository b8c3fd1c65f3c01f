//! Sealing anew: what an earlier root key sealed is sealed by the current one, a few rows at a
//! time. Where it stands is written on the values themselves, so a crash at any step loses nothing
//! and the next start goes on.

use crate::entropy::Entropy;
use crate::refused::Refused;
use keystead_domain::seal::RootKeys;
use keystead_store::{Conn, PEPPERS, SEALED, Sealed, SealedRow, Store, StoreError, Tx};
use std::collections::BTreeMap;

/// How many values in the database begin with each label, of every column that the root key seals.
///
/// # Errors
/// When the database cannot answer.
pub(crate) async fn labels(conn: &mut Conn) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    let mut labels: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for sealed in SEALED {
        for (label, count) in conn.sealed_labels(sealed).await? {
            *labels.entry(label).or_default() += count;
        }
    }
    Ok(labels.into_iter().collect())
}

/// A value that is sealed anew: its row, and what is replaced by what.
type Anew = (SealedRow, Vec<u8>, Vec<u8>);

fn seal_anew(
    sealed: &Sealed,
    rows: Vec<(SealedRow, Vec<u8>)>,
    keys: &RootKeys,
    entropy: &Entropy,
) -> Result<Vec<Anew>, Refused> {
    let anew = rows.into_iter().map(|(row, before)| {
        let shut = || Refused::Internal(format!("{row:?} of {} does not open", sealed.table));
        let place = (sealed.place)(&row).ok_or_else(shut)?;
        let secret = keys.open(&place, &before).map_err(|_| shut())?;
        let after = entropy.with(|rng| keys.seal(&place, &secret, rng)).map_err(|_| shut())?;
        Ok((row, before, after))
    });
    anew.collect()
}

async fn is_sealing(conn: &mut Conn, label: &[u8]) -> Result<bool, StoreError> {
    Ok(conn.sealing_label().await?.is_some_and(|sealing| sealing == label))
}

/// Seals up to `rows_max` values anew, in one transaction; how many. When it is 0, none are left, or
/// another key seals than this node's current one: two nodes would undo each other's work. The peppers
/// are an exchange's, which is on record.
///
/// # Errors
/// When the database does not answer, or a value does not open; nothing was changed then.
pub(crate) async fn reseal_some(
    store: &Store,
    keys: &RootKeys,
    entropy: &Entropy,
    rows_max: u32,
) -> Result<usize, Refused> {
    let label = keys.current().id().label();
    for sealed in SEALED.iter().filter(|sealed| sealed.table != PEPPERS.table) {
        let mut reader = store.read().await?;
        if !is_sealing(&mut reader, &label).await? {
            return Ok(0);
        }
        let rows = reader.sealed_otherwise(sealed, &label, rows_max).await?;
        drop(reader);
        if rows.is_empty() {
            continue;
        }
        let anew = seal_anew(sealed, rows, keys, entropy)?;
        let written = store.bookkeeping(move |ledger| {
            Box::pin(async move {
                if !is_sealing(ledger, &label).await? {
                    return Ok(0);
                }
                for (row, before, after) in &anew {
                    // One that was changed meanwhile was sealed by whoever changed it.
                    ledger.reseal(sealed, row, before, after).await?;
                }
                Ok::<_, Refused>(anew.len())
            })
        });
        return written.await;
    }
    Ok(0)
}

/// Seals the peppers anew within an exchange. Whoever else exchanges at the same moment has replaced
/// them, or waits for this and finds them replaced.
///
/// # Errors
/// When another was first, or as [`reseal_some`].
pub(super) async fn take_peppers(
    tx: &mut Tx,
    keys: &RootKeys,
    entropy: &Entropy,
    peppers_max: u32,
) -> Result<(), Refused> {
    let label = keys.current().id().label();
    let rows = tx.sealed_otherwise(&PEPPERS, &label, peppers_max).await?;
    for (row, before, after) in seal_anew(&PEPPERS, rows, keys, entropy)? {
        if !tx.reseal(&PEPPERS, &row, &before, &after).await? {
            return Err(Refused::conflict(
                "Another node exchanged the root key at the same moment.",
                "Copy its root key to this node, then try again here.",
            ));
        }
    }
    Ok(())
}
