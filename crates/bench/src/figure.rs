//! Figures with their bounds, as a table for people and as one JSON object for programs.

use crate::say;
use serde_json::{Map, Value, json};

/// What a figure must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Not more than this.
    Most(f64),
    /// Not less than this.
    Least(f64),
    /// It is only told.
    None,
}

/// One measured number.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its field in the JSON.
    pub name: &'static str,
    /// What was measured.
    pub value: f64,
    /// What it must keep to.
    pub bound: Bound,
    /// What it is, for people.
    pub what: &'static str,
}

impl Figure {
    /// A figure that is only told.
    #[must_use]
    pub const fn told(name: &'static str, value: f64, what: &'static str) -> Self {
        Self { name, value, bound: Bound::None, what }
    }

    /// A figure that may be at most `bound`.
    #[must_use]
    pub const fn at_most(name: &'static str, value: f64, bound: f64, what: &'static str) -> Self {
        Self { name, value, bound: Bound::Most(bound), what }
    }

    /// A figure that must be at least `bound`.
    #[must_use]
    pub const fn at_least(name: &'static str, value: f64, bound: f64, what: &'static str) -> Self {
        Self { name, value, bound: Bound::Least(bound), what }
    }

    /// Whether it keeps to its bound; `None` without one.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        match self.bound {
            Bound::Most(bound) => Some(self.value <= bound),
            Bound::Least(bound) => Some(self.value >= bound),
            Bound::None => None,
        }
    }
}

/// Prints the figures: those with a bound first.
pub fn print(mut figures: Vec<Figure>, machine: &str, as_json: bool) {
    figures.sort_by_key(|figure| figure.bound == Bound::None);
    if as_json {
        say::result(&object(&figures, machine).to_string());
        return;
    }
    say::result(&format!("{machine}\n"));
    say::result(&format!("{:<28} {:>12}  {:<10} {:<6} what", "figure", "value", "bound", ""));
    for figure in &figures {
        let bound = match figure.bound {
            Bound::Most(bound) => format!("<= {bound}"),
            Bound::Least(bound) => format!(">= {bound}"),
            Bound::None => String::new(),
        };
        let held = figure.holds().map_or("", |holds| if holds { "held" } else { "MISSED" });
        let value = rounded(figure.value);
        say::result(&format!("{:<28} {value:>12}  {bound:<10} {held:<6} {}", figure.name, figure.what));
    }
}

fn object(figures: &[Figure], machine: &str) -> Value {
    let (mut fields, mut bounds) = (Map::new(), Map::new());
    for figure in figures {
        fields.insert(figure.name.into(), rounded(figure.value));
        match figure.bound {
            Bound::Most(bound) => bounds.insert(figure.name.into(), json!({ "at_most": bound })),
            Bound::Least(bound) => bounds.insert(figure.name.into(), json!({ "at_least": bound })),
            Bound::None => None,
        };
    }
    fields.insert("bounds".into(), bounds.into());
    fields.insert("passed".into(), figures.iter().all(|figure| figure.holds() != Some(false)).into());
    fields.insert("machine".into(), machine.into());
    fields.into()
}

/// Three decimals below ten, one below a thousand, none above: no more than the noise allows.
fn rounded(value: f64) -> Value {
    let digits = match value.abs() {
        below if below < 10.0 => 1_000.0,
        below if below < 1_000.0 => 10.0,
        _ => 1.0,
    };
    let rounded = (value * digits).round() / digits;
    if rounded.fract() == 0.0 {
        Value::from(format!("{rounded:.0}").parse::<i64>().unwrap_or(0))
    } else {
        json!(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_bound_is_told_and_fails_the_whole() {
        let held = Figure::at_most("a", 0.0, 0.0, "");
        let missed = Figure::at_least("b", 19.94, 20.0, "");
        let told = Figure::told("c", 1_234.5, "");
        assert_eq!(object(&[held.clone(), told.clone()], "m")["passed"], true);
        let object = object(&[held, missed, told], "m");
        assert_eq!((&object["a"], &object["b"], &object["c"]), (&json!(0), &json!(19.9), &json!(1_235)));
        assert_eq!(object["passed"], false);
        assert_eq!(object["bounds"], json!({ "a": { "at_most": 0.0 }, "b": { "at_least": 20.0 } }));
    }
}
