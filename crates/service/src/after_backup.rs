//! The log beside the database, which a restore puts over a backup: begun with the process, alive
//! every minute, so that its end says when the process was last there.

use crate::Keystead;
use crate::entropy::Entropy;
use crate::refused::Refused;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use keystead_store::log::{EPOCH, Log, LogFileError};
use keystead_store::{Store, StoreError};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Between signs of life, and between complaints.
const BEAT: Duration = Duration::from_secs(60);
/// Between looks at whether it can be written.
const LOOK: Duration = Duration::from_secs(1);

/// Begins a session with a log at `path`, or with none.
pub(crate) async fn begin(
    store: &Store,
    path: Option<&Path>,
    keys: &RootKeys,
    entropy: &Entropy,
    now: Micros,
) -> Result<(), crate::OpenFailed> {
    let fresh = entropy.with(epoch);
    let written = store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.decide_installation_value(EPOCH, &fresh).await })
        })
        .await;
    written.map_err(|error: StoreError| Refused::from(error))?;
    let epoch = store.read().await?.installation_value(EPOCH).await?.unwrap_or_default();
    let log = match path {
        Some(path) => {
            let rng = entropy.with(|rng| ChaCha20Rng::from_seed(seed(rng)));
            Some(Log::open(path, keys, Box::new(rng), now)?)
        }
        None => None,
    };
    Ok(store.begin_session(log, epoch, place(path)).await?)
}

/// A name for another life of a database.
pub(crate) fn epoch(rng: &mut dyn Rng) -> String {
    seed(rng).iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn seed(rng: &mut dyn Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}

/// Where a log is, for people: machines made from one image share it.
fn place(path: Option<&Path>) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let path = path.map(|path| path.canonicalize().unwrap_or_else(|_| path.into()));
    let path = path.map_or_else(|| "no log".to_owned(), |path| path.display().to_string());
    format!("{}:{path}", host.trim())
}

impl Keystead {
    /// Writes a sign of life every minute, and says at once when the log cannot be written.
    pub(crate) async fn keep_log_alive(self: Arc<Self>) {
        let (mut told, mut looks) = (false, 0);
        let looks_a_beat = BEAT.as_secs() / LOOK.as_secs();
        while let Some(log) = self.store.log() {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK) => looks += 1,
            }
            let beat = looks % looks_a_beat == 0;
            self.sign_of_life(beat).await;
            if beat && log.is_long() {
                self.roll_log().await;
            }
            match log.failing_since() {
                Some(since) if beat || !told => tracing::error!(
                    ?since,
                    "the log beside the database cannot be written: what is revoked and spent now would live again after a restore"
                ),
                None if told => tracing::info!("the log beside the database is written again"),
                _ => {}
            }
            told = log.failing_since().is_some();
        }
    }

    async fn sign_of_life(&self, beat: bool) {
        // First: what comes a minute before a sign of life is taken for settled.
        let settled = self.store.settle_log().await;
        if !beat {
            return;
        }
        let beaten = match settled {
            Ok(()) => self.store.beat_log().await,
            Err(error) => Err(error),
        };
        match beaten {
            Ok(false) => {}
            Ok(true) => tracing::error!(
                "another node began on a copy of this node's log beside the database: a restore would not \
                 know which is whole; give each node a folder of its own, and make a new backup"
            ),
            Err(error) => {
                tracing::warn!(%error, "no sign of life was written to the log beside the database");
            }
        }
    }

    async fn roll_log(&self) {
        let rng = self.entropy.with(|rng| ChaCha20Rng::from_seed(seed(rng)));
        match self.store.roll_log(&self.root.keys(), Box::new(rng)).await {
            Ok(()) => tracing::info!("the log beside the database goes on in a new file"),
            Err(error) => tracing::warn!(%error, "the log beside the database goes on in its long file"),
        }
    }

    /// Has the log's own key sealed by the current root key.
    pub(crate) async fn reseal_log(&self, keys: &RootKeys) -> Result<(), Refused> {
        let Some(log) = self.store.log() else { return Ok(()) };
        let mut rng = self.entropy.with(|rng| ChaCha20Rng::from_seed(seed(rng)));
        log.reseal(keys, &mut rng).await.map_err(|error: LogFileError| {
            Refused::Internal(format!("the log beside the database keeps the earlier root key: {error}"))
        })
    }
}
