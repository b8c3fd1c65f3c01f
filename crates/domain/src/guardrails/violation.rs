//! How a key is other than allowed, and whether a change made that worse.

use super::facts::Given;
use keystead_api::GuardrailViolation;

/// How a key is other than a guardrail allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// As the API tells it.
    pub told: GuardrailViolation,
    pub(super) subject: Subject,
    /// How far from what is allowed.
    pub(super) weight: u64,
}

/// What of the key is other than allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// There is only one such thing.
    Key,
    /// The one of this name.
    Named(Box<str>),
    /// A permission that is given.
    Given(Given),
}

impl Violation {
    /// Whether a key that was so before is no further from what is allowed with `after`.
    fn excuses(&self, after: &Self) -> bool {
        let same = self.told.guardrail == after.told.guardrail && self.told.from == after.told.from;
        let subject = match (&self.subject, &after.subject) {
            (Subject::Given(before), Subject::Given(after)) => before.covers(after),
            (before, after) => before == after,
        };
        same && subject && after.weight <= self.weight
    }
}

/// What a change makes wrong that was not, or more wrong than it was: a key that violates already
/// may be narrowed, never widened. One for each guardrail and field.
#[must_use]
pub fn new_or_worse(before: &[Violation], after: Vec<Violation>) -> Vec<GuardrailViolation> {
    let fresh = after.into_iter().filter(|violation| !before.iter().any(|known| known.excuses(violation)));
    told(fresh)
}

/// One for each guardrail and field.
pub(super) fn told(violations: impl Iterator<Item = Violation>) -> Vec<GuardrailViolation> {
    let mut told: Vec<GuardrailViolation> = Vec::new();
    for Violation { told: one, .. } in violations {
        let is_told = |other: &GuardrailViolation| {
            (other.guardrail, other.from, &other.field) == (one.guardrail, one.from, &one.field)
        };
        if !told.iter().any(is_told) {
            told.push(one);
        }
    }
    told
}
