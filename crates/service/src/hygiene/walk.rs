//! Going over keys, a few at a time: memory does not grow with their number, no transaction stays open, and
//! whatever else waits for the thread has its turn in between.

use super::look::Ground;
use super::scopes::Scope;
use crate::Keystead;
use crate::cursor::{encode, no_cursor};
use crate::refused::Refused;
use keystead_api::HygieneKey;
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::time::Micros;

/// Keys read at once: with all that was observed of them at most about ten megabytes, as a rule some hundred
/// kilobytes.
const CHUNK: u32 = 128;
/// What a project or environment costs beside its keys, counted in keys.
const SCOPE_COST: usize = 16;

/// Before every key's id.
const LOWEST: [u8; 12] = *b"000000000000";

/// Where a key stands in the list by age.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    scope: [u8; 16],
    pub(super) at: Micros,
    pub(super) key: KeyId,
}

/// A key that was looked at.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) position: Position,
    pub(super) key: HygieneKey,
}

/// Going over the keys of some projects and environments.
pub(super) struct Walk<'a> {
    keystead: &'a Keystead,
    /// Those that are left, the last first.
    scopes: Vec<Scope>,
    ground: Option<Ground>,
    from: Option<Position>,
    end: Option<Position>,
    now: Micros,
    /// How many keys were read.
    pub(super) looked_at: usize,
}

impl Position {
    /// From a cursor.
    pub(super) fn read((at, bytes): (Micros, [u8; 28])) -> Result<Self, Invalid> {
        let (scope, key) = bytes.split_first_chunk::<16>().ok_or_else(no_cursor)?;
        Ok(Self { scope: *scope, at, key: KeyId::from_slice(key).ok_or_else(no_cursor)? })
    }

    pub(super) fn cursor(self) -> String {
        let mut bytes = [0; 28];
        let (scope, key) = bytes.split_at_mut(16);
        scope.copy_from_slice(&self.scope);
        key.copy_from_slice(self.key.as_bytes());
        encode((self.at, bytes))
    }
}

impl<'a> Walk<'a> {
    /// Begins at the first key, or after one.
    pub(super) fn new(keystead: &'a Keystead, mut scopes: Vec<Scope>, from: Option<Position>) -> Self {
        // One that the cursor names may be gone by now: then it goes on with the next.
        scopes.retain(|scope| from.is_none_or(|from| scope.id >= from.scope));
        scopes.reverse();
        let now = keystead.clock.now();
        Self { keystead, scopes, ground: None, from, end: None, now, looked_at: 0 }
    }

    /// Up to where everything was looked at; `None` when nothing is left.
    pub(super) fn end(&self) -> Option<Position> {
        self.end.filter(|_| !self.scopes.is_empty())
    }

    /// The next keys that were looked at: perhaps none of those that were read; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Checked>>, Refused> {
        let Some(scope) = self.scopes.last() else { return Ok(None) };
        let turn = self.keystead.reports.acquire().await;
        let _turn = turn.map_err(|_| Refused::Internal("reports are closed".into()))?;
        let mut reader = self.keystead.store.read().await?;
        let ground = match self.ground.take() {
            Some(ground) => ground,
            None => {
                self.looked_at += SCOPE_COST;
                Ground::read(&mut reader, &scope.project).await?
            }
        };
        let after = self.from.filter(|from| from.scope == scope.id).map(|from| (from.at, from.key));
        let (organization, project) = (scope.project.organization, scope.project.id);
        let rows = reader.hygiene_rows(organization, project, scope.environment, after, CHUNK).await?;
        drop(reader);
        self.looked_at += rows.len();
        let at = |at, key| Position { scope: scope.id, at, key };
        let mut checked = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(key) = self.keystead.look(&ground, row, self.now)? {
                checked.push(Checked { position: at(row.created_at, row.id), key });
            }
            // One that may do all that a large catalogue has takes milliseconds: others have their turn.
            tokio::task::yield_now().await;
        }
        match rows.last() {
            Some(last) if rows.len() >= CHUNK as usize => {
                self.end = Some(at(last.created_at, last.id));
                self.ground = Some(ground);
            }
            _ => {
                self.end = KeyId::from_slice(&LOWEST).map(|lowest| at(Micros(i64::MIN), lowest));
                self.scopes.pop();
            }
        }
        self.from = self.end;
        Ok(Some(checked))
    }
}
