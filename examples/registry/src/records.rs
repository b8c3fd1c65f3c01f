//! What the registry knows, in memory. Nothing changes without a line that says who changed it.

use crate::changes::{CHANGES_MAX, Change};
use crate::guard::Admitted;
use crate::problem::Problem;
use anyhow::{Context, Result};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The registry.
#[derive(Clone)]
pub(crate) struct Registry {
    records: Arc<Mutex<Records>>,
    now: fn() -> Timestamp,
}

/// Everything, by its id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Records {
    pub(crate) organizations: BTreeMap<String, Organization>,
    /// The teams that can be written to, by shared addresses: nobody's own is shown.
    pub(crate) contacts: BTreeMap<String, Contact>,
    pub(crate) networks: BTreeMap<String, Network>,
    /// The latest last.
    #[serde(skip)]
    pub(crate) changes: VecDeque<Change>,
}

/// Who holds networks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Organization {
    pub(crate) name: String,
    pub(crate) country: String,
}

/// A point of contact.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contact {
    pub(crate) purpose: String,
    pub(crate) email: String,
}

/// A range of addresses, with what is said of it in routing and in the reverse DNS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) organization: String,
    /// By prefix, `-` in the place of `/`: `203.0.113.0-24`.
    #[serde(default)]
    pub(crate) routes: BTreeMap<String, Route>,
    /// By name: `113.0.203.in-addr.arpa`.
    #[serde(default)]
    pub(crate) zones: BTreeMap<String, Zone>,
}

/// Which autonomous system may announce a prefix.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    pub(crate) origin: u32,
}

/// Who answers for a reverse zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zone {
    pub(crate) name_servers: Vec<String>,
}

impl Registry {
    /// With a few organizations and networks; their addresses are those for documentation (RFC 5737, RFC 3849).
    pub(crate) fn with_examples(now: fn() -> Timestamp) -> Result<Self> {
        let records = serde_json::from_str(include_str!("examples.json")).context("examples.json")?;
        Ok(Self { records: Arc::new(Mutex::new(records)), now })
    }

    /// Looks at the records.
    pub(crate) fn see<T>(&self, look: impl FnOnce(&Records) -> T) -> T {
        look(&self.records.lock())
    }

    /// Changes the records, and notes who did. What refuses must not have changed anything.
    pub(crate) fn change<T>(
        &self,
        by: Admitted,
        act: impl FnOnce(&mut Records) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut records = self.records.lock();
        let done = act(&mut records)?;
        let at = (self.now)();
        if records.changes.len() == CHANGES_MAX {
            records.changes.pop_front();
        }
        records.changes.push_back(Change::new(by, at));
        Ok(done)
    }
}

impl Records {
    pub(crate) fn network(&self, id: &str) -> Result<&Network, Problem> {
        self.networks.get(id).ok_or_else(|| Problem::not_found("no such network"))
    }

    pub(crate) fn network_mut(&mut self, id: &str) -> Result<&mut Network, Problem> {
        self.networks.get_mut(id).ok_or_else(|| Problem::not_found("no such network"))
    }
}
