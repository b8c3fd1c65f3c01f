//! Contacts: an address that somebody wrote down is verified once whoever reads it has said so, for a year.

use crate::time::{Micros, SECOND};
use keystead_api::ContactState;

const DAY: i64 = 86_400 * SECOND;

/// For how long it is believed.
pub const BELIEVED_MICROS: i64 = 365 * DAY;
/// How long before the end it is asked again.
pub const ASKED_BEFORE_MICROS: i64 = 30 * DAY;
/// How long after the end it is still asked.
pub const ASKED_AFTER_MICROS: i64 = 30 * DAY;
/// How long an answer is waited for, before it is asked once more.
pub const AGAIN_MICROS: i64 = 14 * DAY;

/// What is known of a contact, by the address that was verified last and when. Another address is another contact,
/// however it came to stand there.
#[must_use]
pub fn contact_state(contact: &str, verified: Option<(&str, Micros)>, now: Micros) -> ContactState {
    match verified {
        Some((address, at)) if address == contact => {
            if now.since(at) < BELIEVED_MICROS {
                ContactState::Verified
            } else {
                ContactState::Lapsed
            }
        }
        _ => ContactState::Unverified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_for_a_year_and_for_that_address() {
        let at = Micros(1_800_000_000 * SECOND);
        let state = |contact, now| contact_state(contact, Some(("noc@example.net", at)), now);
        assert_eq!(state("noc@example.net", at), ContactState::Verified);
        assert_eq!(state("noc@example.net", at.plus(BELIEVED_MICROS - 1)), ContactState::Verified);
        assert_eq!(state("noc@example.net", at.plus(BELIEVED_MICROS)), ContactState::Lapsed);
        assert_eq!(
            state("noc@example.net", at.plus(-1)),
            ContactState::Verified,
            "a clock that stepped back"
        );
        assert_eq!(state("noc@example.com", at), ContactState::Unverified);
        assert_eq!(contact_state("noc@example.net", None, at), ContactState::Unverified);
    }
}
