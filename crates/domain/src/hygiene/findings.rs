//! What is to be mended of a key, and how grave that is.

use super::facts::{HygieneFacts, OwnerFacts};
use super::rules::{self, RULES, Said};
use super::weight;
use keystead_api::{HygieneCode, HygieneFinding, HygieneSeverity};

/// Everything to mend of a key, in no order.
pub(super) fn all(facts: &HygieneFacts<'_>) -> Vec<HygieneFinding> {
    // Whatever else is to be said of it: it does nothing until somebody else answers for it.
    if matches!(facts.owner, OwnerFacts::Disabled | OwnerFacts::Left { .. }) {
        return rules::person_gone(facts).map(|said| finished(facts, said)).into_iter().collect();
    }
    RULES.iter().filter_map(|rule| rule(facts)).map(|said| finished(facts, said)).collect()
}

fn finished(facts: &HygieneFacts<'_>, said: Said) -> HygieneFinding {
    let severity = severity(said.code, facts.is_administrative());
    HygieneFinding {
        code: said.code,
        severity,
        weight: weight(severity),
        detail: said.detail,
        evidence: said.evidence,
        fix: said.fix,
        command: said.command,
    }
}

/// One higher for a key with administrative permissions.
fn severity(code: HygieneCode, administrative: bool) -> HygieneSeverity {
    use HygieneSeverity::{Critical, High, Low, Medium};
    let usual = match code {
        HygieneCode::NoExpiry | HygieneCode::NoNetworkRule => Low,
        HygieneCode::AdminKeyShared | HygieneCode::PublicTooStrong => High,
        _ => Medium,
    };
    match (usual, administrative) {
        (usual, false) => usual,
        (Low, true) => Medium,
        (Medium, true) => High,
        (High | Critical, true) => Critical,
    }
}
