//! The thread that writes the log: records that come at the same time share one sync.

use super::file::Writing;
use super::read::LogFileError;
use super::record::Record;
use super::seal::Seal;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use parking_lot::Mutex;
use rand_core::Rng;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Records that share one sync at most.
const GROUP_MAX: usize = 256;
/// Records that wait for a disk that hangs; what comes then is missing from the log.
const QUEUE_MAX: usize = 1_024;
/// How long a commit waits for the log's disk, once: whoever comes while it still hangs does not.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(3);
/// How long a start waits for it: nothing waits behind it.
pub(super) const START_WAIT_MAX: Duration = Duration::from_secs(30);

type Reply<T> = oneshot::Sender<Result<T, LogFileError>>;

enum Work {
    Append(Record, Micros, Reply<u64>),
    Header(Vec<u8>, Reply<()>),
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is on disk, as the file's record of this number.
    Written(u64),
    /// It waits for a disk that hangs.
    Waiting,
    /// It is not in the file; the hole will be.
    Missing,
}

pub(super) struct Thread {
    queue: SyncSender<Work>,
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    seal: Arc<Seal>,
    locked: Arc<File>,
    /// Bytes of the file.
    bytes: AtomicU64,
    /// Between writes; the thread holds it for as long as one takes.
    writing: Mutex<Writing>,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    /// Since when records are missing.
    missing: Option<Micros>,
    /// Since when records wait for a disk that hangs.
    waiting: Option<Micros>,
}

impl Thread {
    pub(super) fn start(writing: Writing) -> Self {
        let (queue, work) = sync_channel(QUEUE_MAX);
        let shared = Arc::new(Shared {
            path: writing.path.clone(),
            seal: Arc::clone(&writing.seal),
            locked: Arc::clone(&writing.locked),
            bytes: AtomicU64::new(writing.end),
            writing: Mutex::new(writing),
            trouble: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || of_thread.run(&work));
        Self { queue, shared }
    }

    pub(super) fn id(&self) -> [u8; 16] {
        self.shared.seal.id
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn locked(&self) -> Arc<File> {
        Arc::clone(&self.shared.locked)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn failing_since(&self) -> Option<Micros> {
        let trouble = self.shared.trouble.lock();
        trouble.missing.or(trouble.waiting)
    }

    #[cfg(feature = "testing")]
    pub(super) fn fail_for_a_test(&self, fail: bool) {
        self.shared.writing.lock().fails = fail;
    }

    #[cfg(feature = "testing")]
    pub(super) fn hang_for_a_test(&self) -> impl Drop + '_ {
        self.shared.writing.lock()
    }

    /// Has the first line sealed by the current root key.
    pub(super) async fn put_header(
        &self,
        keys: &RootKeys,
        rng: &mut (dyn Rng + Send),
    ) -> Result<(), LogFileError> {
        let header = self.shared.seal.header(keys, rng);
        let header = header.ok_or_else(|| LogFileError::Sealed(self.shared.path.clone()))?;
        let (reply, answer) = oneshot::channel();
        let hangs = || LogFileError::Io {
            path: self.shared.path.clone(),
            error: std::io::ErrorKind::TimedOut.into(),
        };
        self.queue.try_send(Work::Header(header, reply)).map_err(|_| hangs())?;
        let answer = tokio::time::timeout(WAIT_MAX, answer).await;
        answer.map_err(|_| hangs())?.map_err(|_| hangs())?
    }

    /// Hands a record over and waits until it is on disk, unless the disk hangs for this long. The last one waits
    /// then too, for a while.
    pub(super) async fn append(&self, record: Record, at: Micros, wait_max: Duration) -> Appended {
        let is_last = matches!(record, Record::End { .. });
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Work::Append(record, at, reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.miss(at);
                return Appended::Missing;
            }
        }
        if !is_last && self.shared.trouble.lock().waiting.is_some() {
            return Appended::Waiting;
        }
        match tokio::time::timeout(wait_max, answer).await {
            Ok(Ok(Ok(number))) => Appended::Written(number),
            Ok(_) => Appended::Missing,
            Err(_) => {
                self.shared.trouble.lock().waiting.get_or_insert(at);
                Appended::Waiting
            }
        }
    }

    /// Says that what is committed now may not be in the log.
    pub(super) fn miss(&self, at: Micros) {
        self.shared.trouble.lock().missing.get_or_insert(at);
    }
}

impl Shared {
    fn run(&self, work: &Receiver<Work>) {
        while let Ok(first) = work.recv() {
            let mut records = Vec::new();
            let mut next = Some(first);
            while let Some(work_item) = next {
                match work_item {
                    Work::Append(record, at, reply) => records.push((record, at, reply)),
                    Work::Header(header, reply) => {
                        let put = self.writing.lock().put_header(&header);
                        // Who asked may have gone.
                        let _ = reply.send(put.map_err(|error| self.failed(&error)));
                    }
                }
                next = if records.len() < GROUP_MAX { work.try_recv().ok() } else { None };
            }
            self.append(records);
        }
    }

    fn failed(&self, error: &std::io::Error) -> LogFileError {
        let error = std::io::Error::new(error.kind(), error.to_string());
        LogFileError::Io { path: self.path.clone(), error }
    }

    fn append(&self, records: Vec<(Record, Micros, Reply<u64>)>) {
        let Some((_, first_at, _)) = records.first() else { return };
        let first_at = *first_at;
        let missing = self.trouble.lock().missing;
        let mut writing = self.writing.lock();
        let mut number = writing.number;
        let mut frames = Vec::new();
        let gap = missing.map(|from| Record::Gap { from: from.0, to: first_at.0.max(from.0) });
        let writing = &mut *writing;
        let mut seal = |number: u64, record: &Record| self.seal.frame(number, record, &mut *writing.rng);
        if let Some(frame) = gap.and_then(|gap| seal(number, &gap)) {
            frames.extend(frame);
            number += 1;
        }
        let (mut answers, mut too_long) = (Vec::new(), None);
        for (record, at, reply) in records {
            match seal(number, &record) {
                Some(frame) => {
                    frames.extend(frame);
                    answers.push((number, reply));
                    number += 1;
                }
                None => {
                    too_long.get_or_insert(at);
                    // Who asked may have gone.
                    let _ = reply.send(Err(LogFileError::Sealed(self.path.clone())));
                }
            }
        }
        let put = writing.put(&frames, number - writing.number);
        self.bytes.store(writing.end, Ordering::Relaxed);
        self.judge(&put, missing, too_long, first_at);
        for (number, reply) in answers {
            let answer = put.as_ref().map(|()| number).map_err(|error| self.failed(error));
            // Who asked may have gone.
            let _ = reply.send(answer);
        }
    }

    /// What is in the way after a write, and since when.
    fn judge(
        &self,
        put: &std::io::Result<()>,
        told: Option<Micros>,
        too_long: Option<Micros>,
        first_at: Micros,
    ) {
        let mut trouble = self.trouble.lock();
        trouble.waiting = None;
        match put {
            // A hole that opened meanwhile is not told yet.
            Ok(()) if trouble.missing == told => trouble.missing = too_long,
            Ok(()) => {}
            Err(_) => {
                trouble.missing.get_or_insert(first_at);
            }
        }
    }
}
