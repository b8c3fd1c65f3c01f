//! Opening an installation: the store, the root key, on first start the operator's organization
//! with its administrator's key, then the keyring.

use crate::audit_tree::{AuditSettings, AuditTrees};
use crate::entropy::Entropy;
use crate::follow::Followed;
use crate::hygiene::REPORTS_AT_ONCE;
use crate::keyring::Keyring;
use crate::load::Occasion;
use crate::membership::Membership;
use crate::people::Lookups;
use crate::post::Post;
use crate::refused::Refused;
use crate::root_key::{RootKeyError, RootKeySource, RootKeyring};
use crate::seek::Seeker;
use crate::shares::{Mode, Shares, Wanted};
use crate::sign_in::SignInRoom;
use crate::signed_identity::Identities;
use crate::slot::Slot;
use crate::usage::{Usage, UsageEvent};
use crate::{
    Counters, Keystead, MailSettings, SignInSettings, Temporary, after_backup, apply, freshness, lease, load,
    organizations, replay, slow_imports,
};
use keystead_domain::audit::checkpoint::Signer;
use keystead_domain::digest::Pepper;
use keystead_domain::ids::NodeId;
use keystead_domain::seal::{DoesNotOpen, RootKeys};
use keystead_domain::share::Sharing;
use keystead_domain::time::Clock;
use keystead_domain::token::PlainKey;
use keystead_store::log::LogFileError;
use keystead_store::{FeedReader, OpenError, Options, PepperRow, Store};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

/// How long requests may wait for what others hold up: as the defaults say, unless a test must not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For their turn at a slow digest, of a key that was imported with one and is used for the first time.
    pub slow_digest: Duration,
    /// For the database, about a key that another node may have made a moment ago.
    pub seek: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { slow_digest: slow_imports::WAIT_MAX, seek: crate::seek::TIME_MAX }
    }
}

/// How an installation is opened.
#[derive(Debug)]
pub struct Settings {
    /// The database.
    pub store: Options,
    /// Where the root key comes from.
    pub root_key: RootKeySource,
    /// The log that is kept beside the database; none when none is kept.
    pub log: Option<PathBuf>,
    /// How often usage is written; also how much of it a crash may lose.
    pub usage_flush: Duration,
    /// Usage events that may wait to be written.
    pub usage_queue_max: usize,
    /// Names the node that runs in this folder; held for as long as it does.
    pub node_file: Option<PathBuf>,
    /// What people call this node: its host and address.
    pub node_name: String,
    /// How long this node may answer without confirmed freshness.
    pub max_staleness: Duration,
    /// How long this node may count rate limits alone after a sign of life: [`crate::ALONE_MAX`], unless
    /// the clock moves as a test wants.
    pub alone_max: Duration,
    /// How long requests may wait.
    pub waits: Waits,
    /// How temporary keys are kept.
    pub temporary: Temporary,
    /// How the audit is kept.
    pub audit: AuditSettings,
    /// How mail is sent.
    pub mail: MailSettings,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// Issues another key for the operator's administrator, when the first one was lost.
    pub new_admin_key: bool,
}

/// An opened installation.
#[derive(Debug)]
pub struct Opened {
    /// The installation.
    pub keystead: Arc<Keystead>,
    /// The administrator's key: on first start, or when a new one was asked for.
    pub admin_key: Option<PlainKey>,
}

