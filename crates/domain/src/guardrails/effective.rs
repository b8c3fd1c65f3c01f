//! What holds in the end, and where it comes from: for people who look before they try.

use super::{Guard, KindLayer, Layer};
use keystead_api::{EffectiveGuardrail, GuardrailName, GuardrailScope, KeyKind};
use serde_json::{Value, json};

impl Guard {
    /// Everything that holds: of what can be compared the strictest; of lists each, for all hold.
    #[must_use]
    pub fn effective(&self) -> Vec<EffectiveGuardrail> {
        let mut all = Vec::new();
        let mut add = |guardrail, kind, value, from| {
            all.push(EffectiveGuardrail { guardrail, kind, value, from });
        };
        for layer in &self.layers {
            if let Some(kinds) = &layer.kinds_allowed {
                add(GuardrailName::KindsAllowed, None, json!(kinds), layer.from);
            }
            if let Some(prefixes) = &layer.prefixes_allowed {
                let texts: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
                add(GuardrailName::PrefixesAllowed, None, json!(texts), layer.from);
            }
        }
        if let Some(layer) = self.layers.iter().find(|layer| layer.guidelines_required) {
            add(GuardrailName::GuidelinesRequired, None, json!(true), layer.from);
        }
        for layer in self.layers.iter().filter(|layer| !layer.lessons_required.is_empty()) {
            let names: Vec<&str> = layer.lessons_required.iter().map(|lesson| lesson.name).collect();
            add(GuardrailName::LessonsRequired, None, json!(names), layer.from);
        }
        let per_owner = self.layers.iter().filter_map(|layer| Some((layer.keys_per_owner_max?, layer.from)));
        if let Some((max, from)) = per_owner.min_by_key(|(max, _)| *max) {
            add(GuardrailName::KeysPerOwnerMax, None, json!(max), from);
        }
        let default = |layer: &Layer| Some((json!(layer.limits_default.as_ref()?), layer.from));
        if let Some((limits, from)) = self.layers.iter().rev().find_map(default) {
            add(GuardrailName::LimitsDefault, None, limits, from);
        }
        for kind in KeyKind::ALL.iter() {
            self.effective_of(*kind, |guardrail, value, from| add(guardrail, Some(*kind), value, from));
        }
        all
    }

    fn effective_of(&self, kind: KeyKind, mut add: impl FnMut(GuardrailName, Value, GuardrailScope)) {
        let rules = || {
            self.layers
                .iter()
                .flat_map(move |layer| layer.of_kind(kind).map(move |rules| (rules, layer.from)))
        };
        let shortest = |of: fn(&KindLayer) -> Option<&super::Span>| {
            rules()
                .filter_map(|(rules, from)| Some((of(rules)?, from)))
                .min_by_key(|(span, _)| span.micros)
                .map(|(span, from)| (json!(span.text), from))
        };
        let required = |of: fn(&KindLayer) -> bool| {
            rules().find(|(rules, _)| of(rules)).map(|(_, from)| (Value::Bool(true), from))
        };
        let single = [
            (GuardrailName::LifetimeMax, shortest(|rules| rules.lifetime_max.as_ref())),
            (GuardrailName::ExpiryRequired, required(|rules| rules.expiry_required)),
            (GuardrailName::NetworksRequired, required(|rules| rules.networks_required)),
            (GuardrailName::LimitsRequired, required(|rules| rules.limits_required)),
            (GuardrailName::RotationAgeMax, shortest(|rules| rules.rotation_age_max.as_ref())),
            (
                GuardrailName::ApprovalSensitivePermissions,
                required(|rules| rules.approval.sensitive_permissions),
            ),
            (GuardrailName::ApprovalLifetimeOver, shortest(|rules| rules.approval.lifetime_over.as_ref())),
            (GuardrailName::ApprovalWithoutNetworks, required(|rules| rules.approval.without_networks)),
        ];
        for (guardrail, found) in single {
            if let Some((value, from)) = found {
                add(guardrail, value, from);
            }
        }
        for (rules, from) in rules() {
            let names: Vec<&str> = rules.permissions_forbidden.iter().map(|one| one.as_str()).collect();
            if !names.is_empty() {
                add(GuardrailName::PermissionsForbidden, json!(names), from);
            }
        }
    }
}
