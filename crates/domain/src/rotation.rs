//! Rotation: a key gets a new secret under a new id, and the old one lives on for a while.
//!
//! Grace only shortens a life (LESSONS 2), and what is limited belongs to the lineage (LESSONS 3).

use crate::ids::KeyId;
use crate::invalid::Invalid;
use crate::time::{Micros, SECOND};
use keystead_api::RotateKey;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest time that an old key lives beside the new one, in seconds: 90 days.
pub const GRACE_SECONDS_MAX: u64 = 90 * 86_400;
/// How long it does when nobody says: a day.
pub const GRACE_SECONDS_DEFAULT: u64 = 86_400;
/// How long it does after the new one's first use when nobody says: an hour.
pub const OVERLAP_SECONDS_DEFAULT: u64 = 3_600;

/// Until when the old key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// So many seconds from the start.
    After(u64),
    /// So many seconds from the new key's first use.
    AfterFirstUse(u64),
}

impl Ending {
    /// As it was asked: one form or the other, or neither for `default_seconds` of grace.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(ask: &RotateKey, default_seconds: u64) -> Result<Self, Invalid> {
        let first_use = ask.until_first_use.unwrap_or(false);
        if first_use && ask.grace_seconds.is_some() {
            return Err(Invalid::new(
                "/grace_seconds",
                "The old key cannot end at two times.",
                "Send `grace_seconds`, or `until_first_use` with `overlap_seconds`, not both.",
            ));
        }
        if !first_use && ask.overlap_seconds.is_some() {
            return Err(Invalid::new(
                "/overlap_seconds",
                "An overlap begins with the new key's first use.",
                "Send `until_first_use` as true too, or use `grace_seconds`.",
            ));
        }
        if first_use {
            let seconds = ask.overlap_seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
            return bounded("/overlap_seconds", seconds).map(Self::AfterFirstUse);
        }
        bounded("/grace_seconds", ask.grace_seconds.unwrap_or(default_seconds)).map(Self::After)
    }

    /// When the old key ends, as far as that is known when the rotation starts: never later than
    /// it would have.
    #[must_use]
    pub fn at_start(self, expires_at: Option<Micros>, now: Micros) -> Option<Micros> {
        match self {
            Self::After(seconds) => Some(shortened(expires_at, seconds, now)),
            Self::AfterFirstUse(_) => None,
        }
    }
}

/// A number of seconds that an old key may live on.
///
/// # Errors
/// When there are too many.
pub fn bounded(field: &str, seconds: u64) -> Result<u64, Invalid> {
    if seconds > GRACE_SECONDS_MAX {
        return Err(Invalid::new(
            field,
            "This is too long.",
            format!("Send at most {GRACE_SECONDS_MAX} seconds, which are 90 days."),
        ));
    }
    Ok(seconds)
}

/// The end of a key that is given `seconds` from now: the earlier of that and its own.
#[must_use]
pub fn shortened(expires_at: Option<Micros>, seconds: u64, now: Micros) -> Micros {
    let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
    now.plus(micros).min(expires_at.unwrap_or(Micros::FOREVER))
}

/// A key's part in a rotation, resident.
#[derive(Debug)]
pub struct Rotation {
    /// The other key.
    pub other: KeyId,
    /// Which part.
    pub part: Part,
}

/// Which part of a rotation a key has.
#[derive(Debug)]
pub enum Part {
    /// It is rotated away: it drains, and then has ended.
    Old {
        /// Whether the rotation is over.
        over: bool,
        /// Whether its use after its end revokes the lineage; taken by the first that is seen.
        revokes_on_reuse: Once,
    },
    /// It takes over.
    New {
        /// Its first use begins the old key's overlap; taken by the first that is seen.
        first_use: Once,
    },
}

/// Something to be done once: it says so to one caller, until it failed.
#[derive(Debug, Default)]
pub struct Once(AtomicBool);

impl Once {
    /// Something to be done, or nothing.
    #[must_use]
    pub const fn when(wanted: bool) -> Self {
        Self(AtomicBool::new(wanted))
    }

    /// Whether the caller is to do it.
    #[must_use]
    pub fn take(&self) -> bool {
        // The load first: many read what one changes, and only once.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::AcqRel)
    }

    /// It could not be done: the next one is to try.
    pub fn again(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Rotation {
    /// Whether the key is the old one.
    #[must_use]
    pub const fn is_old(&self) -> bool {
        matches!(self.part, Part::Old { .. })
    }

    /// Whether the rotation is over and the key its old one: nothing is counted for it any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.part, Part::Old { over: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(grace: Option<u64>, first_use: Option<bool>, overlap: Option<u64>) -> RotateKey {
        RotateKey {
            grace_seconds: grace,
            until_first_use: first_use,
            overlap_seconds: overlap,
            ..RotateKey::default()
        }
    }

    #[test]
    fn one_form_or_the_other() {
        let read = |grace, first_use, overlap| Ending::compile(&ask(grace, first_use, overlap), 7);
        assert_eq!(read(None, None, None), Ok(Ending::After(7)));
        assert_eq!(read(Some(0), None, None), Ok(Ending::After(0)));
        assert_eq!(read(Some(5), Some(false), None), Ok(Ending::After(5)));
        assert_eq!(read(None, Some(true), Some(9)), Ok(Ending::AfterFirstUse(9)));
        assert_eq!(read(None, Some(true), None), Ok(Ending::AfterFirstUse(OVERLAP_SECONDS_DEFAULT)));
        let field = |grace, first_use, overlap| read(grace, first_use, overlap).unwrap_err().field;
        assert_eq!(field(Some(5), Some(true), None), "/grace_seconds");
        assert_eq!(field(None, None, Some(5)), "/overlap_seconds");
        assert_eq!(field(Some(GRACE_SECONDS_MAX + 1), None, None), "/grace_seconds");
        assert_eq!(field(None, Some(true), Some(u64::MAX)), "/overlap_seconds");
    }

    #[test]
    fn what_is_done_once_is_taken_once_until_it_failed() {
        let once = Once::when(true);
        assert!(once.take() && !once.take());
        once.again();
        assert!(once.take() && !once.take());
        assert!(!Once::when(false).take());
    }

    proptest! {
        /// LESSONS 2: rotation prolonged a nearly expired key.
        #[test]
        fn lesson_2_grace_only_shortens_a_life(
            expires in proptest::option::of(any::<i64>()),
            seconds in any::<u64>(),
            now in any::<i64>(),
        ) {
            let expires = expires.map(Micros);
            let end = shortened(expires, seconds, Micros(now));
            prop_assert!(end <= expires.unwrap_or(Micros::FOREVER));
            prop_assert!(end >= Micros(now).min(expires.unwrap_or(Micros::FOREVER)));
        }
    }
}
