//! One of those who use the server while it is about to be killed.

use crate::chance::Chance;
use crate::journal::{Action, Credits, Journal, Known};
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
    /// Unique in the run: begins the names of the keys that it makes.
    pub(crate) name: String,
    pub(crate) made: u64,
}

/// A key that was picked to do something with.
struct Picked {
    name: String,
    id: String,
    key: Option<String>,
}

/// The server is gone.
struct Gone;

impl Worker {
    /// Works until the server does not answer any more.
    pub(crate) async fn work(mut self) {
        while self.one().await.is_ok() {}
    }

    async fn one(&mut self) -> Result<(), Gone> {
        let full = self.journal.lock().keys.len() >= KEYS_MAX;
        match self.chance.below(100) {
            0..25 if !full => self.create().await,
            0..12 => self.turn(Action::Delete).await,
            12..37 => self.turn(Action::Revoke).await,
            37..45 => self.turn(Action::Disable).await,
            45..55 => self.turn(Action::Enable).await,
            55..60 => self.turn(Action::Delete).await,
            _ => self.verify().await,
        }
    }

    async fn create(&mut self) -> Result<(), Gone> {
        self.made += 1;
        let name = format!("{}-{}", self.name, self.made);
        let granted = self.chance.once_in(2).then(|| 1 + self.chance.below(300));
        let credits = granted.map(|granted| Credits { granted, left: granted, ..Credits::default() });
        {
            let mut journal = self.journal.lock();
            journal.keys.insert(name.clone(), Known { credits, ..Known::default() });
            journal.ask(&name, Action::Create);
        }
        match create(&self.client, &name, granted).await {
            Ok(created) => self.journal.lock().made(&name, &created),
            Err(error) => self.failed(&name, Action::Create, &error)?,
        }
        Ok(())
    }

    async fn turn(&mut self, action: Action) -> Result<(), Gone> {
        // Only what was acknowledged to be revoked can be purged; switching needs one that is not.
        let fits = |known: &Known| match action {
            Action::Delete => known.was_acknowledged(Action::Revoke) && !known.may_be(Action::Delete),
            _ => !known.may_be(Action::Revoke),
        };
        let Some(Picked { name, id, .. }) = self.pick(fits) else { return Ok(()) };
        self.journal.lock().ask(&name, action);
        let reason = format!("asked by {}", self.name);
        let done = match action {
            Action::Disable => self.client.disable_key(&id).await.map(|key| key.version),
            Action::Enable => self.client.enable_key(&id).await.map(|key| key.version),
            Action::Revoke => self.client.revoke_key(&id, &RevokeKey { reason }).await.map(|key| key.version),
            Action::Delete | Action::Create => self.client.delete_key(&id, None).await.map(|()| 0),
        };
        match done {
            Ok(version) => self.journal.lock().acknowledge(&name, action, version),
            Err(error) => self.failed(&name, action, &error)?,
        }
        Ok(())
    }

    async fn verify(&mut self) -> Result<(), Gone> {
        let Some(Picked { name, key: Some(key), .. }) = self.pick(|known| known.key.is_some()) else {
            return Ok(());
        };
        let cost = 1 + self.chance.below(COST_MAX);
        let dead = {
            let mut journal = self.journal.lock();
            journal.spend(&name, cost);
            journal.keys.get(&name).is_none_or(|known| known.was_acknowledged(Action::Revoke))
        };
        match self.client.verify(&ask(key, cost)).await {
            Ok(verdict) => self.heard(&name, cost, dead, &verdict),
            Err(error) if is_unknown(&error) => {
                self.journal.lock().totals.unanswered += 1;
                return Err(Gone);
            }
            Err(error) => self.journal.lock().find(format!("{name}: verify was refused: {error}")),
        }
        Ok(())
    }

    fn heard(&self, name: &str, cost: u64, dead: bool, verdict: &Verification) {
        let mut journal = self.journal.lock();
        journal.spent(name, cost, verdict.valid);
        // Asked after the revocation was acknowledged: LESSONS 1.
        if dead && !matches!(verdict.code, Code::Revoked | Code::NotFound) {
            journal.find(format!("{name}: revoked, and then answered {}", verdict.code));
        }
    }

    fn pick(&mut self, fits: impl Fn(&Known) -> bool) -> Option<Picked> {
        let journal = self.journal.lock();
        let fitting: Vec<(&String, &Known)> =
            journal.keys.iter().filter(|(_, known)| known.id.is_some() && fits(known)).collect();
        let (name, known) = self.chance.one_of(&fitting)?;
        Some(Picked { name: (*name).clone(), id: known.id.clone()?, key: known.key.clone() })
    }

    fn failed(&self, name: &str, action: Action, error: &Error) -> Result<(), Gone> {
        let mut journal = self.journal.lock();
        if is_unknown(error) {
            journal.totals.unanswered += 1;
            return Err(Gone);
        }
        journal.refuse(name, action);
        // Another worker came first: it is revoked, or purged.
        if !matches!(error.status(), Some(404 | 409)) {
            journal.find(format!("{name}: {} was refused: {error}", action.name()));
        }
        Ok(())
    }
}

/// Makes a key; called again with the same, it is the same call, and done once.
pub(crate) async fn create(client: &Client, name: &str, granted: Option<u64>) -> Result<CreatedKey, Error> {
    let credits = granted.map(|remaining| CreditsSpec { remaining, refill: Refill::None, amount: None });
    let environment = ENVIRONMENT.to_owned();
    let new = CreateKey { name: name.to_owned(), environment, credits, ..CreateKey::default() };
    client.with_idempotency_key(name).create_key(PROJECT, &new).await
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
