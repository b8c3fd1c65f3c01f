//! The harness's own journal: what was asked of the server, and what it acknowledged.

use keystead_sdk::api::{CreatedKey, RotatedKey};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An administrative act on a key, by the name that the audit has for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    #[default]
    Create,
    Mint,
    Disable,
    Enable,
    Revoke,
    /// On the old key.
    Rotate,
    /// On the old key, whose end has come or was brought about.
    Complete,
    /// On both keys.
    Cancel,
    /// On the old key, whose end has begun.
    FirstUse,
    Delete,
}

impl Action {
    pub(crate) const ALL: [Self; 10] = [
        Self::Create,
        Self::Mint,
        Self::Disable,
        Self::Enable,
        Self::Revoke,
        Self::Rotate,
        Self::Complete,
        Self::Cancel,
        Self::FirstUse,
        Self::Delete,
    ];

    /// As the audit calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "key.create",
            Self::Mint => "key.mint",
            Self::Disable => "key.disable",
            Self::Enable => "key.enable",
            Self::Revoke => "key.revoke",
            Self::Rotate => "key.rotate",
            Self::Complete => "key.rotation.complete",
            Self::Cancel => "key.rotation.cancel",
            Self::FirstUse => "key.rotation.first_use",
            Self::Delete => "key.delete",
        }
    }

    /// Whether the server does it by itself, too.
    pub(crate) const fn comes_by_itself(self) -> bool {
        matches!(self, Self::Complete | Self::FirstUse)
    }
}

/// How often one action was asked for on one key since the last check.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    /// Before the last check, by the audit itself.
    pub(crate) settled: u64,
    /// The server said that it was done.
    pub(crate) acknowledged: u64,
    /// No answer came: it may be done or not.
    pub(crate) unknown: u64,
}

/// Credits, or a number of uses, as they must be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Credits {
    /// Once and for all.
    pub(crate) granted: u64,
    /// What the server had left at the last check, when nothing was leased.
    pub(crate) left: u64,
    /// Spent by answers that let a request pass, since the last check.
    pub(crate) accepted: u64,
    /// Asked for without an answer, since the last check.
    pub(crate) unknown: u64,
    /// Spent by all answers that ever came.
    pub(crate) accepted_ever: u64,
}

impl Credits {
    pub(crate) fn of(granted: u64) -> Self {
        Self { granted, left: granted, ..Self::default() }
    }

    /// Notes the answer to what was asked for; what is wrong with it.
    fn answered(&mut self, cost: u64, passed: bool) -> Option<String> {
        self.unknown -= cost;
        if passed {
            self.accepted += cost;
            self.accepted_ever += cost;
        }
        let Self { accepted_ever, granted, .. } = *self;
        (accepted_ever > granted).then(|| format!("{accepted_ever} were spent of {granted}"))
    }
}

/// What is known of one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// As people call it. Keys that it was rotated into are called the same.
    pub(crate) name: String,
    /// How it came to be.
    pub(crate) born: Action,
    /// `key_…`; unknown while nobody answered its creation.
    pub(crate) id: Option<String>,
    /// The key itself, where the answer arrived.
    pub(crate) key: Option<String>,
    /// Its tag, where it was made together with others.
    pub(crate) group: Option<String>,
    /// Whose credits it spends: the first key that it comes from.
    pub(crate) lineage: String,
    /// The key that it was minted from.
    pub(crate) parent: Option<String>,
    /// The key that it was rotated from.
    pub(crate) replaces: Option<String>,
    /// How many requests it may pass.
    pub(crate) uses: Option<Credits>,
    /// Keys that it was rotated into and that are purged.
    pub(crate) purged_successors: u64,
    /// Somebody rotates it now, or ends its rotation: of two at once, it would not be known which did what.
    pub(crate) is_busy: bool,
    /// It was said that it has ended.
    pub(crate) ended: bool,
    /// It passed since the last check.
    pub(crate) used: bool,
    pub(crate) asked: BTreeMap<Action, Asked>,
    /// The highest version that was acknowledged.
    pub(crate) version: i64,
    /// Its audit records, the oldest first.
    pub(crate) records: Vec<Record>,
}

