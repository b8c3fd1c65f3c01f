//! Guardrails as flags: each replaces one of those that there are.

use crate::flags::amounts::limit;
use crate::flags::named::named;
use clap::Args;
use keystead_sdk::api::{GuardrailName, Guardrails, KeyKind, KindGuardrails, LimitSpec};

/// For which kind of keys; `None` means every kind.
type Of<T> = (Option<KeyKind>, T);

/// Each replaces one guardrail; the others stay.
#[derive(Debug, Args)]
#[group(id = "flags", multiple = true, conflicts_with_all = ["from_json", "from_toml"])]
pub(super) struct RuleFlags {
    /// Only these kinds of keys: private,partner
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = named::<KeyKind>, help_heading = "Guardrails")]
    kind: Vec<KeyKind>,
    /// Only keys that begin so: acme, or 'acme_*' for all that begin with acme_
    #[arg(long, value_name = "PREFIX", value_delimiter = ',', help_heading = "Guardrails")]
    prefix: Vec<String>,
    /// How many keys an owner may have in one project
    #[arg(long, value_name = "N", help_heading = "Guardrails")]
    keys_per_owner_max: Option<u32>,
    /// A rate limit of keys that are created without any: NAME=LIMIT/WINDOW[:BURST]; repeat it for more
    #[arg(long, value_name = "SPEC", value_parser = limit, help_heading = "Guardrails")]
    default_limit: Vec<LimitSpec>,
    /// People must have accepted the current guidelines before they make, rotate or read a key
    #[arg(long, help_heading = "Guardrails")]
    guidelines_required: bool,
    /// Lessons that people must have passed before that: storing,sharing
    #[arg(long, value_name = "LESSON", value_delimiter = ',', help_heading = "Guardrails")]
    lessons_required: Vec<String>,
    /// How long a key may live: 90d for every kind, or partner=365d for one; repeat it for more
    #[arg(long, value_name = "[KIND=]TIME", value_parser = of_kind, help_heading = "Guardrails")]
    lifetime_max: Vec<Of<String>>,
    /// How old a key may become before it is due to be rotated: 90d, or partner=365d
    #[arg(long, value_name = "[KIND=]TIME", value_parser = of_kind, help_heading = "Guardrails")]
    rotation_age_max: Vec<Of<String>>,
    /// Which kinds must expire: partner, or every
    #[arg(long, value_name = "KIND|every", value_delimiter = ',', value_parser = kind, help_heading = "Guardrails")]
    expiry_required: Vec<Of<()>>,
    /// Which kinds must name the networks that may use them: partner, or every
    #[arg(long, value_name = "KIND|every", value_delimiter = ',', value_parser = kind, help_heading = "Guardrails")]
    networks_required: Vec<Of<()>>,
    /// Which kinds must have a rate limit: public, or every
    #[arg(long, value_name = "KIND|every", value_delimiter = ',', value_parser = kind, help_heading = "Guardrails")]
    limits_required: Vec<Of<()>>,
    /// A permission or pattern that keys may never be given: 'admin.*', or 'partner=*.delete'; repeat it
    /// for more: they replace those that there are for that kind
    #[arg(long, value_name = "[KIND=]PERMISSION", value_parser = of_kind, help_heading = "Guardrails")]
    forbid: Vec<Of<String>>,
    /// Which kinds need an approval of sensitive permissions: private, or every
    #[arg(long, value_name = "KIND|every", value_delimiter = ',', value_parser = kind, help_heading = "Approval")]
    approve_sensitive: Vec<Of<()>>,
    /// Which kinds need an approval to name no networks: private, or every
    #[arg(long, value_name = "KIND|every", value_delimiter = ',', value_parser = kind, help_heading = "Approval")]
    approve_without_networks: Vec<Of<()>>,
    /// From which life on a key needs an approval: 90d for every kind, or partner=365d for one
    #[arg(long, value_name = "[KIND=]TIME", value_parser = of_kind, help_heading = "Approval")]
    approve_lifetime_over: Vec<Of<String>>,
    /// Take a guardrail away, of every kind: lifetime_max; repeat it for more
    #[arg(long, value_name = "GUARDRAIL", value_delimiter = ',', value_parser = named::<GuardrailName>, help_heading = "Guardrails")]
    remove: Vec<GuardrailName>,
}

/// Reads `90d` or `partner=90d`.
fn of_kind(text: &str) -> Result<Of<String>, String> {
    match text.split_once('=') {
        Some((word, value)) => Ok((kind(word)?.0, value.to_owned())),
        None => Ok((None, text.to_owned())),
    }
}

