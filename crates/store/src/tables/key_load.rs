//! Loading the keyring: every unpurged key, and of each only what a verification needs.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, owner_of};
use keystead_domain::ids::{ConsumerId, EnvironmentId, KeyId, OrganizationId, OwnerId};
use keystead_domain::time::Micros;

/// What the keyring holds of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyResident<'a> {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// Its lineage.
    pub lineage_id: KeyId,
    /// `private`, `public`, `partner` or `temporary`.
    pub kind: &'a str,
    /// Of its token.
    pub digest: [u8; 32],
    /// Which pepper made the digest.
    pub pepper_version: i64,
    /// Whose it is within the organization.
    pub owner: OwnerId,
    /// The consumer that it was issued to.
    pub consumer_id: Option<ConsumerId>,
    /// What it was granted and how it is restricted.
    pub policy_hash: [u8; 32],
    /// Whether it is refused until it is enabled again.
    pub disabled: bool,
    /// It is refused before this instant.
    pub suspended_until: Option<Micros>,
    /// When it was revoked, for good.
    pub revoked_at: Option<Micros>,
    /// It is not yet valid before this instant.
    pub not_before: Option<Micros>,
    /// It is no longer valid from this instant on.
    pub expires_at: Option<Micros>,
    /// The key that it was minted from.
    pub parent_id: Option<KeyId>,
    /// Whether the number of requests that it may pass is limited.
    pub has_uses: bool,
    /// Whether its holder may mint from it, where that is not what its kind says.
    pub may_mint: Option<bool>,
}

statements! {
    // A whole chunk of keys is one row: what the drivers do for each row and column, and the
    // threads that wake each other for it, would cost several times what the database does. What
    // is always there is joined as bytes, though SQLite calls what comes of it a text, and the
    // rest as words: the fields of a key parted by ' ', the keys by '|', which no kind contains.
    CHUNK(4) = "SELECT string_agg(packed, $3), string_agg(words, '|') FROM (SELECT \
        id || organization_id || environment_id || lineage_id || digest || owner || policy_hash \
        || coalesce(consumer_id, $3) || coalesce(parent_id, $3) AS packed, \
        kind || CASE WHEN disabled THEN ' 1 ' ELSE ' 0 ' END || CASE WHEN consumer_id IS NULL THEN '0 ' ELSE '1 ' END \
        || CASE WHEN parent_id IS NULL AND uses IS NULL AND may_mint IS NULL THEN '' ELSE \
        CASE WHEN parent_id IS NULL THEN '0' ELSE '1' END || CASE WHEN uses IS NULL THEN '0' ELSE '1' END \
        || CASE WHEN may_mint IS NULL THEN '-' WHEN may_mint THEN '1' ELSE '0' END END || ' ' \
        || CAST(pepper_version AS TEXT) || ' ' || coalesce(CAST(suspended_until AS TEXT), '') \
        || ' ' || coalesce(CAST(revoked_at AS TEXT), '') || ' ' || coalesce(CAST(not_before AS TEXT), '') \
        || ' ' || coalesce(CAST(expires_at AS TEXT), '') AS words \
        FROM keys WHERE id > $1 AND id < $2 ORDER BY id LIMIT $4) AS chunk";
    COUNT(0) = "SELECT COUNT(*) FROM keys";
}

/// Keys that one statement reads: about half a megabyte of them.
const CHUNK_MAX: u32 = 4096;

/// What ids are made of, in byte order.
const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Where a part of all ids begins, and where it ends.
fn bounds(part: u8, parts: u8) -> ([u8; 1], [u8; 1]) {
    let parts = usize::from(parts.max(1));
    let at = |part: usize| DIGITS.get(DIGITS.len() * part / parts).copied().unwrap_or(0xff);
    ([at(usize::from(part))], [at(usize::from(part) + 1)])
}

/// The next key of a chunk; `None` when it is not what was written.
fn resident<'a>(packed: &mut &[u8], words: &'a str) -> Option<KeyResident<'a>> {
    let mut words = words.split(' ');
    let kind = words.next()?;
    let disabled = words.next()? == "1";
    let issued = words.next()? == "1";
    let (minted, has_uses, may_mint) = special(words.next()?)?;
    let resident = KeyResident {
        id: KeyId::from_slice(&take::<12>(packed)?)?,
        organization_id: OrganizationId(take(packed)?),
        environment_id: EnvironmentId(take(packed)?),
        lineage_id: KeyId::from_slice(&take::<12>(packed)?)?,
        kind,
        digest: take(packed)?,
        owner: owner_of(&take::<17>(packed)?).ok()?,
        policy_hash: take(packed)?,
        consumer_id: if issued { Some(ConsumerId(take(packed)?)) } else { None },
        parent_id: if minted { Some(KeyId::from_slice(&take::<12>(packed)?)?) } else { None },
        has_uses,
        may_mint,
        disabled,
        pepper_version: words.next()?.parse().ok()?,
        suspended_until: time(words.next()?)?,
        revoked_at: time(words.next()?)?,
        not_before: time(words.next()?)?,
        expires_at: time(words.next()?)?,
    };
    words.next().is_none().then_some(resident)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

/// What few keys have: whether it was minted, has a number of uses, and a say of its own on minting.
fn special(word: &str) -> Option<(bool, bool, Option<bool>)> {
    let may_mint = |digit| match digit {
        b'-' => Some(None),
        b'0' => Some(Some(false)),
        b'1' => Some(Some(true)),
        _ => None,
    };
    match word.as_bytes() {
        [] => Some((false, false, None)),
        [minted, uses, mints] => Some((*minted == b'1', *uses == b'1', may_mint(*mints)?)),
        _ => None,
    }
}

/// An instant, or none where the text is empty.
fn time(text: &str) -> Option<Option<Micros>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(|at| Some(Micros(at))) }
}

impl Conn {
    /// How many unpurged keys there are, of every organization.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn count_all_keys(&mut self) -> Result<i64, StoreError> {
        self.number(&COUNT, []).await
    }

    /// Gives each unpurged key of every organization to `each`: those of one of `parts` equal parts,
    /// counted from 0, so that several connections can load at once.
    ///
    /// # Errors
    /// When the database cannot answer; some keys may have been given by then.
    pub async fn load_keys(
        &mut self,
        part: u8,
        parts: u8,
        mut each: impl FnMut(KeyResident<'_>) + Send,
    ) -> Result<(), StoreError> {
        let (from, to) = bounds(part, parts);
        // Shorter than every id, and so below each that begins with it.
        let mut after = from.to_vec();
        loop {
            let values = [after.value(), to.value(), [0u8; 0].value(), limit(CHUNK_MAX)];
            let row = self.row::<(Option<Vec<u8>>, Option<String>), 4>(&CHUNK, values).await?;
            let Some((Some(packed), Some(words))) = row else { return Ok(()) };
            let mut packed = packed.as_slice();
            for words in words.split('|') {
                let key = resident(&mut packed, words).ok_or(StoreError::Corrupt("a key"))?;
                if key.id.as_bytes().as_slice() > after.as_slice() {
                    after = key.id.as_bytes().to_vec();
                }
                each(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn parts_meet_and_cover_every_id() {
        for parts in 1..=8 {
            let mut end = *b"0";
            for part in 0..parts {
                let (from, to) = bounds(part, parts);
                assert_eq!(from, end);
                assert!(from < to);
                end = to;
            }
            assert!(end > *b"z");
        }
    }
}
