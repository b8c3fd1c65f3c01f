//! Columns and fields, aligned for people.

use super::plain::plain;
use clap::builder::styling::{AnsiColor, Style};
use keystead_sdk::api::Timestamp;
use unicode_width::UnicodeWidthStr;

/// How a cell is coloured, where colours are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Normal,
    Good,
    Warning,
    Bad,
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Normal => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// A text that is safe to print, with its tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: &str, tone: Tone) -> Self {
        Self { text: plain(text), tone }
    }

    /// Nothing there.
    pub(crate) fn none() -> Self {
        Self::new("-", Tone::Faint)
    }

    /// The text, or nothing.
    pub(crate) fn maybe(text: Option<&str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or_else(Self::none, Self::from)
    }

    /// The texts with commas between, or nothing.
    pub(crate) fn list<T: AsRef<str>>(texts: &[T]) -> Self {
        Self::maybe(Some(&texts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")))
    }

    /// An instant to the second, or nothing.
    pub(crate) fn time(at: Option<Timestamp>) -> Self {
        at.map_or_else(Self::none, |at| Self::from(at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()))
    }

    /// The first `characters`, with `…` when there are more: for a column, not for a field.
    pub(crate) fn shortened(mut self, characters: usize) -> Self {
        if self.text.chars().count() > characters {
            self.text = self.text.chars().take(characters.saturating_sub(1)).chain(['…']).collect();
        }
        self
    }

    fn written(&self, colour: bool) -> String {
        if !colour || self.tone == Tone::Normal {
            return self.text.clone();
        }
        let style = self.tone.style();
        format!("{style}{}{style:#}", self.text)
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Normal)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(&text, Tone::Normal)
    }
}

/// Whether a principal's keys work.
pub(crate) fn state(disabled: bool) -> Cell {
    if disabled { Cell::new("disabled", Tone::Warning) } else { Cell::new("active", Tone::Good) }
}

/// Rows below headings, two spaces between columns.
pub(crate) fn columns(headings: &[&str], rows: &[Vec<Cell>], colour: bool) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let headings: Vec<Cell> = headings.iter().map(|heading| Cell::new(heading, Tone::Faint)).collect();
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let mut gap = 0;
        for (width, cell) in widths.iter().zip(row) {
            text.push_str(&" ".repeat(gap));
            text.push_str(&cell.written(colour));
            gap = width.saturating_sub(cell.width()) + 2;
        }
        text.push('\n');
    }
    text
}

/// One field a line, the values below each other.
pub(crate) fn fields(fields: &[(&str, Cell)], colour: bool) -> String {
    let width = fields.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in fields {
        let gap = " ".repeat(width.saturating_sub(name.width()) + 2);
        text.push_str(&Cell::new(name, Tone::Faint).written(colour));
        text.push_str(&gap);
        text.push_str(&value.written(colour));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_width_of_their_characters() {
        let rows = [vec!["東京".into(), "a".into()], vec!["x".into(), Cell::new("b", Tone::Good)]];
        assert_eq!(columns(&["NAME", "STATE"], &rows, false), "NAME  STATE\n東京  a\nx     b\n");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let rows = [vec![Cell::new("ok", Tone::Good), "x".into()], vec!["longer".into(), "y".into()]];
        let coloured = columns(&["A", "B"], &rows, true);
        assert!(coloured.contains("\u{1b}[32mok\u{1b}[0m      x\n"), "{coloured:?}");
    }

    #[test]
    fn a_name_cannot_start_a_line_or_a_colour() {
        let rows = [vec!["evil\nfake  row\u{1b}[31m".into()]];
        assert_eq!(columns(&["NAME"], &rows, false).lines().count(), 2);
        assert!(!fields(&[("name", "\u{1b}[31m".into())], false).contains('\u{1b}'));
    }

    #[test]
    fn a_long_text_is_shortened_in_a_column() {
        assert_eq!(Cell::from("abcdef").shortened(4), Cell::from("abc…"));
        assert_eq!(Cell::from("abcd").shortened(4), Cell::from("abcd"));
    }
}