/// What matters of an audit record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) action: String,
    /// The version that it led to; `None` where nothing changed, and of rotations.
    pub(crate) version: Option<i64>,
    pub(crate) after: Value,
}

impl Known {
    pub(crate) fn was_acknowledged(&self, action: Action) -> bool {
        self.asked.get(&action).is_some_and(|asked| asked.acknowledged + asked.settled > 0)
    }

    pub(crate) fn may_be(&self, action: Action) -> bool {
        self.was_acknowledged(action) || self.asked.get(&action).is_some_and(|asked| asked.unknown > 0)
    }

    /// Whether it was said since the last check that this was done.
    pub(crate) fn was_just_acknowledged(&self, action: Action) -> bool {
        self.asked.get(&action).is_some_and(|asked| asked.acknowledged > 0)
    }

    /// How often the audit has it.
    pub(crate) fn count(&self, action: Action) -> u64 {
        let told = self.records.iter().filter(|record| record.action == action.name()).count();
        u64::try_from(told).unwrap_or(u64::MAX)
    }

    /// Whether, by its audit, it was rotated, and that rotation was ended by nobody.
    pub(crate) fn is_being_rotated(&self) -> bool {
        self.count(Action::Rotate) > self.count(Action::Complete) + self.count(Action::Cancel)
    }
}

/// Everything that was asked. A key that was made is found by its name, which is the journal's own and
/// unique; one that another was rotated into by its id.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) keys: BTreeMap<String, Known>,
    /// What each lineage has left, by the label of its first key.
    pub(crate) credits: BTreeMap<String, Credits>,
    /// Keys that were asked for together: all of them are made, or none.
    pub(crate) batches: Vec<Vec<String>>,
    /// Ids of purged keys: nothing may be heard of them again.
    pub(crate) gone: BTreeSet<String>,
    /// What was seen while the server ran and must not be.
    pub(crate) findings: Vec<String>,
    /// Totals, for people.
    pub(crate) totals: Totals,
}

/// What a run did in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) acts: u64,
    pub(crate) rotations: u64,
    pub(crate) verifies: u64,
    pub(crate) unanswered: u64,
    pub(crate) credits_spent: u64,
    pub(crate) credits_forfeited: u64,
}

impl Journal {
    /// Where a key is found.
    pub(crate) fn label<'a>(&self, name: &'a str, id: &'a str) -> &'a str {
        let first = self.keys.get(name).filter(|known| known.id.as_deref().is_none_or(|first| first == id));
        if first.is_some() { name } else { id }
    }

    /// Notes that a key is asked for.
    pub(crate) fn expect(&mut self, name: &str, known: Known, granted: Option<u64>) {
        let born = known.born;
        let lineage = known.lineage.clone();
        self.keys.insert(name.to_owned(), Known { name: name.to_owned(), ..known });
        if let Some(granted) = granted {
            self.credits.insert(lineage, Credits::of(granted));
        }
        self.ask(name, born);
    }

    /// Takes a key whose rotation begins or ends; the key that it replaces, if it is still there.
    pub(crate) fn begin(&mut self, label: &str, rotates: bool) -> Option<String> {
        let known = self.keys.get_mut(label)?;
        known.is_busy |= rotates;
        known.replaces.clone().filter(|old| self.keys.contains_key(old))
    }

    /// Lets others come to it again.
    pub(crate) fn end(&mut self, label: &str, rotates: bool) {
        if let Some(known) = self.keys.get_mut(label).filter(|_| rotates) {
            known.is_busy = false;
        }
    }

    /// Notes that an act is asked for, before it is: a kill may come at any time from here on.
    pub(crate) fn ask(&mut self, label: &str, action: Action) {
        self.asked(label, action).unknown += 1;
    }

