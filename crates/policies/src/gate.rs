//! What of a policy depends on nothing but the key: whether that holds is found out once for a key, and not at each
//! request.

use cedar_policy::{Policy, PolicySet};
use serde_json::{Value, json};

/// A policy whose conditions are those parts of another that do not look at the request.
#[derive(Debug)]
pub(crate) enum Gate {
    /// None of its conditions does.
    Whole,
    /// Some do; where these fail, so does the policy.
    Part(Box<PolicySet>),
    /// All do.
    None,
}

impl Gate {
    pub(crate) fn of(policy: &Policy) -> Option<Self> {
        let mut json = policy.to_json().ok()?;
        let conditions = json.get_mut("conditions")?.take();
        let mut parts = Vec::new();
        for condition in conditions.as_array()? {
            let is_unless = condition.get("kind")?.as_str()? == "unless";
            split(condition.get("body")?, is_unless, &mut parts);
        }
        let all = parts.len();
        parts.retain(|(body, _)| !looks_at_request(body));
        if parts.len() == all {
            return Some(Self::Whole);
        }
        if parts.is_empty() {
            return Some(Self::None);
        }
        let parts = parts.into_iter().map(
            |(body, is_unless)| json!({ "kind": if is_unless { "unless" } else { "when" }, "body": body }),
        );
        *json.get_mut("conditions")? = parts.collect();
        let gate = Policy::from_json(Some(policy.id().clone()), json).ok()?;
        Some(Self::Part(Box::new(PolicySet::from_policies([gate]).ok()?)))
    }
}

/// All of "this and that" must hold, and none of "unless this or that": each is a condition of its own.
fn split<'v>(body: &'v Value, is_unless: bool, parts: &mut Vec<(&'v Value, bool)>) {
    let joint = body.get(if is_unless { "||" } else { "&&" });
    match joint.and_then(|joint| joint.get("left").zip(joint.get("right"))) {
        Some((left, right)) => {
            split(left, is_unless, parts);
            split(right, is_unless, parts);
        }
        None => parts.push((body, is_unless)),
    }
}

fn looks_at_request(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            (name == "Var" && value.as_str() == Some("context")) || looks_at_request(value)
        }),
        Value::Array(values) => values.iter().any(looks_at_request),
        _ => false,
    }
}
