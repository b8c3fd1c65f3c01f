//! What a provider says of a person.

use serde_json::{Map, Value};

/// The most groups of one person that are looked at.
pub const GROUPS_MAX: usize = 1_000;
/// The longest text of a claim that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// Of a person, as the ID token and, where that leaves something out, the userinfo endpoint say it.
#[derive(Debug, Clone)]
pub struct Claims {
    pub(crate) subject: String,
    pub(crate) all: Map<String, Value>,
}

impl Claims {
    /// Who it is, for this provider for ever.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.all.get(claim)?.as_str().filter(|text| !text.is_empty() && text.len() <= TEXT_BYTES_MAX)
    }

    /// The e-mail address that the provider says it has verified; one that it does not say so of is nobody's. Some
    /// providers write the truth value as a text.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        let verified = self.all.get("email_verified");
        let verified =
            verified.is_some_and(|value| *value == Value::Bool(true) || value.as_str() == Some("true"));
        self.text("email").filter(|_| verified)
    }

    /// The person's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// The groups in a claim: a list of texts, or one text. What is absent is in no group.
    #[must_use]
    pub fn groups(&self, claim: &str) -> Vec<&str> {
        match self.all.get(claim) {
            Some(Value::Array(groups)) => groups.iter().take(GROUPS_MAX).filter_map(Value::as_str).collect(),
            Some(Value::String(group)) => vec![group],
            _ => Vec::new(),
        }
    }

    /// Whether the provider says that more than one factor was proved (RFC 8176 `mfa`).
    #[must_use]
    pub fn is_multi_factor(&self) -> bool {
        let methods = self.all.get("amr").and_then(Value::as_array);
        methods.is_some_and(|methods| methods.iter().any(|method| method == "mfa"))
    }

    /// When the person proved who they are, in seconds since the epoch.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<i64> {
        seconds(self.all.get("auth_time")?)
    }

    /// Whether what the token leaves out may be at the userinfo endpoint.
    pub(crate) fn lacks(&self, claim: Option<&str>) -> bool {
        !self.all.contains_key("email") || claim.is_some_and(|claim| !self.all.contains_key(claim))
    }

    /// Adds what the token left out; of what the token says nothing is changed.
    pub(crate) fn add(&mut self, more: Map<String, Value>) {
        for (name, value) in more {
            self.all.entry(name).or_insert(value);
        }
    }
}

/// A number of seconds, which may have a fraction (RFC 7519 §2, NumericDate).
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    number.as_i64().or_else(|| {
        let seconds = number.as_f64().filter(|seconds| seconds.abs() < 1e15)?;
        seconds.trunc().to_string().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(all: &Value) -> Claims {
        Claims { subject: "s".into(), all: all.as_object().unwrap().clone() }
    }

    #[test]
    fn an_address_counts_only_when_it_is_said_to_be_verified() {
        let email = |verified: Value| {
            let all = json!({"email": "a@example.com", "email_verified": verified});
            claims(&all).verified_email().is_some()
        };
        assert!(email(json!(true)) && email(json!("true")));
        for other in [json!(false), json!("false"), json!(1), json!("yes"), json!(null), json!([true])] {
            assert!(!email(other.clone()), "{other}");
        }
        assert_eq!(claims(&json!({"email": "a@example.com"})).verified_email(), None);
    }

    #[test]
    fn what_is_no_group_is_none() {
        let groups = |value: Value| claims(&json!({"g": value})).groups("g").len();
        assert_eq!(groups(json!(["a", "b"])), 2);
        assert_eq!(groups(json!("a")), 1);
        assert_eq!(groups(json!(["a", 1, null, ["b"]])), 1);
        assert_eq!(groups(json!({"a": true})), 0);
        assert_eq!(groups(json!((0..2_000).map(|n| n.to_string()).collect::<Vec<_>>())), GROUPS_MAX);
        assert_eq!(claims(&json!({})).groups("g").len(), 0);
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(seconds(&json!(1.75)), Some(1));
        assert_eq!(seconds(&json!(7)), Some(7));
        assert_eq!([seconds(&json!(1e300)), seconds(&json!("7"))], [None, None]);
    }
}
