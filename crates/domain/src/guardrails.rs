//! Guardrails: what keys may be at most. Each layer (the organization's, the project's) judges by
//! itself and a key must satisfy all, so that no layer can loosen another.

mod approval;
mod effective;
mod facts;
mod judge;
mod people;
mod violation;

pub use facts::{Given, KeyFacts, PolicyFacts};
pub use people::{AskedOfPeople, Read};
pub use violation::{Violation, new_or_worse};

use crate::invalid::Invalid;
use crate::lessons::{LESSONS, Lesson, lesson};
use crate::meter::MeterRules;
use crate::name;
use crate::pattern::PermissionSet;
use crate::time::SECOND;
use keystead_api::{ApprovalGuardrails, GuardrailScope, Guardrails, KeyKind, KindGuardrails, LimitSpec};
use std::collections::BTreeMap;

/// Most prefixes in one list.
pub const PREFIXES_MAX: usize = 64;
/// The most that `keys_per_owner_max` may be.
pub const KEYS_PER_OWNER_MAX: u32 = 1_000_000;
/// The longest lifetime or age, in seconds: 3,650 days.
pub const SPAN_SECONDS_MAX: u64 = 3_650 * 86_400;

/// How long a temporary key may live where nobody who may says otherwise, in hours.
const TEMPORARY_HOURS: i64 = 24;

/// The guardrails of one organization or project, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    from: GuardrailScope,
    kinds_allowed: Option<Vec<KeyKind>>,
    prefixes_allowed: Option<Vec<Prefix>>,
    keys_per_owner_max: Option<u64>,
    limits_default: Option<Vec<LimitSpec>>,
    guidelines_required: bool,
    lessons_required: Vec<&'static Lesson>,
    every_kind: KindLayer,
    by_kind: BTreeMap<KeyKind, KindLayer>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct KindLayer {
    lifetime_max: Option<Span>,
    expiry_required: bool,
    networks_required: bool,
    limits_required: bool,
    permissions_forbidden: PermissionSet,
    rotation_age_max: Option<Span>,
    approval: ApprovalLayer,
}

/// What about a key another person must approve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ApprovalLayer {
    sensitive_permissions: bool,
    lifetime_over: Option<Span>,
    without_networks: bool,
}

/// A length of time, with the text that set it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    micros: i64,
    text: Box<str>,
}

/// How keys may begin: so, or with anything that begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix {
    text: Box<str>,
    open: bool,
}

/// All layers that hold for a project's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    layers: Vec<Layer>,
    /// The permissions that the project's catalogue marks as sensitive.
    sensitive: Vec<String>,
}

