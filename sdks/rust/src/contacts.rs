//! Contacts: how organizations and their teams are reached.

use crate::client::Client;
use crate::error::Error;
use keystead_api::{ConfirmContact, ContactAsked, ContactConfirmed, Contacts};

impl Client {
    /// Asks a team's contact whether it is the team's: by e-mail, or by a link in the answer.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when the team has none, 429 when it was asked a moment ago.
    pub async fn ask_contact(&self, team: &str) -> Result<ContactAsked, Error> {
        self.post_nothing(&["v1", "teams", team, "contact", "ask"]).await
    }

    /// Says that an address is a team's, by the link that it was sent. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `link_invalid` when it was used, or its time is over.
    pub async fn confirm_contact(&self, confirm: &ConfirmContact) -> Result<ContactConfirmed, Error> {
        self.ask(&["v1", "contact-confirmations"], confirm).await
    }

    /// How an organization is reached, by its slug. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when it lists nothing, 429 when asked too often.
    pub async fn contacts(&self, slug: &str) -> Result<Contacts, Error> {
        self.get(&["v1", "contacts", slug], &()).await
    }
}
