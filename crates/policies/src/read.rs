//! Reading a text: bounded before Cedar sees it, parsed, held against the schema, and refused with where and why.

use crate::language::{Kind, Language};
use crate::scope::Thing;
use crate::statement::Statement;
use cedar_policy::{Effect, Policy, PolicySet, ValidationError, ValidationMode};
use miette::Diagnostic;
use std::fmt;
use std::str::FromStr;

/// The longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 16_384;
/// The most `forbid`s in one text.
pub const STATEMENTS_MAX: usize = 16;
/// The most operators in one of them: Cedar's parser, and what drops its trees, recurse over them.
const OPERATORS_MAX: usize = 256;
/// How deep brackets may stand in brackets.
const DEPTH_MAX: usize = 24;
/// The most mistakes that are told.
const MISTAKES_MAX: usize = 10;
const COMPARE: &str =
    "Compare it with the schema: GET /v1/policies/schema (keystead policies schema), and docs/POLICIES.md.";

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from 1.
    pub line: usize,
    /// Where in that line, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl Mistake {
    fn at(text: &str, offset: usize, what: impl Into<String>, advice: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let mut what: String = what.into().chars().take(400).collect();
        if !what.ends_with('.') {
            what.push('.');
        }
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            what,
            advice: advice.into().chars().take(400).collect(),
        }
    }

    fn told(text: &str, told: &dyn Diagnostic, advice: &str) -> Self {
        let offset = told.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let what = told.to_string();
        // Cedar numbers policies where it was given no names.
        let what = match what.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, ")) {
            Some((_, rest)) => format!("Here {rest}"),
            None => what,
        };
        let help = told.help().map(|help| format!("{help} ")).unwrap_or_default();
        Self::at(text, offset, what, format!("{help}{advice}"))
    }
}

impl Language {
    /// The `forbid`s of a text.
    ///
    /// # Errors
    /// With every mistake in it, at most ten.
    pub(crate) fn read(&self, text: &str) -> Result<Vec<Statement>, Vec<Mistake>> {
        bounded(text).map_err(|mistake| vec![mistake])?;
        let set = PolicySet::from_str(text).map_err(|errors| {
            let told = errors.iter().map(|error| Mistake::told(text, error, COMPARE));
            told.take(MISTAKES_MAX).collect::<Vec<_>>()
        })?;
        let policies = in_order(&set);
        let mistakes = self.mistakes(text, &set, &policies);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let broken = || vec![Mistake::at(text, 0, "This cannot be prepared for evaluation", COMPARE)];
        policies.into_iter().map(|policy| Statement::new(self, policy).ok_or_else(broken)).collect()
    }

    fn mistakes(&self, text: &str, set: &PolicySet, policies: &[Policy]) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if set.templates().next().is_some() {
            let what = "A policy with `?principal` or `?resource` is a template";
            mistakes.push(Mistake::at(text, 0, what, "Name whom or what it is about."));
        }
        if policies.iter().any(|policy| policy.effect() == Effect::Permit) {
            let offset = permits(text).unwrap_or(0);
            let what = "A policy can only forbid, and this one is a `permit`";
            mistakes.push(Mistake::at(
                text,
                offset,
                what,
                "Give permissions with roles and grants; write `forbid … unless { … }` for what is to stay possible.",
            ));
        }
        if !(1..=STATEMENTS_MAX).contains(&policies.len()) {
            let what = format!("There are {} policies in this text", policies.len());
            mistakes.push(Mistake::at(text, 0, what, format!("Send 1 to {STATEMENTS_MAX}.")));
        }
        let found = self.validator.validate(set, ValidationMode::Strict);
        for error in found.validation_errors() {
            mistakes.push(Mistake::told(text, error, advice(error)));
        }
        // What can never apply protects from nothing, and what looks like something else is meant to.
        for warning in found.validation_warnings() {
            mistakes.push(Mistake::told(text, warning, COMPARE));
        }
        mistakes.extend(policies.iter().flat_map(|policy| names_nothing(text, policy)));
        mistakes.truncate(MISTAKES_MAX);
        mistakes
    }
}

