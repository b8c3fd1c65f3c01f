//! Signed identity: what an upstream is told of whose request it has, so that it need not believe whoever sends it
//! headers. The keys that sign it make way for each other by themselves, or are replaced at once; their public halves are
//! published.

mod keys;
mod made;
mod replace;
mod token;

pub(crate) use token::{audience, issuer};

use arc_swap::ArcSwap;
use keys::Keys;
use made::Made;
use tokio::sync::Mutex;

/// What signs identities, and what was signed.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    keys: ArcSwap<Keys>,
    /// Whose turn it is to read them: what was read earlier never overwrites what was read later.
    turn: Mutex<()>,
    made: Made,
}
