//! Hygiene: what should be mended of a key, judged by what is stored and what was observed of it. Where the
//! observation cannot say something for certain, nothing is said.

mod facts;
mod findings;
mod fix;
mod rules;
mod used;

pub use facts::{Held, HygieneFacts, Overflowed, OwnerFacts};

use crate::time::DAY;
use keystead_api::{
    HygieneAnswer, HygieneCode, HygieneCounts, HygieneFinding, HygieneQuestion, HygieneSeverity,
};

/// A key that has not passed for so long since it could is never used, in days.
pub const NEVER_USED_DAYS: i64 = 30;
/// A key that was used and then not for so long is dormant, in days.
pub const DORMANT_DAYS: i64 = 90;
/// So long a permission must have been held without use before that is held against the key, in days.
pub const UNUSED_PERMISSION_DAYS: i64 = 30;
/// Networks and programs count as long as they were seen within so many days.
pub const RECENT_DAYS: i64 = 30;
/// So many networks or programs share a key.
pub const SHARED_BY: usize = 5;
/// So many share one with administrative permissions.
pub const ADMIN_SHARED_BY: usize = 3;
/// The whole's score at most, while a finding is critical.
pub const CRITICAL_SCORE_MAX: u32 = 50;
/// The score of a key with nothing to mend, and of a whole of such keys.
pub const SCORE_MAX: u32 = 100;

/// Everything to mend of a key, the worst first.
#[must_use]
pub fn judge(facts: &HygieneFacts<'_>) -> Vec<HygieneFinding> {
    let mut found = findings::all(facts);
    found.sort_by(|one, other| other.severity.cmp(&one.severity).then(one.code.cmp(&other.code)));
    found
}

/// What a finding of this severity takes of a key's score.
#[must_use]
pub const fn weight(severity: HygieneSeverity) -> u32 {
    match severity {
        HygieneSeverity::Low => 5,
        HygieneSeverity::Medium => 10,
        HygieneSeverity::High => 25,
        HygieneSeverity::Critical => 50,
    }
}

/// A key's score: 100 less the weights of its findings, at least 0.
#[must_use]
pub fn key_score(findings: &[HygieneFinding]) -> u32 {
    findings.iter().fold(SCORE_MAX, |left, finding| left.saturating_sub(finding.weight))
}

/// The score of all keys that were counted: the mean, rounded down; while a finding is critical, no more than
/// [`CRITICAL_SCORE_MAX`], so that many good keys do not hide one that is not.
#[must_use]
pub fn whole_score(counts: &HygieneCounts) -> u32 {
    let mean = counts.points.checked_div(counts.keys).unwrap_or(u64::from(SCORE_MAX));
    let mean = u32::try_from(mean).unwrap_or(SCORE_MAX).min(SCORE_MAX);
    let critical = counts.by_severity.get(&HygieneSeverity::Critical).is_some_and(|count| *count > 0);
    if critical { mean.min(CRITICAL_SCORE_MAX) } else { mean }
}

/// Counts one more key.
pub fn count(counts: &mut HygieneCounts, findings: &[HygieneFinding]) {
    counts.keys += 1;
    counts.keys_with_findings += u64::from(!findings.is_empty());
    counts.points += u64::from(key_score(findings));
    for finding in findings {
        *counts.by_finding.entry(finding.code).or_default() += 1;
        *counts.by_severity.entry(finding.severity).or_default() += 1;
    }
}

/// Adds what was counted of other keys.
pub fn add(counts: &mut HygieneCounts, more: &HygieneCounts) {
    counts.keys = counts.keys.saturating_add(more.keys);
    counts.keys_with_findings = counts.keys_with_findings.saturating_add(more.keys_with_findings);
    counts.points = counts.points.saturating_add(more.points);
    for (code, number) in &more.by_finding {
        let known = counts.by_finding.entry(*code).or_default();
        *known = known.saturating_add(*number);
    }
    for (severity, number) in &more.by_severity {
        let known = counts.by_severity.entry(*severity).or_default();
        *known = known.saturating_add(*number);
    }
}

/// The answers to the questions that every team should ask.
#[must_use]
pub fn answers(counts: &HygieneCounts) -> Vec<HygieneAnswer> {
    let number = |finding: HygieneCode| counts.by_finding.get(&finding).copied().unwrap_or(0);
    // No key has two of the findings of one question.
    let answer = |question, text: &str, findings: &[HygieneCode], usual: HygieneCode| HygieneAnswer {
        question,
        text: text.to_owned(),
        keys: findings.iter().fold(0, |sum, finding| u64::saturating_add(sum, number(*finding))),
        finding: findings.iter().copied().filter(|finding| number(*finding) > 0).fold(
            usual,
            |most, finding| {
                if number(finding) > number(most) { finding } else { most }
            },
        ),
    };
    vec![
        answer(
            HygieneQuestion::SharingAdminKeys,
            "Are you sharing admin-level keys?",
            &[HygieneCode::AdminKeyShared],
            HygieneCode::AdminKeyShared,
        ),
        answer(
            HygieneQuestion::HardToTrace,
            "Is it hard to trace who made which change?",
            &[HygieneCode::OwnerUnclear, HygieneCode::LeaversKey, HygieneCode::TeamKeyWithoutPerson],
            HygieneCode::OwnerUnclear,
        ),
    ]
}

#[cfg(test)]
mod tests;
