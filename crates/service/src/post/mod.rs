//! The post: what waits in the outbox leaves through the mail server, from a job that nobody waits for.

mod backoff;
mod deliver;
mod hourly;

use crate::Keystead;
use crate::refused::Refused;
use hourly::Hourly;
use keystead_domain::time::Micros;
use keystead_mail::Mailer;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// How long nothing is tried after the mail server could not be used.
const PAUSE: Duration = Duration::from_secs(60);
/// Letters of one organization in an hour: ten thousand keys whose rotation is due are told of in a day and a half.
const LETTERS_HOUR_MAX: u32 = 300;
/// How often what waits is counted, which takes the longer the more it is.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// How mail is sent.
#[derive(Debug)]
pub struct MailSettings {
    /// Through which server; without one notices wait, and are shown.
    pub mailer: Option<Mailer>,
    /// How often the outbox is looked at.
    pub every: Duration,
    /// Letters of one organization that this node sends in an hour; what is more waits for the next.
    pub letters_hour_max: u32,
}

impl Default for MailSettings {
    /// No server.
    fn default() -> Self {
        Self { mailer: None, every: EVERY, letters_hour_max: LETTERS_HOUR_MAX }
    }
}

/// The mail server, and what has become of letters since this process began.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) mailer: Option<Mailer>,
    every: Duration,
    wake: Notify,
    pub(crate) hourly: Hourly,
    sent: AtomicU64,
    failed: AtomicU64,
    waiting: AtomicU64,
    /// When the oldest that waits was written.
    oldest: AtomicI64,
}

impl Post {
    pub(crate) fn new(settings: MailSettings) -> Self {
        Self {
            mailer: settings.mailer,
            every: settings.every,
            wake: Notify::new(),
            hourly: Hourly::new(settings.letters_hour_max),
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            oldest: AtomicI64::new(0),
        }
    }

    /// Has the outbox looked at now.
    pub(crate) fn hurry(&self) {
        self.wake.notify_one();
    }
}

/// What the metrics tell of mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// Letters that the mail server took, since the start.
    pub sent: u64,
    /// Letters that it did not, since the start; each try counts.
    pub failed: u64,
    /// Notices that are to be sent; 0 where no mail server is named.
    pub waiting: u64,
    /// The age of the oldest of them, in seconds.
    pub oldest_seconds: u64,
}

impl Keystead {
    /// Whether this node sends mail.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.post.mailer.is_some()
    }

    /// What became of mail; of what waits, as it was counted within the last minute.
    #[must_use]
    pub fn mail_counts(&self) -> MailCounts {
        let waiting = self.post.waiting.load(Ordering::Relaxed);
        let age = self.clock.now().since(Micros(self.post.oldest.load(Ordering::Relaxed)));
        let oldest_seconds = if waiting == 0 { 0 } else { u64::try_from(age / 1_000_000).unwrap_or(0) };
        MailCounts {
            sent: self.post.sent.load(Ordering::Relaxed),
            failed: self.post.failed.load(Ordering::Relaxed),
            waiting,
            oldest_seconds,
        }
    }

    /// Looks at the outbox again and again, until the stop.
    pub(crate) async fn keep_delivering(self: Arc<Self>) {
        let mut pause = self.post.every;
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = self.post.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.deliver().await {
                Ok(true) => self.post.every,
                Ok(false) => PAUSE.max(self.post.every),
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read or written; mail waits");
                    self.post.every
                }
            };
        }
    }

    /// Counts what waits again and again, until the stop.
    pub(crate) async fn keep_counting_mail(self: Arc<Self>) {
        while self.sends_mail() && !self.stopping.is_cancelled() {
            if let Err(error) = self.count_mail().await {
                tracing::warn!(%error, "the mail that waits cannot be counted");
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(COUNT_EVERY) => {}
            }
        }
    }

    /// Counts what waits, for [`mail_counts`](Self::mail_counts).
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn count_mail(&self) -> Result<(), Refused> {
        let (waiting, oldest) = self.store.read().await?.notices_to_send().await?;
        self.post.waiting.store(u64::try_from(waiting).unwrap_or(0), Ordering::Relaxed);
        self.post.oldest.store(oldest.0, Ordering::Relaxed);
        Ok(())
    }
}
