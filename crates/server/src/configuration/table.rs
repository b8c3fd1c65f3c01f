//! The tables that the file may have several of, each with names of its own: `[[guard]]`, `[[door]]`.

use super::mistake::Mistake;
use super::sources;
use serde_json::{Map, Value};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// What tables of a kind are.
pub(super) struct Kind {
    /// What they begin with, without the brackets.
    pub(super) name: &'static str,
    /// What a table may say.
    pub(super) names: &'static [&'static str],
    /// What it must say.
    pub(super) needs: &'static str,
    /// What describes it.
    pub(super) reference: &'static str,
}

/// Whose keys are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Where the installation has several organizations: its slug.
    pub organization: Option<String>,
    /// The project's slug.
    pub project: String,
    /// And the environment's.
    pub environment: String,
}

/// A number of a table: its name, default and bounds.
pub(super) struct Whole(pub(super) &'static str, pub(super) u64, pub(super) u64, pub(super) u64);

/// One table while it is read. What is wrong is told, and reading goes on.
pub(super) struct Table<'a> {
    kind: &'static Kind,
    path: &'a Path,
    text: &'a str,
    line: usize,
    table: &'a DeTable<'a>,
    pub(super) shown: Map<String, Value>,
    mistakes: &'a mut Vec<Mistake>,
    wrong: bool,
}

/// A file's text, and where the file is.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl<'a> Table<'a> {
    /// Begins to read; names that are unknown are told.
    pub(super) fn new(
        kind: &'static Kind,
        file: Text<'a>,
        line: usize,
        table: &'a DeTable<'a>,
        mistakes: &'a mut Vec<Mistake>,
    ) -> Self {
        let Text { path, text } = file;
        let mut table = Self { kind, path, text, line, table, shown: Map::new(), mistakes, wrong: false };
        table.refuse_unknown();
        table
    }

    /// Where it stands and what is in force, when nothing in it was wrong.
    pub(super) fn end(self) -> Option<(String, Map<String, Value>)> {
        (!self.wrong).then(|| (sources::place(self.path, self.line), self.shown))
    }

    /// Whose keys are asked.
    pub(super) fn whose(&mut self) -> Option<Whose> {
        let organization = self.optional("organization");
        let (project, environment) = (self.required("project"), self.required("environment"));
        Some(Whose { organization, project: project?, environment: environment? })
    }

    fn refuse_unknown(&mut self) {
        let Kind { name: kind, names, reference, .. } = *self.kind;
        for (key, _) in self.table.iter().filter(|(key, _)| !names.contains(&&**key.get_ref())) {
            let place = sources::place(self.path, sources::line_of(self.text, key.span().start));
            let known = names.iter().map(|name| format!("{kind}.{name}"));
            let name = format!("{kind}.{}", key.get_ref());
            self.mistakes.push(sources::unknown(&place, &name, known, reference));
            self.wrong = true;
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// Tells what is wrong with a value.
    pub(super) fn mistake(&mut self, name: &str, detail: &str, fix: &str) {
        let key = self.table.iter().find(|(key, _)| &**key.get_ref() == name);
        let line = key.map_or(self.line, |(key, _)| sources::line_of(self.text, key.span().start));
        let place = sources::place(self.path, line);
        self.mistakes.push(Mistake::new(place, format!("`{}.{name}`: {detail}", self.kind.name), fix));
        self.wrong = true;
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        match self.table.get(name)?.get_ref() {
            DeValue::String(text) if !text.is_empty() && !text.contains('\0') => {
                let text = text.to_string();
                self.shown.insert(name.into(), text.clone().into());
                Some(text)
            }
            _ => {
                self.mistake(
                    name,
                    "this is no text.",
                    "Write a string in double quotes, or remove the line.",
                );
                None
            }
        }
    }

    pub(super) fn required(&mut self, name: &str) -> Option<String> {
        if !self.has(name) {
            self.mistake(name, "it is missing.", self.kind.needs);
            return None;
        }
        self.optional(name)
    }

    pub(super) fn parsed<T: std::str::FromStr>(&mut self, name: &str, fix: &str) -> Option<T> {
        let parsed = self.required(name)?.parse().ok();
        if parsed.is_none() {
            self.mistake(name, "this cannot be read.", fix);
        }
        parsed
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        let flag = match self.table.get(name).map(|value| value.get_ref()) {
            None => false,
            Some(DeValue::Boolean(flag)) => *flag,
            Some(_) => {
                self.mistake(name, "this is neither true nor false.", "Write true or false, without quotes.");
                false
            }
        };
        self.shown.insert(name.into(), flag.into());
        flag
    }

    pub(super) fn whole(&mut self, Whole(name, default, min, max): Whole) -> u64 {
        let number = match self.table.get(name).map(|value| value.get_ref()) {
            None => Some(default),
            Some(DeValue::Integer(number)) if number.radix() == 10 => {
                number.as_str().replace('_', "").parse().ok()
            }
            Some(_) => None,
        };
        let number = number.filter(|number| (min..=max).contains(number)).unwrap_or_else(|| {
            let fix = format!("Write a whole number from {min} to {max}, without quotes.");
            self.mistake(name, "this number is out of bounds, or none.", &fix);
            default
        });
        self.shown.insert(name.into(), number.into());
        number
    }

    /// A list of texts.
    pub(super) fn list(&mut self, name: &str, fix: &str) -> Option<Vec<String>> {
        let DeValue::Array(values) = self.table.get(name)?.get_ref() else {
            self.mistake(name, "this is no list.", fix);
            return None;
        };
        let texts: Option<Vec<String>> = values
            .iter()
            .map(|value| match value.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        if texts.is_none() {
            self.mistake(name, "this is no list of texts.", fix);
        }
        texts
    }
}
