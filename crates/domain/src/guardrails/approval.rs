//! What about a key another person must approve: judged like every guardrail, and lifted by an approval.

use super::violation::Subject;
use super::{Given, KeyFacts, KindLayer, Layer, Violation};
use keystead_api::{GuardrailName, GuardrailViolation};

/// What to do where an approval would lift it.
const ASK: &str = "Ask for an approval with POST /v1/approvals";

impl Layer {
    pub(super) fn judge_approval(
        &self,
        rules: &KindLayer,
        facts: &KeyFacts<'_>,
        sensitive: &[String],
        found: &mut Vec<Violation>,
    ) {
        self.judge_sensitive(rules, &facts.policy.given, sensitive, found);
        if let Some(max) = &rules.approval.lifetime_over {
            let last = facts.created_at.plus(max.micros);
            if facts.expires_at.is_none_or(|end| end > last) {
                let detail = match facts.expires_at {
                    Some(_) => format!("A life of more than {} must be approved.", max.text),
                    None => "That the key never expires must be approved.".to_owned(),
                };
                let fix = format!("{ASK}, or set `expires_at` to {} or earlier.", last.to_timestamp());
                // Its end, not how long it lives: a key that was approved once and is rotated again and again
                // would otherwise live for ever.
                let weight = facts.expires_at.map_or(u64::MAX, |end| end.0.unsigned_abs());
                let name = GuardrailName::ApprovalLifetimeOver;
                found.push(Violation { weight, ..self.say(name, "/expires_at", detail, fix) });
            }
        }
        if rules.approval.without_networks && !facts.policy.has_networks {
            found.push(self.say(
                GuardrailName::ApprovalWithoutNetworks,
                "/restrictions/networks/allow",
                "That the key names no networks must be approved.",
                format!("{ASK}, or set `restrictions.networks.allow` to less than all of IPv4 or IPv6."),
            ));
        }
    }

    pub(super) fn judge_sensitive(
        &self,
        rules: &KindLayer,
        given: &[Given],
        sensitive: &[String],
        found: &mut Vec<Violation>,
    ) {
        if !rules.approval.sensitive_permissions {
            return;
        }
        for given in given {
            if let Some(name) = sensitive.iter().find(|name| given.pattern.matches(name)) {
                let detail =
                    format!("{} gives {name}, which is sensitive and must be approved.", given.pattern);
                let guardrail = GuardrailName::ApprovalSensitivePermissions;
                found.push(Violation {
                    subject: Subject::Given(given.clone()),
                    ..self.say(guardrail, &given.field, detail, format!("{ASK}, or leave it out."))
                });
            }
        }
    }
}

/// What to do where keys hold a role that is to become more: nobody can approve that for all of them.
pub(super) fn for_a_role(mut violation: GuardrailViolation) -> GuardrailViolation {
    if violation.guardrail.is_approval() {
        violation.fix =
            "Keys hold this role. Make another one, and have each key that is to get it approved.".into();
    }
    violation
}
