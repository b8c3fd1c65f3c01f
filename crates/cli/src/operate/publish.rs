//! Bringing signed checkpoints of the audit to where nobody can change them together with the database.

use super::checkpoint_file::CheckpointFile;
use super::webhook::Webhook;
use keystead_service::Keystead;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long what was signed at the end may take to arrive: what hangs does not hold up a stop.
const ENDING_TIME_MAX: Duration = Duration::from_secs(1);

/// Where checkpoints go.
pub(super) enum Place {
    Webhook(Webhook),
    File(CheckpointFile),
}

impl Place {
    /// Whether it has the note now; why not is logged.
    async fn take(&self, note: &Arc<str>) -> bool {
        match self {
            Self::Webhook(webhook) => webhook.take(note).await,
            Self::File(file) => file.take(Arc::clone(note)).await,
        }
    }
}

/// Checkpoints on their way, to each place by itself.
pub(super) struct Publishing {
    tasks: JoinSet<()>,
    ended: CancellationToken,
}

impl Publishing {
    /// Begins with each tree's newest checkpoint: who signed it may have been killed before it was sent. What
    /// does not arrive is sent again after `every`.
    pub(super) fn begin(places: Vec<Place>, keystead: &Arc<Keystead>, every: Duration) -> Self {
        let (mut tasks, ended) = (JoinSet::new(), CancellationToken::new());
        for place in places {
            let (notes, keystead) = (keystead.signed_checkpoints(), Arc::clone(keystead));
            let newest = move || {
                let keystead = Arc::clone(&keystead);
                async move {
                    let found = keystead.newest_checkpoints().await;
                    found.inspect_err(|error| tracing::warn!(%error, "checkpoints could not be read")).ok()
                }
            };
            tasks.spawn(publish(place, notes, newest, every, ended.clone()));
        }
        Self { tasks, ended }
    }

    /// Nothing more is signed: what came by then is sent. What is not there in time, the next start brings.
    pub(super) async fn end(self) {
        self.ended.cancel();
        let _ = tokio::time::timeout(ENDING_TIME_MAX, self.tasks.join_all()).await;
    }
}

/// What has not arrived yet: of each tree the newest, which vouches for all before it.
#[derive(Default)]
struct Unsent {
    notes: BTreeMap<String, Arc<str>>,
    /// Whose was refused last.
    refused: String,
}

impl Unsent {
    fn put(&mut self, note: Arc<str>) {
        self.notes.insert(note.lines().next().unwrap_or_default().to_owned(), note);
    }

    /// Until one is not taken. The next time begins behind that: one that is never taken stops no other.
    async fn send(&mut self, place: &Place) {
        let refused = self.refused.as_str();
        let behind = self.notes.range::<str, _>((Excluded(refused), Unbounded));
        let all = behind.chain(self.notes.range::<str, _>((Unbounded, Included(refused))));
        let all: Vec<_> = all.map(|(origin, note)| (origin.clone(), Arc::clone(note))).collect();
        for (origin, note) in all {
            if !place.take(&note).await {
                self.refused = origin;
                return;
            }
            self.notes.remove(&origin);
        }
    }
}

async fn publish<F: Future<Output = Option<Vec<Arc<str>>>>>(
    place: Place,
    mut notes: Receiver<Arc<str>>,
    newest: impl Fn() -> F,
    every: Duration,
    ended: CancellationToken,
) {
    let (mut unsent, mut behind) = (Unsent::default(), true);
    loop {
        // Asked before the notes: what was signed before the end has come by now.
        let ends = ended.is_cancelled();
        // First, so that what comes meanwhile replaces it.
        if behind && let Some(newest) = newest().await {
            newest.into_iter().for_each(|note| unsent.put(note));
            behind = false;
        }
        loop {
            match notes.try_recv() {
                Ok(note) => unsent.put(note),
                Err(TryRecvError::Lagged(_)) => behind = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        unsent.send(&place).await;
        if ends {
            return;
        }
        tokio::select! {
            note = notes.recv() => match note {
                Ok(note) => unsent.put(note),
                Err(RecvError::Lagged(_)) => behind = true,
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(every), if behind || !unsent.notes.is_empty() => {}
            () = ended.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use tokio::sync::broadcast;

    fn note(organization: &str, size: u32) -> Arc<str> {
        format!("keystead/{organization}\n{size}\nAA==\n\n— keystead/{organization} c2ln\n").into()
    }

    /// Its folder is not there yet: nothing can be added, and what comes later replaces what came before.
    #[tokio::test]
    async fn what_does_not_arrive_is_sent_again_the_newest_of_each_tree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("away").join("notes");
        let file = || Place::File(CheckpointFile::new(path.clone()));
        let mut unsent = Unsent::default();
        for note in [note("a", 1), note("b", 1), note("a", 2)] {
            unsent.put(note);
        }
        unsent.send(&file()).await;
        assert_eq!((unsent.notes.len(), unsent.refused.as_str()), (2, "keystead/a"));
        unsent.send(&file()).await;
        assert_eq!(unsent.refused, "keystead/b", "one that is not taken does not stop another");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        unsent.send(&file()).await;
        assert!(unsent.notes.is_empty());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("\n{}\n{}", note("a", 2), note("b", 1)));
    }

    /// A server that was killed between the signing and the sending, and a place that was away meanwhile.
    #[tokio::test]
    async fn a_start_begins_with_the_newest_and_a_turn_tries_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("away").join("notes");
        let (sender, notes) = broadcast::channel(4);
        let (told, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
        let asked = AtomicU32::new(0);
        let newest = move || {
            // The database does not answer at first.
            let answer = (asked.fetch_add(1, Relaxed) > 0).then(|| vec![note("a", 7)]);
            told.send(()).unwrap();
            async move { answer }
        };
        let ended = CancellationToken::new();
        let file = Place::File(CheckpointFile::new(path.clone()));
        let task = tokio::spawn(publish(file, notes, newest, Duration::from_millis(1), ended.clone()));
        for _ in 0..2 {
            is_asked.recv().await.unwrap();
        }
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        sender.send(note("b", 3)).unwrap();
        ended.cancel();
        task.await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&*note("a", 7)) && text.contains(&*note("b", 3)), "{text}");
        drop(sender);
    }
}
