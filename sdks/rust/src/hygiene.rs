//! Hygiene: which keys should be mended, why, and how.

use crate::{Client, Error};
use keystead_api::{HygieneQuery, HygieneReport};

impl Client {
    /// Keys with something to mend, and the score of all that were looked at, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn hygiene(&self, query: &HygieneQuery) -> Result<HygieneReport, Error> {
        self.get(&["v1", "hygiene"], query).await
    }
}