impl Layer {
    /// Compiles guardrails.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(from: GuardrailScope, rules: &Guardrails) -> Result<Self, Invalid> {
        let kinds_allowed = rules.kinds_allowed.clone();
        for (index, kind) in kinds_allowed.iter().flatten().enumerate() {
            if kinds_allowed.iter().flatten().take(index).any(|other| other == kind) {
                let field = format!("/kinds_allowed/{index}");
                return Err(Invalid::new(field, "This kind is there twice.", "Send each kind once."));
            }
        }
        if rules.keys_per_owner_max.is_some_and(|max| !(1..=KEYS_PER_OWNER_MAX).contains(&max)) {
            return Err(Invalid::new(
                "/keys_per_owner_max",
                "This is no possible number of keys.",
                format!("Send 1 to {KEYS_PER_OWNER_MAX}, or leave it out."),
            ));
        }
        if let Some(limits) = &rules.limits_default {
            MeterRules::compile(limits, None, None).map_err(|mut invalid| {
                invalid.field = invalid.field.replacen("/limits", "/limits_default", 1);
                invalid
            })?;
        }
        let by_kind = rules.by_kind.iter().map(|(kind, rules)| {
            let name = kind_name(*kind);
            Ok((*kind, KindLayer::compile(rules).map_err(|error| error.below(&format!("/by_kind/{name}")))?))
        });
        Ok(Self {
            from,
            kinds_allowed,
            prefixes_allowed: rules.prefixes_allowed.as_deref().map(prefixes).transpose()?,
            keys_per_owner_max: rules.keys_per_owner_max.map(u64::from),
            limits_default: rules.limits_default.clone(),
            guidelines_required: rules.guidelines_required,
            lessons_required: lessons(&rules.lessons_required)?,
            every_kind: KindLayer::compile(&rules.every_kind).map_err(|error| error.below("/every_kind"))?,
            by_kind: by_kind.collect::<Result<_, Invalid>>()?,
        })
    }

    /// What holds where the organization says nothing else.
    fn built_in() -> Self {
        let micros = TEMPORARY_HOURS * 3_600 * SECOND;
        let lifetime_max = Some(Span { micros, text: format!("{TEMPORARY_HOURS}h").into() });
        Self {
            from: GuardrailScope::BuiltIn,
            kinds_allowed: None,
            prefixes_allowed: None,
            keys_per_owner_max: None,
            limits_default: None,
            guidelines_required: false,
            lessons_required: Vec::new(),
            every_kind: KindLayer::default(),
            by_kind: [(KeyKind::Temporary, KindLayer { lifetime_max, ..KindLayer::default() })].into(),
        }
    }

    /// What holds for keys of a kind, part by part.
    fn of_kind(&self, kind: KeyKind) -> impl Iterator<Item = &KindLayer> {
        [Some(&self.every_kind), self.by_kind.get(&kind)].into_iter().flatten()
    }
}

/// The lessons of these names, each once.
fn lessons(names: &[String]) -> Result<Vec<&'static Lesson>, Invalid> {
    let mut found: Vec<&'static Lesson> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match lesson(name) {
            Some(one) if !found.iter().any(|other| other.name == one.name) => found.push(one),
            one => {
                let what =
                    if one.is_some() { "This lesson is there twice." } else { "There is no such lesson." };
                let all: Vec<&str> = LESSONS.iter().map(|lesson| lesson.name).collect();
                let fix = format!("Send each of these at most once: {}.", all.join(", "));
                return Err(Invalid::new(format!("/lessons_required/{index}"), what, fix));
            }
        }
    }
    Ok(found)
}

impl KindLayer {
    fn compile(rules: &KindGuardrails) -> Result<Self, Invalid> {
        let span = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| Span::parse(field, text)).transpose()
        };
        Ok(Self {
            lifetime_max: span("/lifetime_max", &rules.lifetime_max)?,
            expiry_required: rules.expiry_required,
            networks_required: rules.networks_required,
            limits_required: rules.limits_required,
            permissions_forbidden: PermissionSet::parse(&rules.permissions_forbidden)
                .map_err(|error| error.below("/permissions_forbidden"))?,
            rotation_age_max: span("/rotation_age_max", &rules.rotation_age_max)?,
            approval: ApprovalLayer::compile(&rules.approval).map_err(|error| error.below("/approval"))?,
        })
    }
}

impl ApprovalLayer {
    fn compile(rules: &ApprovalGuardrails) -> Result<Self, Invalid> {
        let over = rules.lifetime_over.as_deref().map(|text| Span::parse("/lifetime_over", text));
        Ok(Self {
            sensitive_permissions: rules.sensitive_permissions,
            lifetime_over: over.transpose()?,
            without_networks: rules.without_networks,
        })
    }
}

