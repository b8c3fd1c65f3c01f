//! The keys that sign identities: which there are, and that there is always one.

use crate::Keystead;
use crate::caller::refuse;
use crate::entropy::Entropy;
use crate::refused::Refused;
use keystead_api::Code;
use keystead_domain::decide::Verdict;
use keystead_domain::identity::{IdentitySigner, PublishedKey, next, over, signing};
use keystead_domain::ids::SigningKeyId;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use keystead_store::{IdentityKeyRow, Ledger, identity_key_place};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The keys that there are, in the order in which they sign.
#[derive(Debug, Default)]
pub(super) struct Keys {
    signers: Vec<(Micros, Arc<IdentitySigner>)>,
    /// As a JWK set (RFC 7517 §5).
    published: Arc<[u8]>,
}

impl Keys {
    /// The one that signs now.
    pub(super) fn signer(&self, now: Micros) -> Option<&IdentitySigner> {
        let starts: Vec<Micros> = self.signers.iter().map(|(start, _)| *start).collect();
        self.signers.get(signing(&starts, now)?).map(|(_, signer)| signer.as_ref())
    }

    /// Whether this one signs, signed or will.
    pub(super) fn has(&self, id: SigningKeyId) -> bool {
        self.signers.iter().any(|(_, signer)| signer.id() == id)
    }

    /// Those of the rows that the root key opens. Others are not even published: a row that somebody wrote into the
    /// database makes nobody believed.
    fn open(rows: &[IdentityKeyRow], before: &Self, root: &RootKeys) -> Result<Self, Refused> {
        let mut signers = Vec::new();
        for row in rows {
            let known = before.signers.iter().find(|(_, signer)| signer.id() == row.id);
            match known.map(|(_, signer)| Arc::clone(signer)).or_else(|| open(row, root).map(Arc::new)) {
                Some(signer) => signers.push((row.signs_from, signer)),
                None => tracing::error!(key = %row.id, "a key that signs identities does not open"),
            }
        }
        let keys: Vec<PublishedKey> =
            signers.iter().map(|(_, signer)| PublishedKey::new(signer.id(), signer.public())).collect();
        let published = serde_json::to_vec(&serde_json::json!({ "keys": keys }))
            .map_err(|_| Refused::Internal("the published keys cannot be written".into()))?;
        Ok(Self { signers, published: published.into() })
    }
}

fn open(row: &IdentityKeyRow, root: &RootKeys) -> Option<IdentitySigner> {
    let seed = root.open(&identity_key_place(row.id), &row.sealed).ok()?;
    IdentitySigner::new(row.id, &Zeroizing::new(seed.as_slice().try_into().ok()?))
}

impl Keystead {
    /// The public halves of every key that signs, signed a moment ago, or is about to: a JWK set.
    ///
    /// # Errors
    /// When this node cannot know of every change: one of them may have been replaced.
    pub fn published_identity_keys(&self) -> Result<Arc<[u8]>, Refused> {
        if self.is_fresh() {
            Ok(Arc::clone(&self.identities.keys.load().published))
        } else {
            Err(refuse(&Verdict::of(Code::Unavailable)))
        }
    }

    /// Makes the next key when it is time, forgets those that are over, and takes those that there are: at the start and
    /// every hour, and a key is published for a day before it signs, so no node misses one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn tend_identity_keys(self: &Arc<Self>) -> Result<(), Refused> {
        let _turn = self.identities.turn.lock().await;
        let now = self.clock.now();
        let mut rows = self.store.read().await?.identity_keys().await?;
        let times = starts(&rows);
        if next(&times, now).is_some() || !over(&times, now).is_empty() {
            let (root, this) = (self.root.keys(), Arc::clone(self));
            let turned = self.store.bookkeeping(move |ledger| {
                Box::pin(async move { turn(ledger, &root, &this.entropy, now).await })
            });
            rows = turned.await?;
        }
        self.take_identity_keys(&rows)
    }

    /// Takes the keys that there are now: somebody has replaced them.
    pub(crate) async fn apply_identity_keys(&self) -> Result<(), Refused> {
        let _turn = self.identities.turn.lock().await;
        let rows = self.store.read().await?.identity_keys().await?;
        self.take_identity_keys(&rows)
    }

    fn take_identity_keys(&self, rows: &[IdentityKeyRow]) -> Result<(), Refused> {
        let keys = Keys::open(rows, &self.identities.keys.load(), &self.root.keys())?;
        self.identities.keys.store(Arc::new(keys));
        Ok(())
    }
}