/// Reads `partner` or `every`.
fn kind(text: &str) -> Result<Of<()>, String> {
    if text == "every" {
        return Ok((None, ()));
    }
    let known: Vec<String> = KeyKind::ALL.iter().map(crate::flags::named::name).collect();
    let read = named::<KeyKind>(text).map(|kind| (Some(kind), ()));
    read.map_err(|_| format!("`{text}` is no kind; use every, {}", known.join(", ")))
}

impl RuleFlags {
    /// The guardrails with each that was given in place of the one there was.
    pub(super) fn over(self, mut rules: Guardrails) -> Guardrails {
        for guardrail in self.remove {
            take(&mut rules, guardrail);
        }
        replace(&mut rules.kinds_allowed, self.kind);
        replace(&mut rules.prefixes_allowed, self.prefix);
        replace(&mut rules.limits_default, self.default_limit);
        rules.keys_per_owner_max = self.keys_per_owner_max.or(rules.keys_per_owner_max);
        rules.guidelines_required |= self.guidelines_required;
        if !self.lessons_required.is_empty() {
            rules.lessons_required = self.lessons_required;
        }
        for (kind, time) in self.lifetime_max {
            part(&mut rules, kind).lifetime_max = Some(time);
        }
        for (kind, time) in self.rotation_age_max {
            part(&mut rules, kind).rotation_age_max = Some(time);
        }
        for (kind, ()) in self.expiry_required {
            part(&mut rules, kind).expiry_required = true;
        }
        for (kind, ()) in self.networks_required {
            part(&mut rules, kind).networks_required = true;
        }
        for (kind, ()) in self.limits_required {
            part(&mut rules, kind).limits_required = true;
        }
        for (kind, ()) in self.approve_sensitive {
            part(&mut rules, kind).approval.sensitive_permissions = true;
        }
        for (kind, ()) in self.approve_without_networks {
            part(&mut rules, kind).approval.without_networks = true;
        }
        for (kind, time) in self.approve_lifetime_over {
            part(&mut rules, kind).approval.lifetime_over = Some(time);
        }
        for (kind, _) in &self.forbid {
            part(&mut rules, *kind).permissions_forbidden.clear();
        }
        for (kind, permission) in self.forbid {
            part(&mut rules, kind).permissions_forbidden.push(permission);
        }
        rules.by_kind.retain(|_, rules| !rules.is_empty());
        rules
    }
}

fn replace<T>(current: &mut Option<Vec<T>>, given: Vec<T>) {
    if !given.is_empty() {
        *current = Some(given);
    }
}

fn part(rules: &mut Guardrails, kind: Option<KeyKind>) -> &mut KindGuardrails {
    match kind {
        Some(kind) => rules.by_kind.entry(kind).or_default(),
        None => &mut rules.every_kind,
    }
}

fn take(rules: &mut Guardrails, guardrail: GuardrailName) {
    let parts = std::iter::once(&mut rules.every_kind).chain(rules.by_kind.values_mut());
    match guardrail {
        GuardrailName::KindsAllowed => rules.kinds_allowed = None,
        GuardrailName::PrefixesAllowed => rules.prefixes_allowed = None,
        GuardrailName::KeysPerOwnerMax => rules.keys_per_owner_max = None,
        GuardrailName::LimitsDefault => rules.limits_default = None,
        GuardrailName::GuidelinesRequired => rules.guidelines_required = false,
        GuardrailName::LessonsRequired => rules.lessons_required.clear(),
        GuardrailName::LifetimeMax => parts.for_each(|part| part.lifetime_max = None),
        GuardrailName::ExpiryRequired => parts.for_each(|part| part.expiry_required = false),
        GuardrailName::NetworksRequired => parts.for_each(|part| part.networks_required = false),
        GuardrailName::LimitsRequired => parts.for_each(|part| part.limits_required = false),
        GuardrailName::PermissionsForbidden => parts.for_each(|part| part.permissions_forbidden.clear()),
        GuardrailName::RotationAgeMax => parts.for_each(|part| part.rotation_age_max = None),
        GuardrailName::ApprovalSensitivePermissions => {
            parts.for_each(|part| part.approval.sensitive_permissions = false);
        }
        GuardrailName::ApprovalLifetimeOver => parts.for_each(|part| part.approval.lifetime_over = None),
        GuardrailName::ApprovalWithoutNetworks => {
            parts.for_each(|part| part.approval.without_networks = false);
        }
    }
}