/// Why an installation does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The root key is another installation's.
    #[error(
        "the root key does not open this database: {0}; put the right file back, or point to another database"
    )]
    WrongRootKey(#[from] DoesNotOpen),
    /// The log beside the database.
    #[error(transparent)]
    Log(#[from] LogFileError),
    /// Anything else.
    #[error("{0}")]
    Other(#[from] Refused),
}

impl From<keystead_store::StoreError> for OpenFailed {
    fn from(error: keystead_store::StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl Keystead {
    /// Opens an installation, creating it on first start. Runs background work until
    /// [`Keystead::close`].
    ///
    /// # Errors
    /// With what is in the way and how to fix it.
    pub async fn open(
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Result<Opened, OpenFailed> {
        let store = Store::open(settings.store.clone(), Arc::clone(&clock)).await?;
        let opened = Self::open_on(store.clone(), settings, clock, entropy).await;
        if opened.is_err() {
            // Who mends it and tries again must not meet the lock of this attempt.
            store.close().await;
        }
        opened
    }

    async fn open_on(
        store: Store,
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Result<Opened, OpenFailed> {
        let mut peppers = store.read().await?.peppers().await?;
        let is_new = peppers.is_empty();
        let root = RootKeyring::open(settings.root_key, &store, is_new, &entropy, clock.now()).await?;
        after_backup::begin(&store, settings.log.as_deref(), &root.keys(), &entropy, clock.now()).await?;
        if is_new {
            peppers = vec![new_pepper(&root.keys(), &entropy, clock.as_ref())?];
        }
        let opened =
            peppers.iter().map(|row| open_pepper(&root.keys(), row)).collect::<Result<Vec<_>, _>>()?;
        let signer = opened.first().and_then(Signer::of).ok_or(DoesNotOpen)?;
        let (usage, events) = Usage::new(settings.usage_queue_max);
        let (shares, wanted) = Shares::new(Mode::Waiting);
        let id = entropy.with(|rng| NodeId::random(rng));
        let slot = settings.node_file.as_deref().and_then(|path| Slot::take(path, id));
        let membership = Membership::new(id, settings.node_name, clock.now(), settings.alone_max, slot);
        let mut keystead = Self {
            store,
            keyring: Arc::new(Keyring::new(opened)),
            clock,
            entropy,
            root,
            temporary: settings.temporary,
            usage,
            turns: lease::Turns::new(),
            appliers: apply::Appliers::new(),
            in_flight: replay::InFlight::default(),
            reports: Semaphore::new(REPORTS_AT_ONCE),
            seeker: None,
            feed: watch::Sender::new(i64::MAX),
            slow_budget: slow_imports::SlowBudget::new(settings.waits.slow_digest),
            descriptions: crate::described::Descriptions::default(),
            counters: Counters::default(),
            audit: AuditTrees::new(settings.audit, signer),
            membership,
            shares,
            post: Post::new(settings.mail),
            sign_in: SignInRoom::new(settings.sign_in),
            identities: Identities::default(),
            lookups: Lookups::default(),
            // On SQLite for ever; on PostgreSQL once it is certain that there is no other node.
            sharing: Sharing::alone(),
            stopping: CancellationToken::new(),
            jobs: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        let mut admin_key =
            if is_new { Some(organizations::bootstrap(&keystead, peppers).await?) } else { None };
        let feed = keystead.fill(settings.max_staleness, settings.waits).await?;
        let keystead = Arc::new(keystead);
        if feed.is_some() {
            keystead.join().await?;
        }
        keystead.bring_up_to_date(is_new).await?;
        keystead.start((events, wanted), settings.usage_flush, feed, settings.max_staleness);
        if settings.new_admin_key && admin_key.is_none() {
            admin_key = Some(keystead.reissue_admin_key().await?);
        }
        Ok(Opened { keystead, admin_key })
    }

    /// Takes what has come since the last start, and what a first one has not.
    async fn bring_up_to_date(self: &Arc<Self>, is_new: bool) -> Result<(), OpenFailed> {
        if !is_new {
            self.take_root_key().await?;
            self.complete_system_catalogues().await?;
        }
        Ok(self.tend_identity_keys().await?)
    }

    /// Fills the keyring. Where others may write meanwhile, the feed's reader takes its place first:
    /// what is read too early comes once more.
    async fn fill(
        &mut self,
        max_staleness: Duration,
        waits: Waits,
    ) -> Result<Option<FeedReader>, OpenFailed> {
        let Some(mut reader) = self.store.feed_reader().await? else {
            load::load(&self.store, &self.keyring, Occasion::Alone).await?;
            return Ok(None);
        };
        self.seeker = Some(Seeker::new(waits.seek));
        self.sharing = Sharing::among_others();
        let mut loaded = load::load(&self.store, &self.keyring, Occasion::AmongOthers).await?;
        let began = self.clock.now();
        while self.follow(&mut reader).await? == Followed::Lost {
            loaded = load::load(&self.store, &self.keyring, Occasion::Again).await?;
        }
        for change in &loaded.skipped {
            self.apply_one(change).await?;
        }
        self.keyring.set_fresh_until(freshness::until(began, max_staleness));
        self.feed.send_replace(reader.mark());
        Ok(Some(reader))
    }

    fn start(
        self: &Arc<Self>,
        (events, wanted): (Receiver<UsageEvent>, Receiver<Wanted>),
        usage_flush: Duration,
        feed: Option<FeedReader>,
        max_staleness: Duration,
    ) {
        // These have something to write when they are told to stop.
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_usage(events, usage_flush)));
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_upgrading()));
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_audit_trees()));
        if self.seeker.is_some() {
            let membership = tokio::spawn(Arc::clone(self).keep_membership());
            let shares = tokio::spawn(Arc::clone(self).keep_shares(wanted));
            self.jobs.lock().extend([membership, shares]);
        }
        // It may be handing over a letter, and records whether it was taken.
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_delivering()));
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_counting_mail()));
        // It may be changing files: neither is left half-way.
        self.jobs.lock().push(tokio::spawn(Arc::clone(self).keep_log_alive()));
        match feed {
            Some(reader) => self.keep(Arc::clone(self).keep_fresh(reader, max_staleness)),
            None => self.keep(Arc::clone(self).keep_applied()),
        }
        self.keep(Arc::clone(self).keep_tidy());
        self.keep(Arc::clone(self).keep_replays());
        self.keep(Arc::clone(self).keep_hourly());
        self.keep(Arc::clone(self).keep_resealed());
    }
}

fn place_of(version: i64) -> String {
    format!("peppers/{version}/wrapped")
}

fn new_pepper(root: &RootKeys, entropy: &Entropy, clock: &dyn Clock) -> Result<PepperRow, OpenFailed> {
    let version = 1;
    let mut secret = Zeroizing::new([0; 32]);
    let wrapped = entropy.with(|rng| {
        rng.fill_bytes(secret.as_mut());
        root.seal(&place_of(version), secret.as_ref(), rng)
    })?;
    Ok(PepperRow { version, wrapped, created_at: clock.now() })
}

/// Opens a pepper.
///
/// # Errors
/// When it was sealed by another root key, or is none.
pub(crate) fn open_pepper(root: &RootKeys, row: &PepperRow) -> Result<Pepper, DoesNotOpen> {
    let secret = root.open(&place_of(row.version), &row.wrapped)?;
    let secret = Zeroizing::new(<[u8; 32]>::try_from(secret.as_slice()).map_err(|_| DoesNotOpen)?);
    Ok(Pepper::new(u16::try_from(row.version).map_err(|_| DoesNotOpen)?, &secret))
}
