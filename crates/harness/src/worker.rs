//! One of those who use the server while it is about to be killed.

use crate::chance::Chance;
use crate::journal::{Action, Journal, Known};
use keystead_sdk::api::{Code, CreateKey, CreatedKey, CreditsSpec, Refill, RevokeKey, Verification, Verify};
use keystead_sdk::{Client, Error};
use parking_lot::Mutex;
use std::sync::Arc;

/// Where the keys are.
pub(crate) const PROJECT: &str = "harness";
/// Its one environment.
pub(crate) const ENVIRONMENT: &str = "production";
/// The most that one verification takes.
pub(crate) const COST_MAX: u64 = 3;
/// Keys that are kept; beyond that, old ones are revoked and purged instead of new ones made.
const KEYS_MAX: usize = 400;

/// Who asks, and draws what to ask.
pub(crate) struct Worker {
    pub(crate) client: Client,
    pub(crate) journal: Arc<Mutex<Journal>>,
    pub(crate) chance: Chance,
    /// Begins the names of all groups of this round.
    pub(crate) round: String,
    /// Unique in the run: begins the names of the keys that it makes.
    pub(crate) name: String,
    pub(crate) made: u64,
    /// Keys that it made together, and alone acts on together.
    pub(crate) groups: Vec<String>,
}

/// A key that was picked to do something with.
pub(crate) struct Picked {
    pub(crate) label: String,
    pub(crate) id: String,
    pub(crate) key: Option<String>,
}

/// The server is gone.
pub(crate) struct Gone;

impl Worker {
    /// Works until the server does not answer any more.
    pub(crate) async fn work(mut self) {
        while self.one().await.is_ok() {}
    }

    async fn one(&mut self) -> Result<(), Gone> {
        let full = self.journal.lock().keys.len() >= KEYS_MAX;
        match self.chance.below(100) {
            0..14 if !full => self.create().await,
            14..18 if !full => self.batch().await,
            18..24 if !full => self.mint().await,
            24..32 if !full => self.rotate().await,
            0..16 => self.turn(Action::Delete).await,
            16..36 => self.turn(Action::Revoke).await,
            36..40 => self.turn(Action::Disable).await,
            40..45 => self.turn(Action::Enable).await,
            45..50 => self.turn(Action::Complete).await,
            50..54 => self.turn(Action::Cancel).await,
            54..58 => self.bulk(full).await,
            58..62 => self.turn(Action::Delete).await,
            _ => self.verify().await,
        }
    }

    /// A name that no other key of the run has.
    pub(crate) fn next_name(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", self.name, self.made)
    }

    async fn create(&mut self) -> Result<(), Gone> {
        let name = self.next_name();
        let granted = self.chance.once_in(2).then(|| 1 + self.chance.below(300));
        let known = Known { lineage: name.clone(), ..Known::default() };
        self.journal.lock().expect(&name, known, granted);
        match create(&self.client, &name, granted).await {
            Ok(created) => self.journal.lock().made(&name, &created),
            Err(error) => self.failed(&[(&name, Action::Create)], &error)?,
        }
        Ok(())
    }

    async fn turn(&mut self, action: Action) -> Result<(), Gone> {
        let round = self.round.clone();
        let fits = |known: &Known| match action {
            // Only what was acknowledged to be revoked can be purged.
            Action::Delete => known.was_acknowledged(Action::Revoke) && !known.may_be(Action::Delete),
            Action::Complete | Action::Cancel => {
                known.replaces.is_some()
                    && ![Action::Revoke, Action::Cancel, Action::Rotate]
                        .iter()
                        .any(|action| known.may_be(*action))
                    && free(known, &round)
            }
            _ => !known.may_be(Action::Revoke),
        };
        let Some(Picked { label, id, .. }) = self.pick(fits) else { return Ok(()) };
        // A rotation is ended by either of its keys, and on record at the old one, or at both.
        let ends = matches!(action, Action::Complete | Action::Cancel);
        let old = self.journal.lock().begin(&label, ends);
        let on: Vec<(&str, Action)> = match (action, &old) {
            (Action::Complete, Some(old)) => vec![(old, action)],
            (Action::Cancel, Some(old)) => vec![(old, action), (&label, action)],
            (Action::Complete | Action::Cancel, None) => return Ok(()),
            _ => vec![(&label, action)],
        };
        on.iter().for_each(|(label, action)| self.journal.lock().ask(label, *action));
        let reason = format!("asked by {}", self.name);
        let done = match action {
            Action::Disable => self.client.disable_key(&id).await.map(|key| key.version),
            Action::Enable => self.client.enable_key(&id).await.map(|key| key.version),
            Action::Revoke => self.client.revoke_key(&id, &RevokeKey { reason }).await.map(|key| key.version),
            Action::Complete => self.client.complete_rotation(&id).await.map(|_| 0),
            Action::Cancel => self.client.cancel_rotation(&id).await.map(|_| 0),
            _ => self.client.delete_key(&id, None).await.map(|()| 0),
        };
        match done {
            Ok(version) => {
                let mut journal = self.journal.lock();
                on.iter().for_each(|(label, action)| journal.acknowledge(label, *action, version));
                if let Some(new) = journal.keys.get_mut(&label).filter(|_| action == Action::Cancel) {
                    new.ended = true;
                }
            }
            Err(error) => self.failed(&on, &error)?,
        }
        self.journal.lock().end(&label, ends);
        Ok(())
    }

