//! The judgement: everything of a key that a guardrail does not allow.

use super::violation::Subject;
use super::{Given, Guard, KeyFacts, KindLayer, Layer, Violation, kind_name};
use crate::pattern::Pattern;
use crate::time::Micros;
use keystead_api::{GuardrailName, GuardrailViolation, KeyKind};

impl Guard {
    /// Everything of a key that is other than allowed. None when it satisfies every layer.
    #[must_use]
    pub fn violations(&self, facts: &KeyFacts<'_>) -> Vec<Violation> {
        let mut found = Vec::new();
        for layer in &self.layers {
            layer.judge_whole(facts, &mut found);
            for rules in layer.of_kind(facts.kind) {
                layer.judge_life(rules, facts, &mut found);
                layer.judge_policy(rules, facts, &mut found);
                layer.judge_approval(rules, facts, &self.sensitive, &mut found);
            }
        }
        found
    }

    /// When a key of this kind has to be rotated, where any layer says how old it may become.
    #[must_use]
    pub fn rotation_due(&self, kind: KeyKind, created_at: Micros) -> Option<Micros> {
        let rules = self.layers.iter().flat_map(|layer| layer.of_kind(kind));
        rules.filter_map(|rules| rules.rotation_age_max.as_ref()).map(|max| created_at.plus(max.micros)).min()
    }

    /// Why a project's keys may not begin so.
    #[must_use]
    pub fn prefix_violations(&self, prefix: &str) -> Vec<GuardrailViolation> {
        let fix = "Send a `prefix` that is allowed:";
        let found = self.layers.iter().filter_map(|layer| layer.judge_prefix(prefix, "/prefix", fix));
        super::violation::told(found)
    }

    /// Which of `new` a key of this kind may not be given, and was not by `old`: a role that keys
    /// hold must not become a way around.
    #[must_use]
    pub fn forbidden(&self, kind: KeyKind, old: &[Given], new: &[Given]) -> Vec<GuardrailViolation> {
        let judge = |given: &[Given]| {
            let mut found = Vec::new();
            for layer in &self.layers {
                for rules in layer.of_kind(kind) {
                    layer.judge_given(rules, kind, given, &mut found);
                    layer.judge_sensitive(rules, given, &self.sensitive, &mut found);
                }
            }
            found
        };
        let found = super::new_or_worse(&judge(old), judge(new));
        found.into_iter().map(super::approval::for_a_role).collect()
    }
}

