//! The first use of a key that was imported with a slow digest (bcrypt, argon2id): computed off the
//! threads that serve, a few at a time, within a budget for each key.

use crate::Keystead;
use crate::keyring::Scope;
use crate::keyring::imports::CANDIDATES_MAX;
use crate::refused::Refused;
use keystead_api::{Code, KeyStatus};
use keystead_domain::entry::Entry;
use keystead_domain::foreign::ForeignToken;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::seal::RootKey;
use keystead_domain::slow_digest::SlowDigest;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Change, ChangeKind};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Slow digests computed at once: half of two cores, whoever asks.
const AT_ONCE: usize = 1;
/// How long a token waits for its turn.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(2);
/// Tokens that are tried against one key in a minute.
const TRIES_MAX: u32 = 30;
const MINUTE: i64 = 60 * SECOND;

/// What checking slow digests may cost.
#[derive(Debug)]
pub(crate) struct SlowBudget {
    turns: Arc<Semaphore>,
    /// [`WAIT_MAX`], but in tests, which may run on anything.
    wait_max: Duration,
    /// When each key's minute began, and its tries since: no more keys than have slow digests.
    tries: Mutex<HashMap<KeyId, (Micros, u32)>>,
}

impl SlowBudget {
    pub(crate) fn new(wait_max: Duration) -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), wait_max, tries: Mutex::default() }
    }

    /// Whether another token may be tried against a key; `takes` tries it.
    fn allows(&self, key: KeyId, takes: u32, now: Micros) -> bool {
        let mut tries = self.tries.lock();
        let (begun, count) = tries.entry(key).or_insert((now, 0));
        // A clock that stepped back begins a new minute as well.
        if now.0 < begun.0 || now.0 - begun.0 >= MINUTE {
            (*begun, *count) = (now, 0);
        }
        let allows = *count < TRIES_MAX;
        *count = count.saturating_add(takes);
        allows
    }
}

/// What came of trying a token against slow digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It is one of these keys', which is upgraded: look again.
    Found,
    /// It is none of them.
    Unknown,
    /// The budget is used up: nobody can know now.
    Busy,
}

impl Keystead {
    /// Where a sealed slow digest belongs.
    pub(crate) fn verifier_place(id: KeyId) -> String {
        format!("imports/{id}/verifier")
    }

    /// What seals slow digests.
    pub(crate) fn imports_seal(&self) -> Result<RootKey, Refused> {
        let pepper = self.keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        RootKey::new(&pepper.imports_key()).ok_or_else(|| Refused::Internal("a key that is none".into()))
    }

    /// Tries a token that nothing else knows against the slow digests that it may belong to.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub(crate) async fn try_slow(self: &Arc<Self>, scope: &Scope, text: &str) -> Result<Tried, Refused> {
        let (Scope::Within { organization, .. }, Some(token)) = (scope, ForeignToken::new(text)) else {
            return Ok(Tried::Unknown);
        };
        for id in self.slow_candidates(scope, *organization, token) {
            if !self.slow_budget.allows(id, 0, self.clock.now()) {
                return Ok(Tried::Busy);
            }
            let turn = Arc::clone(&self.slow_budget.turns).acquire_owned();
            let turn = tokio::time::timeout(self.slow_budget.wait_max, turn).await;
            let Ok(Ok(turn)) = turn else { return Ok(Tried::Busy) };
            // Of many first uses at once, one computes it and the others find what it found.
            if self.keyring.find(scope, text, self.clock.now()).is_ok() {
                return Ok(Tried::Found);
            }
            if !self.slow_budget.allows(id, 1, self.clock.now()) {
                return Ok(Tried::Busy);
            }
            let Some(digest) = self.slow_digest(*organization, id).await? else {
                // Another node has upgraded it, and this one has not heard of it yet.
                self.apply_one(&Change::new(*organization, ChangeKind::Key, id.as_bytes())).await?;
                continue;
            };
            let copy = Zeroizing::new(text.to_owned());
            let computed = tokio::task::spawn_blocking(move || {
                let matches = ForeignToken::new(&copy).is_some_and(|token| digest.is_of(token));
                // Held to the end, also when the asker has gone: the core is still busy.
                (matches, turn)
            });
            // And until it is known: whoever waits must not compute it again.
            let Ok((matches, _turn)) = computed.await else { continue };
            if matches && let Some(upgrade) = self.keyring.upgrade_of(*organization, id, token) {
                self.upgrade_import(id, upgrade).await?;
                return Ok(Tried::Found);
            }
        }
        // It may have been upgraded between the two looks.
        let known = self.keyring.find(scope, text, self.clock.now()).is_ok();
        Ok(if known { Tried::Found } else { Tried::Unknown })
    }

    /// The key that a token is, also one whose slow digest must be computed first.
    ///
    /// # Errors
    /// As [`crate::keyring::Keyring::find`]; `unavailable` also when the database cannot answer.
    pub(crate) async fn find_any(self: &Arc<Self>, scope: &Scope, text: &str) -> Result<Entry, Code> {
        Box::pin(self.seek(text)).await;
        let code = match self.keyring.find(scope, text, self.clock.now()) {
            Err(code @ (Code::Malformed | Code::NotFound)) => code,
            found => return found,
        };
        Box::pin(self.find_slow(scope, text, code)).await
    }

    /// The key that a token is, of which nothing at hand knows any; `code` when it is none.
    ///
    /// # Errors
    /// With `code`; with `unavailable` when nobody can know now.
    pub(crate) async fn find_slow(
        self: &Arc<Self>,
        scope: &Scope,
        text: &str,
        code: Code,
    ) -> Result<Entry, Code> {
        match self.try_slow(scope, text).await {
            Ok(Tried::Found) => self.keyring.find(scope, text, self.clock.now()),
            Ok(Tried::Unknown) => Err(code),
            Ok(Tried::Busy) | Err(_) => Err(Code::Unavailable),
        }
    }

    /// The keys that a token is tried against: those whose beginning says most of it first, and what has
    /// ended only where there is room.
    fn slow_candidates(
        &self,
        scope: &Scope,
        organization: OrganizationId,
        token: ForeignToken<'_>,
    ) -> Vec<KeyId> {
        let (found, now) =
            (self.keyring.imports.begin_so(organization, token.beginnings()), self.clock.now());
        let found = found.into_iter().filter_map(|id| self.keyring.get(id));
        let mut held: Vec<_> = found.filter(|entry| scope.holds(entry)).collect();
        held.sort_by_key(|entry| matches!(entry.status(now), KeyStatus::Expired | KeyStatus::Revoked));
        held.into_iter().take(CANDIDATES_MAX).map(|entry| entry.id).collect()
    }

    async fn slow_digest(
        &self,
        organization: OrganizationId,
        id: KeyId,
    ) -> Result<Option<SlowDigest>, Refused> {
        let import = self.store.read().await?.import_of(organization, id).await?;
        let Some(sealed) = import.and_then(|import| import.verifier) else { return Ok(None) };
        let unreadable = || Refused::Internal(format!("{id} has a slow digest that cannot be opened"));
        let opened =
            self.imports_seal()?.open(&Self::verifier_place(id), &sealed).map_err(|_| unreadable())?;
        SlowDigest::read(str::from_utf8(&opened).map_err(|_| unreadable())?).map(Some).ok_or_else(unreadable)
    }
}
