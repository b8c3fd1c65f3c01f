//! Checkpoints and verifiers that were kept elsewhere.

use keystead_domain::audit::checkpoint::{Checkpoint, NOTE_BYTES_MAX, Verifier};

/// What was kept elsewhere.
#[derive(Debug, Default)]
pub struct Kept {
    verifiers: Vec<Verifier>,
    /// Each with where it was found.
    notes: Vec<(String, String)>,
}

/// A file of checkpoints that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("checkpoint {0} in it has no signature, or is too long")]
pub struct NotesError(usize);

impl Kept {
    /// What verifies one organization's checkpoints.
    pub fn add_verifier(&mut self, verifier: Verifier) {
        self.verifiers.push(verifier);
    }

    /// The checkpoints of a file: signed notes, one after the other, with empty lines between them or not. One
    /// that was cut off, by a crash or a full disk, is followed by the next one's beginning, and says nothing.
    ///
    /// # Errors
    /// With the first that is none.
    pub fn add_notes(&mut self, from: &str, text: &str) -> Result<(), NotesError> {
        let (mut note, mut signed, mut count) = (String::new(), false, 0);
        for line in text.lines().map(str::trim_end) {
            let signature = line.starts_with('—');
            if signed && !signature {
                self.notes.push((std::mem::take(&mut note), from.to_owned()));
                (signed, count) = (false, count + 1);
            }
            if !signed && Checkpoint::is_origin(line) {
                note.clear();
            }
            if note.is_empty() && line.is_empty() {
                continue;
            }
            note.push_str(line);
            note.push('\n');
            signed |= signature;
            if note.len() > NOTE_BYTES_MAX {
                return Err(NotesError(count + 1));
            }
        }
        if signed {
            self.notes.push((note, from.to_owned()));
        } else if !note.is_empty() {
            return Err(NotesError(count + 1));
        }
        Ok(())
    }

    pub(super) fn verifier(&self, name: &str) -> Option<&Verifier> {
        self.verifiers.iter().find(|verifier| verifier.name() == name)
    }

    /// The notes of one tree, each with where it was found.
    pub(super) fn notes(&self, origin: &str) -> impl Iterator<Item = (&str, &str)> {
        let of = move |note: &str| note.lines().next() == Some(origin);
        self.notes.iter().filter(move |(note, _)| of(note)).map(|(note, from)| (note.as_str(), from.as_str()))
    }

    /// Another tree, when something is of one and nothing of this.
    pub(super) fn instead_of(&self, origin: &str) -> Option<(&str, &str)> {
        let none = self.verifier(origin).is_none() && self.notes(origin).next().is_none();
        if none { self.other_than(&[]) } else { None }
    }

    /// A tree that is named here and not among these.
    pub(super) fn other_than(&self, known: &[String]) -> Option<(&str, &str)> {
        let named = self.verifiers.iter().map(|verifier| (verifier.name(), "what was given"));
        let noted =
            self.notes.iter().map(|(note, from)| (note.lines().next().unwrap_or_default(), from.as_str()));
        named.chain(noted).find(|(origin, _)| !known.iter().any(|known| known == origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_apart_and_what_is_none_is_refused() {
        let (a, b) = ("o/a\n1\nAA==\n\n— o/a c2ln\n— x c2ln\n", "o/b\n2\nAA==\n\n— o/b c2ln\n");
        for between in ["", "\n", "\n\n"] {
            let mut kept = Kept::default();
            kept.add_notes("f", &format!("{between}{a}{between}{b}{between}{a}")).unwrap();
            assert_eq!(kept.notes("o/a").collect::<Vec<_>>(), [(a, "f"), (a, "f")]);
            assert_eq!(kept.notes("o/b").collect::<Vec<_>>(), [(b, "f")]);
            assert_eq!(kept.other_than(&["o/a".into()]), Some(("o/b", "f")));
        }
        let mut kept = Kept::default();
        assert_eq!(kept.add_notes("f", &format!("{a}\nnothing\n")), Err(NotesError(2)));
        assert_eq!(kept.add_notes("f", &"x".repeat(NOTE_BYTES_MAX)), Err(NotesError(1)));
    }

    #[test]
    fn a_note_that_was_cut_off_does_not_spoil_the_next() {
        let note = "keystead/org_a\n12\nAA==\n\n— keystead/org_a c2ln\n";
        let body = note.find('—').unwrap();
        for cut in (0..=body).filter(|cut| note.is_char_boundary(*cut)) {
            let mut kept = Kept::default();
            kept.add_notes("f", &format!("{note}\n{}\n{note}", &note[..cut])).unwrap();
            assert_eq!(kept.notes("keystead/org_a").collect::<Vec<_>>(), [(note, "f"), (note, "f")], "{cut}");
        }
    }
}