impl Layer {
    pub(super) fn say(
        &self,
        guardrail: GuardrailName,
        field: &str,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Violation {
        let told = GuardrailViolation {
            guardrail,
            from: self.from,
            field: field.to_owned(),
            detail: detail.into(),
            fix: fix.into(),
        };
        Violation { told, subject: Subject::Key, weight: 0 }
    }

    /// What does not depend on the kind.
    fn judge_whole(&self, facts: &KeyFacts<'_>, found: &mut Vec<Violation>) {
        if let Some(kinds) = self.kinds_allowed.as_ref().filter(|kinds| !kinds.contains(&facts.kind)) {
            let fix = if kinds.is_empty() {
                "No keys may be issued here while this guardrail stands.".to_owned()
            } else {
                let names: Vec<String> = kinds.iter().map(|kind| kind_name(*kind)).collect();
                format!("Choose a kind that is: {}.", names.join(", "))
            };
            let detail = format!("Keys of the kind {} are not allowed.", kind_name(facts.kind));
            found.push(self.say(GuardrailName::KindsAllowed, "/kind", detail, fix));
        }
        if let Some(prefix) = facts.prefix {
            let fix = "Change the project's prefix to one that is allowed:";
            found.extend(self.judge_prefix(prefix, "", fix));
        }
        if let Some((keys, max)) = facts.keys_of_owner.zip(self.keys_per_owner_max)
            && keys > max
        {
            let detail = format!("The owner would have {keys} keys in this project, and may have {max}.");
            let fix = "Revoke keys that are not needed, or name another owner.";
            found.push(Violation {
                subject: Subject::Named(facts.owner.into()),
                weight: keys - max,
                ..self.say(GuardrailName::KeysPerOwnerMax, "/owner", detail, fix)
            });
        }
    }

    fn judge_prefix(&self, prefix: &str, field: &str, fix: &str) -> Option<Violation> {
        let allowed = self.prefixes_allowed.as_ref()?;
        if allowed.iter().any(|one| one.allows(prefix)) {
            return None;
        }
        let fix = if allowed.is_empty() {
            "No prefix is allowed while this guardrail stands.".to_owned()
        } else {
            let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            format!("{fix} {}.", names.join(", "))
        };
        let detail = format!("Keys may not begin with {prefix}_.");
        Some(Violation {
            subject: Subject::Named(prefix.into()),
            ..self.say(GuardrailName::PrefixesAllowed, field, detail, fix)
        })
    }

    fn judge_life(&self, rules: &KindLayer, facts: &KeyFacts<'_>, found: &mut Vec<Violation>) {
        if rules.expiry_required && facts.expires_at.is_none() {
            let detail = format!("Keys of the kind {} must expire.", kind_name(facts.kind));
            found.push(self.say(GuardrailName::ExpiryRequired, "/expires_at", detail, "Set `expires_at`."));
        }
        if let Some(max) = &rules.lifetime_max {
            let last = facts.created_at.plus(max.micros);
            let excess = facts.expires_at.map_or(i64::MAX, |end| end.since(last));
            if excess > 0 {
                let detail = match facts.expires_at {
                    Some(_) => format!("The key would live longer than {}.", max.text),
                    None => format!("The key would never expire, and may live {} at most.", max.text),
                };
                let fix = format!("Set `expires_at` to {} or earlier.", last.to_timestamp());
                found.push(Violation {
                    weight: excess.unsigned_abs(),
                    ..self.say(GuardrailName::LifetimeMax, "/expires_at", detail, fix)
                });
            }
        }
        if let Some(max) = &rules.rotation_age_max
            && facts.now.since(facts.created_at) > max.micros
        {
            let detail = format!("The key is older than {}.", max.text);
            found.push(self.say(GuardrailName::RotationAgeMax, "", detail, "Rotate it."));
        }
    }

    fn judge_policy(&self, rules: &KindLayer, facts: &KeyFacts<'_>, found: &mut Vec<Violation>) {
        let kind = || kind_name(facts.kind);
        if rules.networks_required && !facts.policy.has_networks {
            found.push(self.say(
                GuardrailName::NetworksRequired,
                "/restrictions/networks/allow",
                format!("Keys of the kind {} must name the networks that may use them.", kind()),
                "Set `restrictions.networks.allow` to less than all of IPv4 or all of IPv6.",
            ));
        }
        if rules.limits_required && !facts.policy.has_limits {
            found.push(self.say(
                GuardrailName::LimitsRequired,
                "/limits",
                format!("Keys of the kind {} must have a rate limit.", kind()),
                "Set at least one of `limits`.",
            ));
        }
        self.judge_given(rules, facts.kind, &facts.policy.given, found);
    }

    fn judge_given(&self, rules: &KindLayer, kind: KeyKind, given: &[Given], found: &mut Vec<Violation>) {
        for given in given {
            // The catalogue may grow: a pattern gives whatever it could ever match.
            let meets = |pattern: &&Pattern| pattern.overlaps(&given.pattern);
            if let Some(forbidden) = rules.permissions_forbidden.iter().find(meets) {
                let detail = format!(
                    "{} gives what keys of the kind {} may never have: {forbidden}.",
                    given.pattern,
                    kind_name(kind)
                );
                let fix = format!("Give only permissions that {forbidden} does not match.");
                found.push(Violation {
                    subject: Subject::Given(given.clone()),
                    ..self.say(GuardrailName::PermissionsForbidden, &given.field, detail, fix)
                });
            }
        }
    }
}
