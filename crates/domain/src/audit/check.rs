//! The check of an organization's records, one after the other, against their leaves and against checkpoints;
//! it ends at the first that does not fit.

use super::checkpoint::Checkpoint;
use super::deletion;
use super::record::{SALT_LEN, leaf};
use super::tree::{Hash, Tree};

/// A record, or what retention left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 0.
    pub position: u64,
    /// The leaf that stands for it.
    pub leaf: Hash,
    /// Its id, salt and text; `None` once it was deleted as planned.
    pub record: Option<Written>,
}

/// What is left of a record as long as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub id: String,
    /// Its salt.
    pub salt: [u8; SALT_LEN],
    /// Its text.
    pub text: String,
}

/// A checkpoint, and where it was found, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What the tree was.
    pub checkpoint: Checkpoint,
    /// `the database`, or a file's name.
    pub from: String,
    /// Whether somebody signed it: what nobody signed vouches for nothing, and must fit all the same.
    pub signed: bool,
}

/// The first thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Records are not there.
    #[error("record {position} is missing: the next one there is {next}")]
    Removed {
        /// The first that is missing.
        position: u64,
        /// The one that comes instead.
        next: u64,
    },
    /// A place is taken twice.
    #[error("record {position} is there twice, or out of order")]
    Twice {
        /// Which place.
        position: u64,
    },
    /// A record's text is not what its leaf was made of.
    #[error("record {position} ({id}) is not what was recorded: it was changed, moved or inserted")]
    Changed {
        /// Its place.
        position: u64,
        /// Its id.
        id: String,
    },
    /// Only its leaf is there, though retention begins with the oldest.
    #[error("record {position} was deleted, and not by retention: one before it is still there")]
    Deleted {
        /// Its place.
        position: u64,
    },
    /// The oldest are not there, and no record that is says that retention deleted them.
    #[error(
        "the records before {deleted} were deleted, and not by retention: that has deleted those before {said}"
    )]
    NotRetention {
        /// How many are not there.
        deleted: u64,
        /// How many of them retention has deleted, by its own records.
        said: u64,
    },
    /// It is not what a record looks like.
    #[error("record {position} cannot be read: it was changed, or the database is damaged")]
    Unreadable {
        /// Its place, or one before it.
        position: u64,
    },
    /// Records and leaves were made anew, so that they fit each other, but not a checkpoint.
    #[error(
        "the records from {first} to {last} are not those of the checkpoint of {size} records (from {from}): \
         at least one of them was changed, moved, inserted or removed"
    )]
    Rewritten {
        /// The first that no checkpoint before vouches for.
        first: u64,
        /// The last that this checkpoint vouches for.
        last: u64,
        /// The checkpoint's size.
        size: u64,
        /// Where the checkpoint was found.
        from: String,
    },
    /// The end is not there.
    #[error("the records from {have} on are missing: the checkpoint from {from} has {size} of them")]
    Truncated {
        /// How many there are.
        have: u64,
        /// How many there were.
        size: u64,
        /// Where the checkpoint was found.
        from: String,
    },
}

/// What was found of records that fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// How many records were read and fit.
    pub records: u64,
    /// How many of them retention had deleted: their leaves fit.
    pub deleted: u64,
    /// How many checkpoints they fit.
    pub checkpoints: u64,
    /// The first so many records are vouched for by a checkpoint.
    pub vouched: u64,
}

/// A check under way.
#[derive(Debug)]
pub struct Check {
    tree: Tree,
    /// The largest first: the next one is the last.
    held: Vec<Held>,
    found: Found,
    /// Retention has deleted the records before this place, by its own records.
    said: u64,
}

impl Check {
    /// Of records against these checkpoints.
    #[must_use]
    pub fn new(mut held: Vec<Held>) -> Self {
        held.sort_by_key(|held| std::cmp::Reverse(held.checkpoint.size));
        Self { tree: Tree::default(), held, found: Found::default(), said: 0 }
    }

