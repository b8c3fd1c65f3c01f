//! Exchanging the root key while the installation works: a new key becomes current, what the old
//! one sealed is sealed anew in the background, and then the old one may go.

use super::reseal::{labels, reseal_some, take_peppers};
use super::{RootKeyError, RootKeySource, Stretch, check, file, words};
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::entropy::Entropy;
use crate::refused::Refused;
use crate::replay::Answer;
use crate::{Keystead, management};
use arc_swap::ArcSwap;
use keystead_api::{RootKeyStatus, RootKeyUse};
use keystead_domain::seal::{RootKey, RootKeyId, RootKeys};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Acted, Change, ChangeKind, Event, Store};
use parking_lot::Mutex as SyncMutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};

/// Values that one transaction seals anew: others' acts wait behind it on SQLite.
const ROWS_MAX: u32 = 100;
/// Until sealing is tried again after the database did not answer.
const PAUSE: Duration = Duration::from_secs(5);
/// Until it is looked again whether another node sealed something with an earlier key.
const LOOK: Duration = Duration::from_secs(60);
/// No transaction lasts as long: what an act that was under way sealed with the earlier key is there.
const UNDER_WAY_MICROS: i64 = 60 * SECOND;
/// Peppers that an exchange seals anew itself; there is one.
pub(super) const PEPPERS_MAX: u32 = 1_000;
/// The installation's value that says how a passphrase is stretched.
pub(crate) const STRETCH: &str = "root_key_stretch";

/// The root keys in force, and where they come from.
pub(crate) struct RootKeyring {
    source: RootKeySource,
    stretch: Option<Stretch>,
    keys: ArcSwap<RootKeys>,
    /// One exchange at a time.
    turn: Mutex<()>,
    wake: Notify,
    /// Since when the current one is.
    since: SyncMutex<Micros>,
}

impl Answer for RootKeyStatus {}

impl RootKeyring {
    /// Loads the keys, creating the first for a new installation, and refuses keys that do not open
    /// what is in the database.
    pub(crate) async fn open(
        source: RootKeySource,
        store: &Store,
        new_installation: bool,
        entropy: &Entropy,
        now: Micros,
    ) -> Result<Self, crate::OpenFailed> {
        let stretch = if source.needs_stretch() { Some(stretch(store, entropy).await?) } else { None };
        let keys = source.load_or_create(stretch.as_ref(), new_installation, entropy).await?;
        check(&keys, &labels(&mut *store.read().await?).await?)?;
        let keys = ArcSwap::from_pointee(keys);
        Ok(Self {
            source,
            stretch,
            keys,
            turn: Mutex::default(),
            wake: Notify::new(),
            since: SyncMutex::new(now),
        })
    }

    pub(crate) fn keys(&self) -> Arc<RootKeys> {
        self.keys.load_full()
    }
}

/// How passphrases are stretched, decided once for an installation.
async fn stretch(store: &Store, entropy: &Entropy) -> Result<Stretch, crate::OpenFailed> {
    if let Some(text) = store.read().await?.installation_value(STRETCH).await? {
        return Ok(text.parse()?);
    }
    let text = entropy.with(|rng| Stretch::new(rng)).to_string();
    store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.decide_installation_value(STRETCH, &text).await })
        })
        .await
        .map_err(Refused::from)?;
    let decided = store.read().await?.installation_value(STRETCH).await?;
    Ok(decided.unwrap_or_default().parse()?)
}

