//! Hygiene: which keys should be mended, why, and how. Computed when it is asked, from the rows and the
//! bounded aggregates that are there; nothing is written.

mod look;
mod scopes;
mod walk;

use crate::Keystead;
use crate::caller::Caller;
use crate::cursor::{Cut, encode, no_cursor};
use crate::refused::Refused;
use keystead_api::{HygieneCode, HygieneCounts, HygieneKey, HygieneQuery, HygieneReport, HygieneSort};
use keystead_domain::hygiene;
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::time::Micros;
use scopes::Scope;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use walk::{Checked, Position, Walk};

/// Reports that look at keys at the same moment: others wait for their turn after each part, so that however
/// many ask, verification has the rest of the processors.
pub(crate) const REPORTS_AT_ONCE: usize = 2;
/// Keys looked at for one page of the list by age.
const SCAN_MAX: usize = 20_000;
/// Keys looked at for one page of the list by score.
const SORTED_MAX: usize = 100_000;

/// Where a key stands in the list by score.
type Rank = (u8, Reverse<Micros>, Reverse<KeyId>);

impl Keystead {
    /// Keys with something to mend, and the score of all that were looked at.
    ///
    /// # Errors
    /// When the caller may not see the keys, a filter names what does not exist, or there are too many keys
    /// to be sorted.
    pub async fn hygiene(
        self: &Arc<Self>,
        caller: &Caller,
        query: &HygieneQuery,
    ) -> Result<HygieneReport, Refused> {
        let scopes = self.hygiene_scopes(caller, query).await?;
        match query.sort.unwrap_or_default() {
            HygieneSort::Score => self.worst(scopes, query).await,
            HygieneSort::Newest => self.newest(scopes, query).await,
        }
    }

    /// Looks at all, and keeps no more than the page.
    async fn worst(&self, scopes: Vec<Scope>, query: &HygieneQuery) -> Result<HygieneReport, Refused> {
        let cut = Cut::<13>::read(query.limit, query.cursor.as_deref())?;
        let after = cut.after.map(rank_of).transpose()?;
        let mut kept: BTreeMap<Rank, HygieneKey> = BTreeMap::new();
        let mut counts = HygieneCounts::default();
        let mut walk = Walk::new(self, scopes, None);
        while let Some(chunk) = walk.next().await? {
            if walk.looked_at > SORTED_MAX {
                return Err(too_many().into());
            }
            for checked in chunk {
                hygiene::count(&mut counts, &checked.key.findings);
                let score = u8::try_from(checked.key.score).unwrap_or(u8::MAX);
                let rank = (score, Reverse(checked.position.at), Reverse(checked.position.key));
                if after.is_some_and(|after| rank <= after) {
                    continue;
                }
                if let Some(key) = shown(checked, query.finding) {
                    kept.insert(rank, key);
                }
                if kept.len() > cut.limit() + 1 {
                    kept.pop_last();
                }
            }
        }
        let last = if kept.len() > cut.limit() { kept.pop_last() } else { None };
        let end = last.and_then(|_| kept.last_key_value());
        let next_cursor = end.map(|((score, Reverse(at), Reverse(key)), _)| {
            let mut bytes = [0; 13];
            let (head, tail) = bytes.split_at_mut(1);
            head.fill(*score);
            tail.copy_from_slice(key.as_bytes());
            encode((*at, bytes))
        });
        Ok(report(counts, kept.into_values().collect(), next_cursor))
    }

    /// Looks at one part after the other, as far as the page goes.
    async fn newest(&self, scopes: Vec<Scope>, query: &HygieneQuery) -> Result<HygieneReport, Refused> {
        let cut = Cut::<28>::read(query.limit, query.cursor.as_deref())?;
        let from = cut.after.map(Position::read).transpose()?;
        let (mut items, mut counts) = (Vec::new(), HygieneCounts::default());
        let mut walk = Walk::new(self, scopes, from);
        while let Some(chunk) = walk.next().await? {
            for checked in chunk {
                hygiene::count(&mut counts, &checked.key.findings);
                let position = checked.position;
                items.extend(shown(checked, query.finding));
                if items.len() == cut.limit() {
                    return Ok(report(counts, items, Some(position.cursor())));
                }
            }
            if walk.looked_at >= SCAN_MAX {
                return Ok(report(counts, items, walk.end().map(|end| end.cursor())));
            }
        }
        Ok(report(counts, items, None))
    }
}

/// A key as the page shows it: with what was asked for, or nothing.
fn shown(checked: Checked, only: Option<HygieneCode>) -> Option<HygieneKey> {
    let mut key = checked.key;
    if let Some(code) = only {
        key.findings.retain(|finding| finding.code == code);
    }
    (!key.findings.is_empty()).then_some(key)
}

fn report(counts: HygieneCounts, items: Vec<HygieneKey>, next_cursor: Option<String>) -> HygieneReport {
    HygieneReport {
        score: hygiene::whole_score(&counts),
        questions: hygiene::answers(&counts),
        checked: counts,
        items,
        next_cursor,
    }
}

fn rank_of((at, bytes): (Micros, [u8; 13])) -> Result<Rank, Invalid> {
    let key = bytes.get(1..).and_then(KeyId::from_slice).ok_or_else(no_cursor)?;
    let [score, ..] = bytes;
    Ok((score, Reverse(at), Reverse(key)))
}

fn too_many() -> Invalid {
    Invalid::new(
        "/sort",
        format!("There are more than {SORTED_MAX} keys: too many to be sorted by their score at once."),
        "Name a `project`, an `environment`, or send `sort=newest` and read page after page.",
    )
}
