//! The harness's own journal: what was asked of the server, and what it acknowledged.

use keystead_sdk::api::CreatedKey;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An administrative act on a key, by the name that the audit has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Create,
    Disable,
    Enable,
    Revoke,
    Delete,
}

impl Action {
    pub(crate) const ALL: [Self; 5] = [Self::Create, Self::Disable, Self::Enable, Self::Revoke, Self::Delete];

    /// As the audit calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "key.create",
            Self::Disable => "key.disable",
            Self::Enable => "key.enable",
            Self::Revoke => "key.revoke",
            Self::Delete => "key.delete",
        }
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

/// A key's credits as they must be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Credits {
    /// With the key, once and for all.
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

/// What is known of one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// `key_…`; unknown while nobody answered its creation.
    pub(crate) id: Option<String>,
    /// The key itself, where the answer arrived.
    pub(crate) key: Option<String>,
    pub(crate) credits: Option<Credits>,
    pub(crate) asked: BTreeMap<Action, Asked>,
    /// The highest version that was acknowledged.
    pub(crate) version: i64,
    /// Its audit records in the order of the versions that they led to.
    pub(crate) records: Vec<Record>,
}

/// What matters of an audit record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) action: String,
    /// The version that it led to; `None` where nothing changed.
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
}

/// Everything that was asked, by the key's name: names are the journal's own and unique.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) keys: BTreeMap<String, Known>,
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
    pub(crate) verifies: u64,
    pub(crate) unanswered: u64,
    pub(crate) credits_spent: u64,
    pub(crate) credits_forfeited: u64,
}

impl Journal {
    /// Notes that an act is asked for, before it is: a kill may come at any time from here on.
    pub(crate) fn ask(&mut self, name: &str, action: Action) {
        self.asked(name, action).unknown += 1;
    }

    /// Notes the answer that it was done, and the version that it led to.
    pub(crate) fn acknowledge(&mut self, name: &str, action: Action, version: i64) {
        self.totals.acts += 1;
        let asked = self.asked(name, action);
        (asked.unknown, asked.acknowledged) = (asked.unknown - 1, asked.acknowledged + 1);
        let known = self.keys.entry(name.to_owned()).or_default();
        known.version = known.version.max(version);
    }

    /// Notes the answer that it was not done.
    pub(crate) fn refuse(&mut self, name: &str, action: Action) {
        self.asked(name, action).unknown -= 1;
    }

    /// Notes a key that was made.
    pub(crate) fn made(&mut self, name: &str, created: &CreatedKey) {
        self.acknowledge(name, Action::Create, created.details.version);
        let known = self.keys.entry(name.to_owned()).or_default();
        (known.id, known.key) = (Some(created.details.id.clone()), Some(created.key.clone()));
    }

    /// Notes that credits are asked for.
    pub(crate) fn spend(&mut self, name: &str, cost: u64) {
        if let Some(credits) = self.credits(name) {
            credits.unknown += cost;
        }
    }

    /// Notes the answer to that.
    pub(crate) fn spent(&mut self, name: &str, cost: u64, passed: bool) {
        self.totals.verifies += 1;
        let Some(credits) = self.credits(name) else { return };
        credits.unknown -= cost;
        if passed {
            credits.accepted += cost;
            credits.accepted_ever += cost;
            let Credits { accepted_ever, granted, .. } = *credits;
            self.totals.credits_spent += cost;
            if accepted_ever > granted {
                self.findings.push(format!("{name}: {accepted_ever} credits were spent of {granted}"));
            }
        }
    }

    /// Notes something that must not be.
    pub(crate) fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn asked(&mut self, name: &str, action: Action) -> &mut Asked {
        self.keys.entry(name.to_owned()).or_default().asked.entry(action).or_default()
    }

    fn credits(&mut self, name: &str) -> Option<&mut Credits> {
        self.keys.get_mut(name)?.credits.as_mut()
    }
}