    async fn verify(&mut self) -> Result<(), Gone> {
        let Some(Picked { label, key: Some(key), .. }) = self.pick(|known| known.key.is_some()) else {
            return Ok(());
        };
        let cost = 1 + self.chance.below(COST_MAX);
        let dead = {
            let mut journal = self.journal.lock();
            journal.spend(&label, cost);
            journal.has_ended(&label)
        };
        match self.client.verify(&ask(key, cost)).await {
            Ok(verdict) => self.heard(&label, cost, dead, &verdict),
            Err(error) if is_unknown(&error) => {
                self.journal.lock().totals.unanswered += 1;
                return Err(Gone);
            }
            Err(error) => self.journal.lock().find(format!("{label}: verify was refused: {error}")),
        }
        Ok(())
    }

    fn heard(&self, label: &str, cost: u64, dead: bool, verdict: &Verification) {
        let mut journal = self.journal.lock();
        journal.spent(label, cost, verdict.valid);
        // Asked after its end was acknowledged: LESSONS 1.
        if dead && !matches!(verdict.code, Code::Revoked | Code::Expired | Code::Disabled | Code::NotFound) {
            journal.find(format!("{label}: had ended, and then was answered {}", verdict.code));
        }
    }

    pub(crate) fn pick(&mut self, fits: impl Fn(&Known) -> bool) -> Option<Picked> {
        let journal = self.journal.lock();
        let fitting: Vec<(&String, &Known)> =
            journal.keys.iter().filter(|(_, known)| known.id.is_some() && fits(known)).collect();
        let (label, known) = self.chance.one_of(&fitting)?;
        Some(Picked { label: (*label).clone(), id: known.id.clone()?, key: known.key.clone() })
    }

    /// Notes that these acts, asked for together, were refused, or that nobody knows.
    pub(crate) fn failed(&self, acts: &[(&str, Action)], error: &Error) -> Result<(), Gone> {
        let mut journal = self.journal.lock();
        if is_unknown(error) {
            journal.totals.unanswered += 1;
            return Err(Gone);
        }
        for (label, action) in acts {
            journal.refuse(label, *action);
            // Another worker came first: it is revoked, rotated or purged. Who mints with such a key is no caller.
            let is_late = matches!(error.status(), Some(404 | 409));
            let no_caller = *action == Action::Mint && matches!(error.status(), Some(401 | 403));
            if !is_late && !no_caller {
                journal.find(format!("{label}: {} was refused: {error}", action.name()));
            }
        }
        Ok(())
    }
}

/// Whether nobody else is at its rotation. Who acts on a group alone knows which keys are in it.
pub(crate) fn free(known: &Known, round: &str) -> bool {
    !known.is_busy && known.group.as_ref().is_none_or(|group| !group.starts_with(round))
}

/// Makes a key; called again with the same, it is the same call, and done once.
pub(crate) async fn create(client: &Client, name: &str, granted: Option<u64>) -> Result<CreatedKey, Error> {
    client.with_idempotency_key(name).create_key(PROJECT, &new_key(name, granted)).await
}

/// What a key is asked for with.
pub(crate) fn new_key(name: &str, granted: Option<u64>) -> CreateKey {
    let credits = granted.map(|remaining| CreditsSpec { remaining, refill: Refill::None, amount: None });
    CreateKey { name: name.to_owned(), environment: ENVIRONMENT.to_owned(), credits, ..CreateKey::default() }
}

/// A verification of a key.
pub(crate) fn ask(key: String, cost: u64) -> Verify {
    Verify {
        key,
        project: Some(PROJECT.to_owned()),
        environment: Some(ENVIRONMENT.to_owned()),
        cost: Some(cost),
        ..Verify::default()
    }
}

/// Whether what was asked may be done or not: no answer came, or that it cannot be said.
fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::Timeout { .. }) || error.status() == Some(503)
}
