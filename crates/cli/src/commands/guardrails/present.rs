//! Guardrails, and the keys that violate them, for people.

use crate::exit::{Exit, Outcome};
use crate::flags::amounts::limit_text;
use crate::flags::named::name;
use crate::output::Present;
use crate::output::table::{Cell, Tone};
use crate::session::Session;
use keystead_sdk::api::{
    EffectiveGuardrail, GuardrailName, GuardrailsPreview, GuardrailsView, LimitSpec, ViolatingKey,
};
use serde_json::Value;

/// Everything that holds, one guardrail a line.
pub(super) fn view(session: &Session, view: &GuardrailsView) -> Outcome {
    if session.output.is_json() {
        session.output.json(view)?;
    } else if view.effective.is_empty() {
        session.output.note("Nothing is guarded.");
    } else {
        let rows: Vec<Vec<Cell>> = view.effective.iter().map(row).collect();
        session.output.columns(&["GUARDRAIL", "KIND", "VALUE", "FROM"], &rows)?;
    }
    Ok(Exit::Done)
}

fn row(one: &EffectiveGuardrail) -> Vec<Cell> {
    vec![
        name(&one.guardrail).into(),
        one.kind.map_or_else(|| Cell::from("every"), |kind| name(&kind).into()),
        value(one).into(),
        name(&one.from).into(),
    ]
}

fn value(one: &EffectiveGuardrail) -> String {
    if one.guardrail == GuardrailName::LimitsDefault
        && let Ok(limits) = serde_json::from_value::<Vec<LimitSpec>>(one.value.clone())
    {
        return limits.iter().map(limit_text).collect::<Vec<_>>().join(", ");
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        other => other.to_string(),
    };
    match &one.value {
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        single => text(single),
    }
}

impl Present for ViolatingKey {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "KIND", "OWNER", "EXPIRES", "VIOLATES"];

    fn row(&self) -> Vec<Cell> {
        let mut names: Vec<String> = self.violations.iter().map(|one| name(&one.guardrail)).collect();
        names.dedup();
        vec![
            self.id.as_str().into(),
            Cell::from(self.name.as_str()).shortened(32),
            name(&self.kind).into(),
            Cell::from(self.owner.name.as_str()).shortened(24),
            Cell::time(self.expires_at),
            Cell::new(&names.join(", "), Tone::Warning),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let details: Vec<&str> = self.violations.iter().map(|one| one.detail.as_str()).collect();
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("begins", self.start.as_str().into()),
            ("environment", self.environment.as_str().into()),
            ("created", Cell::time(Some(self.created_at))),
            ("violates", details.join(" ").into()),
        ]
    }
}

impl Present for GuardrailsPreview {
    const HEADINGS: &'static [&'static str] = &["KEYS", "WOULD VIOLATE", "VIOLATE NOW"];

    fn row(&self) -> Vec<Cell> {
        [self.keys_checked, self.keys_violating, self.keys_violating_now]
            .map(|count| count.to_string().into())
            .into()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let each = |(guardrail, keys): (&GuardrailName, &u64)| format!("{}: {keys}", name(guardrail));
        let checked =
            format!("{}{}", self.keys_checked, if self.complete { "" } else { " (there are more)" });
        vec![
            ("keys", checked.into()),
            ("would violate", self.keys_violating.to_string().into()),
            ("violate now", self.keys_violating_now.to_string().into()),
            ("by guardrail", Cell::list(&self.by_guardrail.iter().map(each).collect::<Vec<_>>())),
        ]
    }
}
