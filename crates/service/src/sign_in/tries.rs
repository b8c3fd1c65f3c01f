//! Counting who is wrong, before it is known: many tries at once are no way around.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::digest::Purpose;
use keystead_domain::sign_in::backoff::{Tried, network_of};
use keystead_store::AccountRow;
use std::net::IpAddr;

/// A try that was counted as wrong, until it turns out to be right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    pair: [u8; 16],
    network: [u8; 16],
    address: [u8; 16],
}

/// The network of an address, as it is kept.
pub(super) fn network(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| "unknown".to_owned(), |ip| network_of(ip).to_string())
}

impl Keystead {
    /// Counts a try for an address from a network, whether or not there is such an account.
    ///
    /// # Errors
    /// When it must wait; or when the database cannot answer.
    pub(super) async fn begin_try(
        &self,
        email: &str,
        account: Option<&AccountRow>,
        ip: Option<IpAddr>,
    ) -> Result<Try, Refused> {
        let network = network(ip);
        // Asked of nobody's account too: the database's time must not tell either.
        let id = account.map_or(keystead_domain::ids::AccountId([0; 16]), |account| account.id);
        let known = self.store.read().await?.knows_network(id, &network).await?;
        let one = self.subjects(email, &network)?;
        let now = self.clock.now();
        let wait = self.store.bookkeeping(move |ledger| {
            Box::pin(async move {
                let mut held = [(one.pair, 0), (one.network, 1), (one.address, 2)];
                // Everybody holds them in one order: nobody waits for somebody who waits for them.
                held.sort_unstable();
                let mut tries = [Default::default(); 3];
                for (subject, at) in &held {
                    if let Some(place) = tries.get_mut(*at) {
                        *place = ledger.hold_tries(subject).await?;
                    }
                }
                let [pair, network, address] = tries;
                let tried = Tried { pair, network, address, known };
                if let Some(seconds) = tried.wait_seconds(now) {
                    return Ok::<_, Refused>(Some(seconds));
                }
                ledger.set_tries(&one.pair, pair.and_one(now)).await?;
                ledger.set_tries(&one.network, network.and_one(now)).await?;
                ledger.set_tries(&one.address, address.and_one(now)).await?;
                Ok(None)
            })
        });
        match wait.await? {
            None => Ok(one),
            Some(retry_after_seconds) => Err(Refused::TooOften {
                detail: "Somebody was wrong too often with this address or from this network.".into(),
                retry_after_seconds,
            }),
        }
    }

    /// The try was right in everything: what was wrong before is forgotten.
    pub(super) async fn was_right(&self, one: Try) {
        self.settle_try(one, true).await;
    }

    /// The try was not wrong, and does not prove everything: what was wrong before still counts. Else the right
    /// password would buy further guesses at the second factor.
    pub(super) async fn was_not_wrong(&self, one: Try) {
        self.settle_try(one, false).await;
    }

    /// What was proved is not refused because a count could not be written: that only makes somebody wait.
    async fn settle_try(&self, one: Try, forgets: bool) {
        let done = self.store.bookkeeping(move |ledger| {
            Box::pin(async move {
                let mut held = [(one.pair, forgets), (one.network, false), (one.address, false)];
                // In the order in which they are held.
                held.sort_unstable();
                for (subject, forgets) in held {
                    if forgets {
                        ledger.forget_tries(&subject).await?;
                    } else {
                        ledger.take_try_back(&subject).await?;
                    }
                }
                Ok::<_, Refused>(())
            })
        });
        if let Err(error) = done.await {
            tracing::warn!(%error, "a try that was not wrong stays counted");
        }
    }

    /// Keyed, because people type passwords where an address belongs.
    fn subjects(&self, email: &str, network: &str) -> Result<Try, Refused> {
        let of = |parts: &[&[u8]]| {
            let tag = self.tag(Purpose::Tries, parts)?;
            tag.first_chunk::<16>().copied().ok_or_else(|| Refused::Internal("a short digest".into()))
        };
        Ok(Try {
            pair: of(&[b"pair", email.as_bytes(), network.as_bytes()])?,
            network: of(&[b"network", network.as_bytes()])?,
            address: of(&[b"address", email.as_bytes()])?,
        })
    }

    /// A keyed digest.
    pub(super) fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<[u8; 32], Refused> {
        let pepper = self.keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        Ok(pepper.tag(purpose, parts))
    }
}
