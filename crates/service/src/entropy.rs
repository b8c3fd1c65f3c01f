//! Randomness is passed in: the operating system's in production, a seeded generator in tests.

use parking_lot::Mutex;
use rand_core::{Rng, UnwrapErr};
use std::fmt;

/// Where randomness comes from.
pub struct Entropy(Mutex<Box<dyn Rng + Send>>);

impl Entropy {
    /// The operating system's generator. A system that has none stops the request that needed it.
    #[must_use]
    pub fn system() -> Self {
        Self::from_rng(UnwrapErr(getrandom::SysRng))
    }

    /// Another generator.
    pub fn from_rng(rng: impl Rng + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(rng)))
    }

    /// Draws with the generator.
    pub fn with<T>(&self, draw: impl FnOnce(&mut dyn Rng) -> T) -> T {
        draw(&mut **self.0.lock())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