    /// Notes the answer that it was done, and the version that it led to.
    pub(crate) fn acknowledge(&mut self, label: &str, action: Action, version: i64) {
        self.totals.acts += 1;
        let asked = self.asked(label, action);
        (asked.unknown, asked.acknowledged) = (asked.unknown.saturating_sub(1), asked.acknowledged + 1);
        let known = self.keys.entry(label.to_owned()).or_default();
        known.version = known.version.max(version);
        known.ended |= matches!(action, Action::Revoke | Action::Complete);
    }

    /// Notes the answer that it was not done.
    pub(crate) fn refuse(&mut self, label: &str, action: Action) {
        self.asked(label, action).unknown -= 1;
    }

    /// Notes a key that was made.
    pub(crate) fn made(&mut self, label: &str, created: &CreatedKey) {
        let born = self.keys.get(label).map_or(Action::Create, |known| known.born);
        self.acknowledge(label, born, created.details.version);
        let known = self.keys.entry(label.to_owned()).or_default();
        (known.id, known.key) = (Some(created.details.id.clone()), Some(created.key.clone()));
    }

    /// Notes a key that took over.
    pub(crate) fn rotated(&mut self, old: &str, new: &RotatedKey) {
        self.totals.rotations += 1;
        self.acknowledge(old, Action::Rotate, 0);
        let id = new.created.details.id.clone();
        self.succeed(old, &id);
        self.made(&id, &new.created);
        let ended = new.rotation.ends_at.is_some_and(|end| end <= new.rotation.started_at);
        if let Some(known) = self.keys.get_mut(old) {
            known.ended |= ended;
        }
    }

    /// Enters the key that a rotation makes, not yet answered.
    pub(crate) fn succeed(&mut self, old: &str, id: &str) {
        let known = self.keys.get(old).cloned().unwrap_or_default();
        let Known { name, group, lineage, .. } = known;
        let new = Known {
            name,
            group,
            lineage,
            id: Some(id.to_owned()),
            replaces: Some(old.to_owned()),
            ..Known::default()
        };
        self.keys.insert(id.to_owned(), new);
        self.ask(id, Action::Create);
    }

    /// Notes that credits, and perhaps a use, are asked for.
    pub(crate) fn spend(&mut self, label: &str, cost: u64) {
        let Some(known) = self.keys.get_mut(label) else { return };
        if let Some(uses) = &mut known.uses {
            uses.unknown += 1;
        }
        if let Some(credits) = self.credits.get_mut(&known.lineage) {
            credits.unknown += cost;
        }
    }

    /// Notes the answer to that.
    pub(crate) fn spent(&mut self, label: &str, cost: u64, passed: bool) {
        self.totals.verifies += 1;
        let Some(known) = self.keys.get_mut(label) else { return };
        known.used |= passed;
        let wrong = known.uses.as_mut().and_then(|uses| uses.answered(1, passed));
        self.findings.extend(wrong.map(|wrong| format!("{label}: uses: {wrong}")));
        let Some(credits) = self.credits.get_mut(&known.lineage) else { return };
        let wrong = credits.answered(cost, passed);
        self.findings.extend(wrong.map(|wrong| format!("{}: credits: {wrong}", known.lineage)));
        self.totals.credits_spent += if passed { cost } else { 0 };
    }

    /// Whether it was said that a key has ended, or the one that it was minted from.
    pub(crate) fn has_ended(&self, label: &str) -> bool {
        let Some(known) = self.keys.get(label) else { return true };
        let parent = known.parent.as_ref().and_then(|parent| self.keys.get(parent));
        known.ended || parent.is_some_and(|parent| parent.ended)
    }

    /// Notes something that must not be.
    pub(crate) fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn asked(&mut self, label: &str, action: Action) -> &mut Asked {
        self.keys.entry(label.to_owned()).or_default().asked.entry(action).or_default()
    }
}