fn advice(error: &ValidationError) -> &'static str {
    match error {
        ValidationError::UnsafeAttributeAccess(_) => {
            "Say whom and what it is about: `principal is Key`, `resource is Environment`, `action == Action::\"verify\"`; keystead policies schema shows what each has."
        }
        ValidationError::UnsafeOptionalAttributeAccess(_) => {
            "Not every request has it: ask first, as in `context has ip && context.ip.isInRange(ip(\"10.0.0.0/8\"))`."
        }
        _ => COMPARE,
    }
}

/// Entities that no id can be: such a policy would be about nobody, whatever its author meant.
fn names_nothing(text: &str, policy: &Policy) -> Vec<Mistake> {
    let wrong = policy.entity_literals().into_iter().filter(|uid| Thing::read(uid).is_none());
    let told = wrong.map(|uid| {
        let written = uid.to_string();
        let advice = match Kind::named(&uid.type_name().to_string()) {
            Some(Kind::Team) => {
                "Send its id (keystead teams list), or ask by name: `principal.teams.contains(\"Admin\")`."
            }
            Some(Kind::Environment | Kind::Project) => {
                "Send its id, or ask by slug: `resource is Environment` and `resource.slug == \"production\"`."
            }
            _ => "Send its id as the API shows it.",
        };
        let what = format!("{written} names nothing: there is no such id");
        Mistake::at(text, text.find(&written).unwrap_or(0), what, advice)
    });
    told.collect()
}

/// Cedar counts them in the order of the text.
fn in_order(set: &PolicySet) -> Vec<Policy> {
    let mut policies: Vec<Policy> = set.policies().cloned().collect();
    let number = |policy: &Policy| {
        let id: &str = policy.id().as_ref();
        id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().unwrap_or(usize::MAX)
    };
    policies.sort_by_key(number);
    policies
}

fn bounded(text: &str) -> Result<(), Mistake> {
    if text.trim().is_empty() || text.len() > TEXT_BYTES_MAX || text.contains('\0') {
        let fix = format!("Send 1 to {TEXT_BYTES_MAX} bytes of Cedar, without NUL.");
        return Err(Mistake::at(text, 0, "The text is empty, too long, or no text", fix));
    }
    let (mut depth, mut operators) = (0usize, 0usize);
    for (offset, byte) in code(text) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'&' | b'|' | b'+' | b'-' | b'*' | b'.' | b'!' => operators += 1,
            b'i' if text.get(offset..offset + 2) == Some("if") => operators += 1,
            b';' => operators = 0,
            _ => {}
        }
        if depth > DEPTH_MAX || operators > OPERATORS_MAX {
            let fix = format!(
                "Nest brackets at most {DEPTH_MAX} deep, use at most {OPERATORS_MAX} operators in one policy, or write several."
            );
            return Err(Mistake::at(text, offset, "The policy is too large", fix));
        }
    }
    Ok(())
}

/// Where the first `permit` stands.
fn permits(text: &str) -> Option<usize> {
    code(text)
        .find(|(offset, _)| text.get(*offset..).is_some_and(|rest| rest.starts_with("permit")))
        .map(|(at, _)| at)
}

/// What of a text is neither within quotation marks nor a comment.
fn code(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let (mut quoted, mut escaped, mut comment) = (false, false, false);
    text.bytes().enumerate().filter(move |(offset, byte)| {
        if comment {
            comment = *byte != b'\n';
            return false;
        }
        if quoted {
            quoted = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            return false;
        }
        match byte {
            b'"' => quoted = true,
            b'/' if text.as_bytes().get(offset + 1) == Some(&b'/') => comment = true,
            _ => return true,
        }
        false
    })
}
