//! Credits: never spent twice, never given back; a kill forfeits at most what was leased.

use crate::check::{End, Listed};
use crate::journal::{Credits, Journal};
use crate::worker::{COST_MAX, ask};
use anyhow::Result;
use keystead_sdk::Client;
use keystead_sdk::api::Code;

/// Compares what is left with what was granted and spent; what was forfeited, and what is wrong.
pub(crate) fn settle(credits: &mut Credits, left: u64, end: End) -> (u64, Option<String>) {
    let Credits { left: before, accepted, unknown, .. } = *credits;
    (credits.left, credits.accepted, credits.unknown) = (left, 0, 0);
    let spent_at_most = accepted + unknown;
    let wrong = if left + accepted > before {
        Some(format!("{left} credits are left of {before} although {accepted} were spent"))
    } else if end == End::Stopped && left + spent_at_most < before {
        Some(format!(
            "{left} credits are left of {before} and only {spent_at_most} were spent, with a stop in order"
        ))
    } else if left + spent_at_most + leased_at_most(before) < before {
        Some(format!(
            "{left} credits are left of {before}, {spent_at_most} were spent and at most {} were leased",
            leased_at_most(before)
        ))
    } else {
        None
    };
    (before.saturating_sub(left + spent_at_most), wrong)
}

/// A block is a tenth of what is left, or what one request needs; the next one is fetched when half of
/// it is spent, and at the moment of a kill both may be in memory only.
fn leased_at_most(left: u64) -> u64 {
    2 * (left / 10).max(COST_MAX)
}

/// What does not agree about credits and numbers of uses.
pub(crate) fn compare(journal: &mut Journal, listed: &Listed, end: End) -> Vec<String> {
    let mut findings = Vec::new();
    let Journal { keys, credits, totals, .. } = journal;
    for (lineage, credits) in credits {
        let of_lineage = |label: &String| keys.get(label).is_some_and(|known| known.lineage == *lineage);
        let shown = listed.iter().filter(|(label, _)| of_lineage(label));
        let lefts: Vec<u64> = shown.filter_map(|(_, key)| Some(key.credits.as_ref()?.remaining)).collect();
        let Some(left) = lefts.first().copied() else { continue };
        if lefts.iter().any(|other| *other != left) {
            findings.push(format!("{lineage}: its keys have different credits left: {lefts:?}"));
        }
        let (forfeited, wrong) = settle(credits, left, end);
        totals.credits_forfeited += forfeited;
        findings.extend(wrong.map(|what| format!("{lineage}: {what}")));
    }
    for (label, known) in keys {
        let left = listed.get(label).and_then(|key| Some(key.uses.as_ref()?.remaining));
        if let (Some(uses), Some(left)) = (&mut known.uses, left) {
            let (_, wrong) = settle(uses, left, end);
            findings.extend(wrong.map(|what| format!("{label}: of its uses, {what}")));
        }
    }
    findings
}

/// Spends all that is left of every lineage, with one of its keys: not one more is to be had.
///
/// # Errors
/// When the server does not answer.
pub(crate) async fn drain(client: &Client, journal: &Journal) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (lineage, credits) in &journal.credits {
        let left = credits.left;
        let own = journal.keys.values().filter(|known| known.lineage == *lineage && known.parent.is_none());
        for key in own.filter_map(|known| known.key.as_ref()) {
            let all = client.verify(&ask(key.clone(), left)).await?;
            if matches!(all.code, Code::Disabled | Code::Revoked | Code::Expired) {
                continue;
            }
            let one_more = client.verify(&ask(key.clone(), 1)).await?;
            if !all.valid || one_more.code != Code::CreditsExhausted {
                wrong.push(format!(
                    "{lineage}: spending the {left} credits that are left: {}; one more: {}",
                    all.code, one_more.code
                ));
            }
            break;
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(accepted: u64, unknown: u64, left: u64, end: End) -> (u64, bool) {
        let mut credits = Credits { granted: 100, left: 100, accepted, unknown, accepted_ever: accepted };
        let (forfeited, wrong) = settle(&mut credits, left, end);
        assert_eq!((credits.left, credits.accepted, credits.unknown), (left, 0, 0));
        (forfeited, wrong.is_none())
    }

    #[test]
    fn what_was_spent_is_not_left() {
        assert_eq!(settled(10, 0, 90, End::Killed), (0, true));
        assert_eq!(settled(10, 0, 91, End::Killed), (0, false));
        assert_eq!(settled(10, 5, 91, End::Killed), (0, false));
    }

    #[test]
    fn a_kill_forfeits_no_more_than_was_leased() {
        assert_eq!(settled(10, 2, 68, End::Killed), (20, true));
        assert_eq!(settled(10, 2, 67, End::Killed), (21, false));
    }

    #[test]
    fn a_stop_in_order_forfeits_nothing() {
        assert_eq!(settled(10, 2, 88, End::Stopped), (0, true));
        assert_eq!(settled(10, 2, 87, End::Stopped), (1, false));
    }
}