impl Keystead {
    /// Which root keys there are, and how much each has sealed. For the operator.
    ///
    /// # Errors
    /// When the caller is not the operator, or the database does not answer.
    pub async fn root_key_status(self: &Arc<Self>, caller: &Caller) -> Result<RootKeyStatus, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let labels = labels(&mut *self.store.read().await?).await?;
        Ok(status(self.root.source.name(), &self.root.keys(), &labels))
    }

    /// Makes another root key the current one: with a file a new one is made, any other source is
    /// asked again and must give one. For the operator.
    ///
    /// # Errors
    /// When the caller is not the operator, or the source gives no other key.
    pub async fn rotate_root_key(self: &Arc<Self>, caller: &Caller) -> Result<RootKeyStatus, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let (this, caller) = (Arc::clone(self), caller.clone());
        let task = self.tasks.spawn(async move { this.rotate(&caller).await });
        task.await.map_err(|_| Refused::Internal("a rotation did not run to its end".into()))?
    }

    /// Lets go of earlier root keys, once nothing is sealed by them. For the operator.
    ///
    /// # Errors
    /// When the caller is not the operator, something is still sealed by one, or the source still
    /// gives it.
    pub async fn retire_root_keys(self: &Arc<Self>, caller: &Caller) -> Result<RootKeyStatus, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let (this, caller) = (Arc::clone(self), caller.clone());
        let task = self.tasks.spawn(async move { this.retire(&caller).await });
        task.await.map_err(|_| Refused::Internal("a retirement did not run to its end".into()))?
    }

    async fn rotate(self: &Arc<Self>, caller: &Caller) -> Result<RootKeyStatus, Refused> {
        let _turn = self.root.turn.lock().await;
        let offered = self.root.source.load(self.root.stretch.as_ref()).await.map_err(refuse)?;
        let (this, of, taken) = (Arc::clone(self), caller.clone(), Arc::new(SyncMutex::new(None)));
        let taking = Arc::clone(&taken);
        let result = self
            .act_once(caller, move |tx| {
                Box::pin(async move {
                    let before = this.root.keys();
                    // A key that was added and not taken, by a rotation that was cut short, is taken now.
                    let offered = if offered.current().id() == before.current().id() {
                        this.another()?
                    } else {
                        offered
                    };
                    check(&offered, &labels(tx).await?).map_err(refuse)?;
                    take_peppers(tx, &offered, &this.entropy, PEPPERS_MAX).await?;
                    let event = this.exchanged(&of, "root_key.rotate", before.current(), offered.current());
                    let value = status(this.root.source.name(), &offered, &labels(tx).await?);
                    *taking.lock() = Some(Arc::new(offered));
                    Ok(Acted { value, events: vec![event], changes: Vec::new() })
                })
            })
            .await?;
        let taken = taken.lock().take();
        if let Some(offered) = taken {
            self.root.keys.store(offered);
            *self.root.since.lock() = self.clock.now();
            self.root.wake.notify_one();
            // What another node sealed with it meanwhile opens now.
            self.apply(&[Change::new(caller.organization(), ChangeKind::IdentityKeys, [0; 16])]).await;
        }
        Ok(result)
    }

    /// A new key, in the file; any other source must give one itself.
    fn another(&self) -> Result<RootKeys, Refused> {
        let path = self.root.source.file().ok_or_else(|| {
            Refused::conflict(
                format!("The {} gives the key that is current already.", self.root.source.name()),
                "Let it give the new key after the one that is current, then try again; with the \
                 environment, restart instead.",
            )
        })?;
        if self.root.keys().iter().count() >= words::KEYS_MAX {
            return Err(Refused::conflict(
                format!("The root key file holds {} keys already.", words::KEYS_MAX),
                "Let go of the earlier ones first: keystead root-key retire.",
            ));
        }
        self.entropy.with(|rng| file::add(path, rng)).map_err(refuse)
    }

    async fn retire(self: &Arc<Self>, caller: &Caller) -> Result<RootKeyStatus, Refused> {
        let _turn = self.root.turn.lock().await;
        // Else the log could be opened by nobody who has only the current key: one that went on in a new
        // file at the moment of the exchange is sealed by the earlier one still.
        self.reseal_log(&self.root.keys()).await?;
        let since = *self.root.since.lock();
        let left = self.root.source.load(self.root.stretch.as_ref()).await.map_err(refuse)?;
        let (this, of, taken) = (Arc::clone(self), caller.clone(), Arc::new(SyncMutex::new(None)));
        let taking = Arc::clone(&taken);
        let result = self
            .act_once(caller, move |tx| {
                Box::pin(async move {
                    let (keys, labels) = (this.root.keys(), labels(tx).await?);
                    let waiting = status(this.root.source.name(), &keys, &labels).waiting;
                    if waiting > 0 {
                        this.root.wake.notify_one();
                        return Err(Refused::conflict(
                            format!("{waiting} values are still sealed by earlier root keys."),
                            "Wait until `waiting` is 0: they are being sealed anew.",
                        ));
                    }
                    let soon = keys.iter().count() > 1
                        && this.clock.now().0.saturating_sub(since.0) < UNDER_WAY_MICROS;
                    if soon {
                        return Err(Refused::conflict(
                            "The root key was exchanged within the last minute: an act that was under way \
                             may still have sealed something with the earlier one.",
                            "Try again in a minute.",
                        ));
                    }
                    let only = this.only(&keys, left)?;
                    let event = this.exchanged(&of, "root_key.retire", keys.current(), only.current());
                    let value = status(this.root.source.name(), &only, &labels);
                    *taking.lock() = Some(Arc::new(only));
                    Ok(Acted { value, events: vec![event], changes: Vec::new() })
                })
            })
            .await?;
        let taken = taken.lock().take();
        if let Some(only) = taken {
            // Not before the record of it stands. A crash in between leaves a key too many, and this can
            // be done again.
            if let Some(path) = self.root.source.file() {
                file::keep_only(path, only.current().id()).map_err(refuse)?;
            }
            self.root.keys.store(only);
        }
        Ok(result)
    }

    /// The current key alone: a file will be made to hold no other, any other source must give no other.
    fn only(&self, keys: &RootKeys, left: RootKeys) -> Result<RootKeys, Refused> {
        let current = keys.current().id();
        if let Some(path) = self.root.source.file() {
            return file::only(path, current).map_err(refuse);
        }
        if left.iter().count() == 1 && left.current().id() == current {
            return Ok(left);
        }
        Err(Refused::conflict(
            format!("The {} still gives other keys than the current one.", self.root.source.name()),
            "Remove the earlier ones there, then try again; with the environment, restart instead.",
        ))
    }

    fn exchanged(&self, caller: &Caller, action: &'static str, before: &RootKey, after: &RootKey) -> Event {
        let target = Target { kind: "root_key", id: after.id().to_string(), name: "Root key", project: None };
        exchange(self.event(caller, action, target), before.id(), after.id())
    }

    /// Seals anew what earlier keys sealed, from the start on and after every rotation.
    pub(crate) async fn keep_resealed(self: Arc<Self>) {
        loop {
            let keys = self.root.keys();
            let resealed = reseal_some(&self.store, &keys, &self.entropy, ROWS_MAX).await;
            let resealed = match resealed {
                Ok(0) => self.reseal_log(&self.root.keys()).await.map(|()| 0),
                other => other,
            };
            let pause = match resealed {
                Ok(0) => (keys.iter().count() > 1).then_some(LOOK),
                Ok(count) => {
                    tracing::info!(count, root_key = %keys.current().id(), "sealed anew");
                    Some(Duration::ZERO)
                }
                Err(error) => {
                    tracing::warn!(%error, "what an earlier root key sealed could not be sealed anew yet");
                    Some(PAUSE)
                }
            };
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = self.root.wake.notified() => {}
                () = wait(pause) => {}
            }
        }
    }
}

