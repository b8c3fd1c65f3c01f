//! Checking and digesting passwords: off the threads that serve, on at most half of the cores, and no more of
//! them waiting than are done in a moment. A flood of sign-ins waits for itself, and for nobody else.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::sign_in::password::{NOBODYS, Password, SALT_LEN};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most at once: each holds 19 MiB.
const AT_ONCE_MAX: usize = 8;
/// How many wait for their turn.
const WAITING_MAX: usize = 32;

/// Whose turn it is to have a password looked at.
#[derive(Debug)]
pub(crate) struct Passwords {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    done: AtomicU64,
}

/// A place among those who wait, and then work.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).clamp(1, AT_ONCE_MAX);
        Self {
            places: Arc::new(Semaphore::new(at_once + WAITING_MAX)),
            turns: Arc::new(Semaphore::new(at_once)),
            done: AtomicU64::new(0),
        }
    }

    /// A place, before anything else is done.
    ///
    /// # Errors
    /// [`Refused::Busy`] when too many wait.
    pub(crate) fn enter(&self) -> Result<Place, Refused> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refused::Busy)?;
        Ok(Place { _permit: permit })
    }

    async fn work<T: Send + 'static>(
        &self,
        _: &Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let ended = |_| Refused::Internal("a password was not looked at to its end".into());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refused::Unavailable)?;
        self.done.fetch_add(1, Ordering::Relaxed);
        // The turn is held to the end, also when the asker has gone: the core is still busy.
        let worked = tokio::task::spawn_blocking(move || (work(), turn)).await;
        worked.map(|(value, _turn)| value).map_err(ended)
    }

    /// Whether a password is that of a digest. Without a digest it is not, after the same work: the time does
    /// not tell whether there is an account.
    pub(crate) async fn is_of(
        &self,
        place: &Place,
        password: &Password,
        digest: Option<&str>,
    ) -> Result<bool, Refused> {
        let (password, exists) = (password.clone(), digest.is_some());
        let digest = digest.unwrap_or(NOBODYS).to_owned();
        Ok(self.work(place, move || password.is_of(&digest)).await? && exists)
    }

    /// What is stored of a password.
    pub(crate) async fn digest(
        &self,
        place: &Place,
        password: &Password,
        salt: [u8; SALT_LEN],
    ) -> Result<String, Refused> {
        let password = password.clone();
        let digest = self.work(place, move || password.digest(&salt)).await?;
        digest.ok_or_else(|| Refused::Internal("a password could not be digested".into()))
    }
}

impl Keystead {
    /// How many passwords were checked or digested since the start.
    #[must_use]
    pub fn passwords_done(&self) -> u64 {
        self.sign_in.passwords.done.load(Ordering::Relaxed)
    }

    /// Takes every place that there is to have a password looked at, until what is answered is dropped.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn fill_passwords_for_a_test(&self) -> Option<OwnedSemaphorePermit> {
        let places = &self.sign_in.passwords.places;
        let all = u32::try_from(places.available_permits()).ok()?;
        Arc::clone(places).try_acquire_many_owned(all).ok()
    }

    pub(crate) fn salt(&self) -> [u8; SALT_LEN] {
        let mut salt = [0; SALT_LEN];
        self.entropy.with(|rng| rng.fill_bytes(&mut salt));
        salt
    }
}
