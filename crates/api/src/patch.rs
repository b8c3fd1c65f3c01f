//! PATCH bodies: a field left out stays, `null` clears it, a value sets it (RFC 7396).

use serde::{Deserialize, Deserializer};

/// Reads a field that is present, even as `null`, as `Some(…)`; `#[serde(default)]` gives `None`
/// for one that was left out.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
