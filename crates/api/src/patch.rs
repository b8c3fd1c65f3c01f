//! PATCH bodies: a field left out stays, `null` clears it, a value sets it (RFC 7396). What cannot be
//! cleared takes no `null`: whoever sends one means something that would not happen.

use serde::{Deserialize, Deserializer};

/// Reads a field that is present as `Some(…)`, even as `null` where its type has that;
/// `#[serde(default)]` gives `None` for one that was left out.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