/// The record of an exchange says which key was current, and which is.
pub(super) fn exchange(event: Event, before: RootKeyId, after: RootKeyId) -> Event {
    let current = |id: RootKeyId| serde_json::json!({ "current": id.to_string() });
    with_difference(event, Some(&current(before)), Some(&current(after)))
}

/// What the labels in the database say of the keys at hand.
fn status(source: &'static str, keys: &RootKeys, labels: &[(Vec<u8>, i64)]) -> RootKeyStatus {
    let sealed_by = |key: &RootKey| {
        let label = key.id().label();
        let count = labels.iter().find(|(other, _)| *other == label).map_or(0, |(_, count)| *count);
        u64::try_from(count).unwrap_or(0)
    };
    let current = keys.current().id();
    let all: i64 = labels.iter().map(|(_, count)| count).sum();
    RootKeyStatus {
        source: source.into(),
        current: current.to_string(),
        keys: keys
            .iter()
            .map(|key| RootKeyUse {
                id: key.id().to_string(),
                current: key.id() == current,
                sealed: sealed_by(key),
            })
            .collect(),
        waiting: u64::try_from(all).unwrap_or(0).saturating_sub(sealed_by(keys.current())),
    }
}

async fn wait(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

fn refuse(error: RootKeyError) -> Refused {
    Refused::conflict(format!("The root key cannot be exchanged: {error}."), "Correct it, then try again.")
}