/// The job whose turn who changes the keys takes: one node after the other.
pub(super) const JOB: &str = "identity_keys";

pub(super) fn starts(rows: &[IdentityKeyRow]) -> Vec<Micros> {
    rows.iter().map(|row| row.signs_from).collect()
}

async fn turn(
    ledger: &mut Ledger,
    root: &RootKeys,
    entropy: &Entropy,
    now: Micros,
) -> Result<Vec<IdentityKeyRow>, Refused> {
    // The second node finds what the first has made.
    ledger.claim_job(JOB, Micros(0), Micros(0)).await?;
    let mut rows = ledger.identity_keys().await?;
    if let Some(signs_from) = next(&starts(&rows), now) {
        let row = new(root, entropy, now, signs_from)?;
        ledger.insert_identity_key(&row).await?;
        tracing::info!(key = %row.id, signs_from = %signs_from.to_timestamp(), "a new key will sign identities");
        rows.push(row);
        rows.sort_by_key(|row| (row.signs_from, row.id));
    }
    for at in over(&starts(&rows), now).into_iter().rev() {
        let gone = rows.remove(at);
        ledger.delete_identity_key(gone.id).await?;
    }
    Ok(rows)
}

pub(super) fn new(
    root: &RootKeys,
    entropy: &Entropy,
    now: Micros,
    signs_from: Micros,
) -> Result<IdentityKeyRow, Refused> {
    let mut seed = Zeroizing::new([0; 32]);
    let (id, sealed) = entropy.with(|rng| {
        let id = SigningKeyId::random(rng);
        rng.fill_bytes(seed.as_mut());
        (id, root.seal(&identity_key_place(id), seed.as_ref(), rng))
    });
    let sealed = sealed.map_err(|_| Refused::Internal("a key cannot be sealed".into()))?;
    Ok(IdentityKeyRow { id, sealed, created_at: now, signs_from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_domain::seal::RootKey;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    const NOW: Micros = Micros(1_800_000_000_000_000);

    fn row(root: u8, n: u8) -> IdentityKeyRow {
        let root = RootKeys::new(RootKey::new(&[root; 32]).unwrap(), Vec::new());
        let entropy = Entropy::from_rng(ChaCha8Rng::seed_from_u64(u64::from(n)));
        new(&root, &entropy, NOW, NOW.plus(i64::from(n))).unwrap()
    }

    /// LESSONS 30: who can write into the database would be believed by every upstream.
    #[test]
    fn lesson_30_a_key_that_the_root_key_did_not_seal_there_is_not_published() {
        let root = RootKeys::new(RootKey::new(&[1; 32]).unwrap(), Vec::new());
        let (ours, theirs, mut moved) = (row(1, 1), row(2, 2), row(1, 3));
        moved.id = SigningKeyId([9; 16]);
        let keys = Keys::open(&[ours.clone(), theirs, moved], &Keys::default(), &root).unwrap();
        let published: serde_json::Value = serde_json::from_slice(&keys.published).unwrap();
        assert_eq!(published["keys"].as_array().unwrap().len(), 1);
        assert_eq!(published["keys"][0]["kid"], ours.id.to_string());
        assert_eq!(keys.signer(NOW.plus(9)).unwrap().id(), ours.id);
        assert!(Keys::default().signer(NOW).is_none());
    }
}
