//! Where settings come from: a TOML file, `KEYSTEAD_*` variables, flags. Unknown names are refused.

use super::door::{self, Door};
use super::guard::{self, Guard};
use super::mistake::Mistake;
use super::smtp::PASSWORD_VARIABLE;
use super::table::Text;
use super::{Configuration, Kind, Setting};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Variables that are the client's, or hold a secret and so are no settings.
const FOREIGN_VARIABLES: [&str; 7] = [
    "KEYSTEAD_URL",
    "KEYSTEAD_KEY",
    "KEYSTEAD_VERIFY_KEY",
    "KEYSTEAD_PROJECT",
    "KEYSTEAD_CA_FILE",
    "KEYSTEAD_ROOT_KEY",
    PASSWORD_VARIABLE,
];
const FOREIGN_PREFIX: &str = "KEYSTEAD_TEST_";

/// The variable that names the file.
pub(super) const FILE_VARIABLE: &str = "KEYSTEAD_CONFIG";

/// What has every setting.
const REFERENCE: &str = "docs/CONFIGURATION.md";

/// Bytes of the largest configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(String),
}

impl Source {
    /// As a mistake names it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File { path, line } => format!("{}:{line}", path.display()),
            Self::Variable(name) => name.clone(),
            Self::Flag(name) => name.clone(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value that was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) source: Source,
}

/// What was given, by the setting's name; what is added later replaces what was there.
pub(super) type Layer = BTreeMap<&'static str, Given>;

/// What a file has several of.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) guards: Vec<Guard>,
    pub(super) doors: Vec<Door>,
}

/// Reads the file and adds its values; mistakes are added to `mistakes`.
pub(super) fn add_file(path: &Path, layer: &mut Layer, tables: &mut Tables, mistakes: &mut Vec<Mistake>) {
    let text = match read(path) {
        Ok(text) => text,
        Err(mistake) => return mistakes.push(mistake),
    };
    match DeTable::parse(&text) {
        Ok(table) => {
            let mut file = File { path, text: &text, layer, tables, mistakes };
            file.table("", table.get_ref());
        }
        // The parser's own display quotes the line, which may hold a password: only its message is safe.
        Err(error) => mistakes.push(Mistake::new(
            place(path, line_of(&text, error.span().map_or(0, |span| span.start))),
            format!("this is not TOML: {}.", error.message().replace('\n', ", ")),
            "Correct the line; strings stand in double quotes.",
        )),
    }
}

fn read(path: &Path) -> Result<String, Mistake> {
    let fix = "Name a readable TOML file with --config, or leave it out.";
    let size = std::fs::metadata(path)
        .map_err(|error| Mistake::new(path.display(), format!("the file cannot be read ({error})."), fix))?;
    if !size.is_file() || size.len() > FILE_BYTES_MAX {
        return Err(Mistake::new(path.display(), "this is no file of at most 1 MiB.", fix));
    }
    std::fs::read_to_string(path)
        .map_err(|error| Mistake::new(path.display(), format!("the file cannot be read ({error})."), fix))
}

pub(super) fn place(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    layer: &'a mut Layer,
    tables: &'a mut Tables,
    mistakes: &'a mut Vec<Mistake>,
}

