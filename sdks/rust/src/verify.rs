//! "May this request pass?" and "whose key is this?"

use crate::{Client, Error};
use keystead_api::{Verification, VerifiedBatch, Verify, VerifyBatch, WhoAmI, WhoIs};

impl Client {
    /// Judges a request. A refusal is an answer, not an error: look at `valid` and `code`.
    ///
    /// # Errors
    /// As every call: see [`Error`]. Without an answer, refuse the request.
    pub async fn verify(&self, ask: &Verify) -> Result<Verification, Error> {
        self.ask(&["v1", "verify"], ask).await
    }

    /// Judges up to 1,000 requests, each on its own, in order.
    ///
    /// # Errors
    /// As every call; [`Error::Protocol`] when there are not as many verdicts as requests.
    pub async fn verify_batch(&self, asks: &VerifyBatch) -> Result<VerifiedBatch, Error> {
        let verdicts: VerifiedBatch = self.ask(&["v1", "verify", "batch"], asks).await?;
        // Verdicts are matched to requests by place: a missing one would shift all that follow.
        if verdicts.items.len() == asks.items.len() {
            return Ok(verdicts);
        }
        let why = format!("{} verdicts for {} requests", verdicts.items.len(), asks.items.len());
        Err(Error::Protocol { url: self.url().to_owned(), status: 200, why })
    }

    /// Finds a key by its raw value; without one, the caller's own.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when the caller may not see such a key.
    pub async fn whoami(&self, ask: &WhoAmI) -> Result<WhoIs, Error> {
        self.ask(&["v1", "whoami"], ask).await
    }
}