impl Span {
    /// `30s`, `15m`, `12h`, `90d`.
    fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let seconds = text.char_indices().last().and_then(|(at, unit)| {
            let unit = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => return None,
            };
            let count = text.get(..at).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
            count.parse::<u64>().ok()?.checked_mul(unit)
        });
        let seconds = seconds.filter(|seconds| (1..=SPAN_SECONDS_MAX).contains(seconds));
        let micros = seconds.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(SECOND));
        micros.map(|micros| Self { micros, text: text.into() }).ok_or_else(|| {
            Invalid::new(
                field,
                "This is no length of time that is possible here.",
                "Send a number with s, m, h or d, such as `12h` or `90d`: one second to 3,650 days.",
            )
        })
    }
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let (beginning, open) = text.strip_suffix('*').map_or((text, false), |beginning| (beginning, true));
        match (open, beginning) {
            (true, "") => {}
            // What stands before `*` may end with `_`.
            (true, beginning) => name::key_prefix("", &format!("{beginning}x"))?,
            (false, whole) => name::key_prefix("", whole)?,
        }
        Ok(Self { text: beginning.into(), open })
    }

    fn allows(&self, prefix: &str) -> bool {
        if self.open { prefix.starts_with(&*self.text) } else { *self.text == *prefix }
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.text, if self.open { "*" } else { "" })
    }
}

fn prefixes(texts: &[String]) -> Result<Vec<Prefix>, Invalid> {
    if texts.len() > PREFIXES_MAX {
        return Err(Invalid::new(
            "/prefixes_allowed",
            format!("These are {} prefixes.", texts.len()),
            format!("Send at most {PREFIXES_MAX}; `acme_*` stands for all that begin with `acme_`."),
        ));
    }
    let parse = |(index, text): (usize, &String)| {
        Prefix::parse(text).map_err(|error| error.below(&format!("/prefixes_allowed/{index}")))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// The kind as the API writes it.
fn kind_name(kind: KeyKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

impl Guard {
    /// One in which both hold. Only `top`, the organization's (or the system project's own), can give
    /// temporary keys another lifetime than Keystead does; `own` can only shorten it.
    #[must_use]
    pub fn of(top: Option<Layer>, own: Option<Layer>) -> Self {
        let says = |layer: &Layer| {
            layer.by_kind.get(&KeyKind::Temporary).is_some_and(|rules| rules.lifetime_max.is_some())
        };
        let built_in = (!top.as_ref().is_some_and(says)).then(Layer::built_in);
        Self { layers: [built_in, top, own].into_iter().flatten().collect(), sensitive: Vec::new() }
    }

    /// The same, where the project's catalogue marks these permissions as sensitive. Asked only where
    /// [`Self::asks_of_sensitive`].
    #[must_use]
    pub fn knowing(self, sensitive: Vec<String>) -> Self {
        Self { sensitive, ..self }
    }

    /// The limits of a key that is created without any: the project's, else the organization's.
    #[must_use]
    pub fn limits_default(&self) -> Option<&[LimitSpec]> {
        self.layers.iter().rev().find_map(|layer| layer.limits_default.as_deref())
    }

    /// Whether it bounds how many keys an owner has, so that they must be counted.
    #[must_use]
    pub fn counts_keys(&self) -> bool {
        self.layers.iter().any(|layer| layer.keys_per_owner_max.is_some())
    }

    /// Whether it demands networks or limits, which a minted key has of its parent, too.
    #[must_use]
    pub fn asks_of_parents(&self) -> bool {
        self.any_kind(|rules| {
            rules.networks_required || rules.limits_required || rules.approval.without_networks
        })
    }

    /// Whether sensitive permissions must be approved for any kind, so that it must be known which they are.
    #[must_use]
    pub fn asks_of_sensitive(&self) -> bool {
        self.any_kind(|rules| rules.approval.sensitive_permissions)
    }

    /// Whether it forbids permissions to any kind, so that what roles give must be known.
    #[must_use]
    pub fn forbids_permissions(&self) -> bool {
        self.any_kind(|rules| rules.permissions_forbidden.iter().len() > 0)
    }

    fn any_kind(&self, asks: impl Fn(&KindLayer) -> bool) -> bool {
        self.layers
            .iter()
            .any(|layer| std::iter::once(&layer.every_kind).chain(layer.by_kind.values()).any(&asks))
    }
}

#[cfg(test)]
mod tests;