impl File<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = if section.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{section}.{}", key.get_ref())
            };
            let line = line_of(self.text, key.span().start);
            match (named(&name), value.get_ref()) {
                (Some(setting), value) => self.value(setting, line, value),
                (None, value) if name == "guard" => {
                    let guards = self.each(line, "guard", "docs/PROXY.md", value, guard::read);
                    self.tables.guards.extend(guards);
                }
                (None, value) if name == "door" => {
                    let doors = self.each(line, "door", "docs/GUARD.md", value, door::read);
                    self.tables.doors.extend(doors);
                }
                // Deeper than one section nothing is known: the whole table is one unknown name.
                (None, DeValue::Table(inner)) if section.is_empty() => self.table(&name, inner),
                (None, _) => self.mistakes.push(unknown(
                    &place(self.path, line),
                    &name,
                    Configuration::settings().map(|known| known.name.to_owned()),
                    REFERENCE,
                )),
            }
        }
    }

    /// Reads each table of a kind; those in which something is wrong are left out, and it is told.
    fn each<T>(
        &mut self,
        line: usize,
        kind: &str,
        reference: &str,
        value: &DeValue<'_>,
        read: impl Fn(Text<'_>, usize, &DeTable<'_>, &mut Vec<Mistake>) -> Option<T>,
    ) -> Vec<T> {
        let text = Text { path: self.path, text: self.text };
        let tables = match value {
            DeValue::Array(values) => values
                .iter()
                .map(|value| match value.get_ref() {
                    DeValue::Table(table) => Some((line_of(self.text, value.span().start), table)),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let Some(tables) = tables else {
            let fix =
                format!("Begin each with a line [[{kind}]], in two brackets; {reference} has an example.");
            let detail = format!("{kind}s are a list of tables.");
            self.mistakes.push(Mistake::new(place(self.path, line), detail, fix));
            return Vec::new();
        };
        tables.into_iter().filter_map(|(line, table)| read(text, line, table, self.mistakes)).collect()
    }

    fn value(&mut self, setting: &'static Setting, line: usize, value: &DeValue<'_>) {
        let text = match (setting.kind, value) {
            (Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl | Kind::Choice(_), DeValue::String(text)) => {
                Ok(text.to_string())
            }
            (Kind::Flag, DeValue::Boolean(flag)) => Ok(flag.to_string()),
            (Kind::Whole { .. }, DeValue::Integer(number)) if number.radix() == 10 => {
                Ok(number.as_str().to_owned())
            }
            (Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl | Kind::Choice(_), _) => {
                Err("a string in double quotes")
            }
            (Kind::Flag, _) => Err("true or false, without quotes"),
            (Kind::Whole { .. }, _) => Err("a decimal whole number, without quotes"),
        };
        match text {
            Ok(text) => {
                let source = Source::File { path: self.path.to_owned(), line };
                self.layer.insert(setting.name, Given { text, source });
            }
            Err(wanted) => self.mistakes.push(Mistake::new(
                place(self.path, line),
                format!("`{}` cannot be {}.", setting.name, kind_of(value)),
                format!("Write {wanted}."),
            )),
        }
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Adds the values of `KEYSTEAD_*` variables.
pub(super) fn add_environment(
    variables: &[(OsString, OsString)],
    layer: &mut Layer,
    mistakes: &mut Vec<Mistake>,
) {
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("KEYSTEAD_")) else {
            continue;
        };
        if FOREIGN_VARIABLES.contains(&name) || name.starts_with(FOREIGN_PREFIX) || name == FILE_VARIABLE {
            continue;
        }
        let Some(setting) = Configuration::settings().find(|setting| setting.variable() == name) else {
            mistakes.push(unknown(name, name, Configuration::settings().map(Setting::variable), REFERENCE));
            continue;
        };
        match value.to_str() {
            Some(text) => {
                let source = Source::Variable(name.to_owned());
                layer.insert(setting.name, Given { text: text.to_owned(), source });
            }
            None => mistakes.push(Mistake::new(name, "the value is not UTF-8.", "Write it in UTF-8.")),
        }
    }
}

/// Adds the values of flags, given as the setting's name and the value.
pub(super) fn add_flags(flags: &[(String, String)], layer: &mut Layer, mistakes: &mut Vec<Mistake>) {
    for (name, value) in flags.iter().filter(|(name, _)| name != "config") {
        match named(name) {
            Some(setting) => {
                let source = Source::Flag(format!("--{}", setting.flag()));
                layer.insert(setting.name, Given { text: value.clone(), source });
            }
            None => mistakes.push(unknown(
                &format!("--{name}"),
                name,
                Configuration::settings().map(|known| known.name.to_owned()),
                REFERENCE,
            )),
        }
    }
}

/// The setting of that name.
pub(super) fn named(name: &str) -> Option<&'static Setting> {
    Configuration::settings().find(|setting| setting.name == name)
}

/// There is no such setting; perhaps one was meant that `reference` has.
pub(super) fn unknown(
    place: &str,
    name: &str,
    known: impl Iterator<Item = String>,
    reference: &str,
) -> Mistake {
    let nearest = known
        .map(|known| (strsim::normalized_damerau_levenshtein(&known, name), known))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let fix = match nearest {
        Some((_, nearest)) => format!("Did you mean `{nearest}`?"),
        None => format!("Remove it; {reference} lists every setting."),
    };
    Mistake::new(place, format!("there is no setting `{name}`."), fix)
}