    /// The next record, in the order of their places.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Fault> {
        self.meet()?;
        let (position, expected) = (entry.position, self.tree.size());
        if position > expected {
            return Err(Fault::Removed { position: expected, next: position });
        }
        if position < expected {
            return Err(Fault::Twice { position });
        }
        match &entry.record {
            None if self.found.deleted < position => return Err(Fault::Deleted { position }),
            None => self.found.deleted += 1,
            Some(Written { id, salt, text }) => {
                if leaf(salt, text) != entry.leaf {
                    return Err(Fault::Changed { position, id: id.clone() });
                }
                self.hear(text);
            }
        }
        self.tree.add(&entry.leaf);
        self.found.records += 1;
        self.meet()
    }

    /// What a record says of others, by its text: also one that has no place yet.
    pub fn hear(&mut self, text: &str) {
        self.said = self.said.max(deletion::before_position(text).unwrap_or_default());
    }

    /// The next record is not what a record looks like.
    #[must_use]
    pub const fn unreadable(&self) -> Fault {
        Fault::Unreadable { position: self.tree.size() }
    }

    /// That was the last one.
    ///
    /// # Errors
    /// When a checkpoint has more, or more are deleted than retention has.
    pub fn end(mut self) -> Result<Found, Fault> {
        self.meet()?;
        if let Some(Held { checkpoint, from, .. }) = self.held.pop() {
            return Err(Fault::Truncated { have: self.tree.size(), size: checkpoint.size, from });
        }
        if self.found.deleted > self.said {
            return Err(Fault::NotRetention { deleted: self.found.deleted, said: self.said });
        }
        Ok(self.found)
    }

    /// The checkpoints of just so many records.
    fn meet(&mut self) -> Result<(), Fault> {
        let size = self.tree.size();
        while let Some(Held { checkpoint, from, signed }) =
            self.held.pop_if(|held| held.checkpoint.size == size)
        {
            if checkpoint.root != self.tree.root() {
                let last = size.saturating_sub(1);
                return Err(Fault::Rewritten { first: self.found.vouched.min(last), last, size, from });
            }
            if signed {
                self.found.checkpoints += 1;
                self.found.vouched = size;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(position: u64, text: &str) -> Entry {
        let (salt, text) = ([9; SALT_LEN], format!("{position} {text}"));
        let written = Written { id: format!("aud_{position}"), salt, text: text.clone() };
        Entry { position, leaf: leaf(&salt, &text), record: Some(written) }
    }

    /// The record of a deletion.
    fn said(position: u64, before_position: u64) -> Entry {
        let deletion = deletion::Deletion { deleted: 1, before_position };
        let before = serde_json::to_string(&deletion).unwrap();
        let text = format!(r#"{{"actor_kind":"server","action":"audit.delete_old","before":{before}}}"#);
        let salt = [9; SALT_LEN];
        let leaf = leaf(&salt, &text);
        Entry { position, leaf, record: Some(Written { id: "aud_x".into(), salt, text }) }
    }

    fn entries(texts: &[&str]) -> Vec<Entry> {
        texts.iter().zip(0..).map(|(text, position)| entry(position, text)).collect()
    }

    fn held(entries: &[Entry], size: usize) -> Held {
        let mut tree = Tree::default();
        entries[..size].iter().for_each(|entry| tree.add(&entry.leaf));
        let checkpoint = Checkpoint { origin: "o".into(), size: tree.size(), root: tree.root() };
        Held { checkpoint, from: "a file".into(), signed: true }
    }

    fn check(entries: &[Entry], held: &[Held]) -> Result<Found, Fault> {
        let mut check = Check::new(held.to_vec());
        entries.iter().try_for_each(|entry| check.add(entry))?;
        check.end()
    }

    #[test]
    fn each_way_of_tampering_is_told_at_the_first_record() {
        let whole = entries(&["a", "b", "c", "d", "e", "f"]);
        let unsigned = Held { signed: false, ..held(&whole, 6) };
        let known = [held(&whole, 0), held(&whole, 2), held(&whole, 5)];
        let found = Found { records: 6, deleted: 0, checkpoints: 3, vouched: 5 };
        assert_eq!(check(&whole, &known), Ok(found.clone()));
        assert_eq!(check(&whole, &[&known[..], std::slice::from_ref(&unsigned)].concat()), Ok(found.clone()));
        assert!(matches!(check(&whole[..5], &[unsigned]), Err(Fault::Truncated { .. })));

        let mut removed = whole.clone();
        removed.remove(3);
        assert_eq!(check(&removed, &known), Err(Fault::Removed { position: 3, next: 4 }));

        let mut changed = whole.clone();
        changed[1].record.as_mut().unwrap().text = "1 B".into();
        assert_eq!(check(&changed, &known), Err(Fault::Changed { position: 1, id: "aud_1".into() }));

        let mut moved = whole.clone();
        moved.swap(2, 3);
        assert_eq!(check(&moved, &known), Err(Fault::Removed { position: 2, next: 3 }));
        let mut twice = whole.clone();
        twice.insert(1, whole[0].clone());
        assert_eq!(check(&twice, &known), Err(Fault::Twice { position: 0 }));

        assert_eq!(
            check(&whole[..4], &known),
            Err(Fault::Truncated { have: 4, size: 5, from: "a file".into() })
        );

        // Who changes a record and makes its leaf anew is found by the checkpoint.
        let rewritten = entries(&["a", "b", "X", "d", "e", "f"]);
        let fault = Fault::Rewritten { first: 2, last: 4, size: 5, from: "a file".into() };
        assert_eq!(check(&rewritten, &known), Err(fault));
        // Nobody vouches for what came after the last one.
        assert_eq!(check(&entries(&["a", "b", "c", "d", "e", "X"]), &known), Ok(found));
    }

    #[test]
    fn what_retention_deleted_still_fits_and_a_false_leaf_does_not() {
        let mut whole = entries(&["a", "b", "c", "d"]);
        whole[3] = said(3, 2);
        let known = [held(&whole, 4)];
        whole[0].record = None;
        whole[1].record = None;
        let found = Found { records: 4, deleted: 2, checkpoints: 1, vouched: 4 };
        assert_eq!(check(&whole, &known), Ok(found));
        // Somebody deleted one more.
        let mut imitated = whole.clone();
        imitated[2].record = None;
        assert_eq!(check(&imitated, &known), Err(Fault::NotRetention { deleted: 3, said: 2 }));
        // Retention did, and what says so has no place yet.
        let mut waits = Check::new(known.to_vec());
        imitated.iter().try_for_each(|entry| waits.add(entry)).unwrap();
        waits.hear(&said(4, 3).record.unwrap().text);
        assert_eq!(waits.end().unwrap().deleted, 3);
        let mut hole = whole.clone();
        hole[0] = entry(0, "a");
        assert_eq!(check(&hole, &known), Err(Fault::Deleted { position: 1 }));
        whole[1].leaf = [0; 32];
        let fault = Fault::Rewritten { first: 0, last: 3, size: 4, from: "a file".into() };
        assert_eq!(check(&whole, &known), Err(fault));
    }
}
