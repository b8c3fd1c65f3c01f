//! How mail leaves; for the operator of the installation.

use crate::{Client, Error};
use keystead_api::{MailTest, TestMail};

impl Client {
    /// Sends a test message, and says whether the mail server took it.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when e-mail is not set up, 429 when too many were
    /// sent.
    pub async fn test_mail(&self, test: &TestMail) -> Result<MailTest, Error> {
        self.ask(&["v1", "mail", "test"], test).await
    }
}
