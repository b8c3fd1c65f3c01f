//! Acts that make keys from keys, or concern many at once: rotate, mint, batch, bulk.

use crate::journal::{Action, Credits, Known};
use crate::worker::{Gone, PROJECT, Picked, Worker, free, new_key};
use keystead_sdk::ApiKey;
use keystead_sdk::api::{BulkAction, BulkKeys, BulkOutcome, CreateKeys, KeyQuery, MintKey, RotateKey};

/// How long an old key or a minted one lives on: longer than a run.
const LONG_SECONDS: u64 = 86_400;
/// The most keys of one batch.
const BATCH_MAX: u64 = 5;
/// The most uses of a minted key.
const USES_MAX: u64 = 40;

impl Worker {
    /// Gives a key a new secret. The old one lives on, has ended, or ends when the new one is used.
    pub(crate) async fn rotate(&mut self) -> Result<(), Gone> {
        let round = self.round.clone();
        let fits = |known: &Known| {
            known.born == Action::Create
                && ![Action::Revoke, Action::Rotate].iter().any(|action| known.may_be(*action))
                && free(known, &round)
        };
        let Some(Picked { label, id, .. }) = self.pick(fits) else { return Ok(()) };
        let rotation = self.rotation();
        {
            let mut journal = self.journal.lock();
            journal.begin(&label, true);
            journal.ask(&label, Action::Rotate);
        }
        match self.client.rotate_key(&id, &rotation).await {
            Ok(new) => self.journal.lock().rotated(&label, &new),
            Err(error) => self.failed(&[(&label, Action::Rotate)], &error)?,
        }
        self.journal.lock().end(&label, true);
        Ok(())
    }

    fn rotation(&mut self) -> RotateKey {
        let (now, first_use) = (self.chance.once_in(3), self.chance.once_in(2));
        match (now, first_use) {
            (true, _) => RotateKey { grace_seconds: Some(0), ..RotateKey::default() },
            (_, true) => {
                RotateKey { until_first_use: Some(true), overlap_seconds: Some(0), ..RotateKey::default() }
            }
            _ => RotateKey { grace_seconds: Some(LONG_SECONDS), ..RotateKey::default() },
        }
    }

    /// Mints a key from another, as its holder.
    pub(crate) async fn mint(&mut self) -> Result<(), Gone> {
        let fits = |known: &Known| {
            known.born == Action::Create && known.key.is_some() && !known.may_be(Action::Revoke)
        };
        let Some(Picked { label, key: Some(parent), .. }) = self.pick(fits) else { return Ok(()) };
        let name = self.next_name();
        let uses = self.chance.once_in(2).then(|| 1 + self.chance.below(USES_MAX));
        let lineage = self.journal.lock().keys.get(&label).map(|known| known.lineage.clone());
        let known = Known {
            born: Action::Mint,
            lineage: lineage.unwrap_or_default(),
            parent: Some(label),
            uses: uses.map(Credits::of),
            ..Known::default()
        };
        self.journal.lock().expect(&name, known, None);
        let new = MintKey {
            name: Some(name.clone()),
            expires_in_seconds: Some(LONG_SECONDS),
            uses,
            ..MintKey::default()
        };
        match self.client.mint_key_from(&ApiKey::from(parent), &new).await {
            Ok(created) => self.journal.lock().made(&name, &created),
            Err(error) => self.failed(&[(&name, Action::Mint)], &error)?,
        }
        Ok(())
    }

    /// Makes keys together, which are a group from then on.
    pub(crate) async fn batch(&mut self) -> Result<(), Gone> {
        let group = format!("{}-g{}", self.name, self.groups.len());
        let mut items = Vec::new();
        for _ in 0..2 + self.chance.below(BATCH_MAX - 1) {
            let name = self.next_name();
            let granted = self.chance.once_in(2).then(|| 1 + self.chance.below(300));
            let known = Known { lineage: name.clone(), group: Some(group.clone()), ..Known::default() };
            self.journal.lock().expect(&name, known, granted);
            items.push(keystead_sdk::api::CreateKey { tags: vec![group.clone()], ..new_key(&name, granted) });
        }
        let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
        self.journal.lock().batches.push(names.clone());
        self.groups.push(group);
        match self.client.create_keys(PROJECT, &CreateKeys { items }).await {
            Ok(created) => {
                let mut journal = self.journal.lock();
                for (name, key) in names.iter().zip(&created.items) {
                    journal.made(name, key);
                }
                if created.items.len() != names.len() {
                    journal.find(format!("a batch of {} made {}", names.len(), created.items.len()));
                }
            }
            Err(error) => {
                let acts: Vec<_> = names.iter().map(|name| (name.as_str(), Action::Create)).collect();
                self.failed(&acts, &error)?;
            }
        }
        Ok(())
    }

    /// Acts on every key of a group.
    pub(crate) async fn bulk(&mut self, full: bool) -> Result<(), Gone> {
        let Some(group) = self.chance.one_of(&self.groups).cloned() else { return Ok(()) };
        let (action, does) = match self.chance.below(8) {
            0..2 => (Action::Disable, BulkAction::Disable),
            2..4 => (Action::Enable, BulkAction::Enable),
            4 => (Action::Revoke, BulkAction::Revoke),
            _ if full => return Ok(()),
            _ => (Action::Rotate, BulkAction::Rotate),
        };
        let act = BulkKeys {
            action: does,
            filter: KeyQuery { tag: Some(group.clone()), ..KeyQuery::default() },
            dry_run: false,
            expected_count: Some(1_000),
            reason: (action == Action::Revoke).then(|| format!("asked by {}", self.name)),
            changes: None,
            rotation: (action == Action::Rotate).then(|| self.rotation()),
            limit: None,
            cursor: None,
        };
        let members = {
            let mut journal = self.journal.lock();
            let members = journal.keys.iter().filter(|(_, known)| known.group.as_ref() == Some(&group));
            let members: Vec<String> = members.map(|(label, _)| label.clone()).collect();
            members.iter().for_each(|label| journal.ask(label, action));
            members
        };
        match self.client.bulk_keys(PROJECT, &act).await {
            Ok(outcome) => self.bulk_answered(&members, action, &outcome),
            Err(error) => {
                let acts: Vec<_> = members.iter().map(|label| (label.as_str(), action)).collect();
                self.failed(&acts, &error)?;
            }
        }
        Ok(())
    }

    /// A key that somebody may have purged meanwhile was done, or was not there any more.
    fn bulk_answered(&self, members: &[String], action: Action, outcome: &BulkOutcome) {
        let mut journal = self.journal.lock();
        for new in &outcome.rotated {
            let old = journal.keys.iter().find(|(_, known)| known.id.as_ref() == Some(&new.replaces));
            match old.map(|(label, _)| label.clone()) {
                Some(old) => journal.rotated(&old, new),
                None => journal.find(format!("{} was rotated, and nobody knows it", new.replaces)),
            }
        }
        for label in members {
            let Some(known) = journal.keys.get(label) else { continue };
            let is = |id: &String| known.id.as_ref() == Some(id);
            let (gone, refused) =
                (known.may_be(Action::Delete), outcome.refused.iter().any(|one| is(&one.id)));
            if refused {
                journal.refuse(label, action);
            } else if action != Action::Rotate && !gone {
                journal.acknowledge(label, action, 0);
            }
        }
    }
}
