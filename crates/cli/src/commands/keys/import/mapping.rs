//! Other people's column names: which of them is which field of a key to import.

use clap::Args;
use serde_json::{Map, Value};
use std::str::FromStr;

/// Fields whose values elsewhere are often numbers, and texts here.
const TEXTS: [&str; 4] = ["external_id", "name", "owner", "consumer"];

/// What is read of each line before it is taken for a key.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Mapping {
    /// Take a field from a column of another name, which may be a JSON pointer (repeatable)
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    mapped: Vec<Mapped>,
    /// Give a field this value on each line that has none: JSON, or else text (repeatable)
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    fixed: Vec<Fixed>,
    /// Leave a column out (repeatable)
    #[arg(long = "skip", value_name = "COLUMN")]
    skipped: Vec<String>,
}

/// A field, down to the part of it that `.` leads to.
#[derive(Debug, Clone)]
struct Field(Vec<String>);

#[derive(Debug, Clone)]
struct Mapped {
    field: Field,
    column: String,
}

#[derive(Debug, Clone)]
struct Fixed {
    field: Field,
    value: Value,
}

/// A field and what stands after `=`.
fn split(text: &str) -> Result<(Field, &str), String> {
    let (field, rest) = text.split_once('=').ok_or("there is no `=` in it")?;
    let parts: Vec<String> = field.split('.').map(str::to_owned).collect();
    if parts.iter().any(String::is_empty) || rest.is_empty() {
        return Err("a side of its `=` is empty".to_owned());
    }
    Ok((Field(parts), rest))
}

impl FromStr for Mapped {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, column) = split(text)?;
        Ok(Self { field, column: column.to_owned() })
    }
}

impl FromStr for Fixed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, value) = split(text)?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Self { field, value })
    }
}

impl Mapping {
    /// A line by the names that fields have here. Names are told in errors, values never.
    ///
    /// # Errors
    /// When a field that is mapped is there already, or a part of a field is no object.
    pub(super) fn apply(&self, mut line: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let whole = Value::Object(line.clone());
        let mut taken = Vec::new();
        for Mapped { field, column } in &self.mapped {
            let value = if column.starts_with('/') { whole.pointer(column) } else { whole.get(column) };
            // A column that is null says nothing.
            if let Some(value) = value.filter(|value| !value.is_null()) {
                taken.push((field, value.clone()));
            }
            line.remove(column);
        }
        for column in &self.skipped {
            line.remove(column);
        }
        for (field, value) in taken {
            if !field.put(&mut line, field.fitting(value))? {
                return Err(format!("There is a {field} beside the column that is mapped to it: --skip it."));
            }
        }
        for Fixed { field, value } in &self.fixed {
            field.put(&mut line, value.clone())?;
        }
        Ok(line)
    }
}

impl Field {
    fn fitting(&self, value: Value) -> Value {
        match (self.0.as_slice(), value) {
            ([name], Value::Number(number)) if TEXTS.contains(&name.as_str()) => {
                Value::String(number.to_string())
            }
            (_, value) => value,
        }
    }

    /// Puts a value where there is none; whether there was none.
    fn put(&self, line: &mut Map<String, Value>, value: Value) -> Result<bool, String> {
        let Some((last, parents)) = self.0.split_last() else { return Ok(false) };
        let mut object = line;
        for parent in parents {
            let inner = object.entry(parent.as_str()).or_insert_with(|| Value::Object(Map::new()));
            object = inner.as_object_mut().ok_or_else(|| format!("{parent} is no object."))?;
        }
        if object.get(last).is_some_and(|found| !found.is_null()) {
            return Ok(false);
        }
        object.insert(last.clone(), value);
        Ok(true)
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapping(mapped: &[&str], fixed: &[&str], skipped: &[&str]) -> Mapping {
        Mapping {
            mapped: mapped.iter().map(|text| text.parse().unwrap()).collect(),
            fixed: fixed.iter().map(|text| text.parse().unwrap()).collect(),
            skipped: skipped.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn other_names_become_fields() {
        let mapping = mapping(
            &[
                "name=title",
                "external_id=id",
                "hash.value=secret_hash",
                "metadata.plan=/account/plan",
                "owner=team",
            ],
            &["hash.algorithm=sha256", "environment=production", "may_mint=false", "tags=[\"old\"]"],
            &["account", "created"],
        );
        let line = json!({"title": "Old", "id": 17, "secret_hash": "00ff", "account": {"plan": "gold"},
            "created": 1, "team": null, "tags": ["own"]});
        assert_eq!(
            Value::Object(mapping.apply(object(line)).unwrap()),
            json!({"name": "Old", "external_id": "17", "hash": {"value": "00ff", "algorithm": "sha256"},
                "metadata": {"plan": "gold"}, "environment": "production", "may_mint": false, "tags": ["own"]})
        );
    }

    #[test]
    fn names_that_changed_places_are_told_apart() {
        let swapped = mapping(&["name=external_id", "external_id=name"], &[], &[]);
        let line = swapped.apply(object(json!({"name": "a", "external_id": "b"}))).unwrap();
        assert_eq!(Value::Object(line), json!({"name": "b", "external_id": "a"}));
    }

    #[test]
    fn nothing_is_lost_without_a_word_and_no_value_is_told() {
        let line = || object(json!({"name": "CANARY", "title": "CANARY", "hash": "CANARY"}));
        for (mapping, what) in
            [(mapping(&["name=title"], &[], &[]), "name"), (mapping(&["hash.value=title"], &[], &[]), "hash")]
        {
            let why = mapping.apply(line()).unwrap_err();
            assert!(why.contains(what) && !why.contains("CANARY"), "{why}");
        }
        let told = mapping(&["name=title"], &[], &["name"]).apply(line()).unwrap();
        assert_eq!(told["name"], "CANARY");
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for text in ["name", "=title", "name=", "hash..value=x"] {
            assert!(text.parse::<Mapped>().is_err(), "{text}");
        }
    }
}
