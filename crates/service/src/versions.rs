//! Of two writers one wins: versions, as `If-Match` names them.

use crate::refused::Refused;

/// Refuses when the caller expects another version.
pub(crate) fn expect(if_match: Option<i64>, current: i64) -> Result<(), Refused> {
    match if_match {
        Some(version) if version != current => Err(Refused::Changed { current }),
        _ => Ok(()),
    }
}

/// Why a row could not be written: it has another version now, or is gone.
pub(crate) fn overtaken(current: Option<i64>, what: &'static str) -> Refused {
    current.map_or(Refused::not_found(what), |current| Refused::Changed { current })
}
