//! Approvals: asking, deciding, redeeming.

use crate::{Client, Error};
use keystead_api::{Approval, ApprovalQuery, CreateApproval, DecideApproval, Page, RedeemedKey};

impl Client {
    /// Asks for another person's approval of a key, or of a change of one.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when none is needed.
    pub async fn create_approval(&self, new: &CreateApproval) -> Result<Approval, Error> {
        self.post(&["v1", "approvals"], new).await
    }

    /// Requests for approvals that match, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_approvals(&self, query: &ApprovalQuery) -> Result<Page<Approval>, Error> {
        self.get(&["v1", "approvals"], query).await
    }

    /// A request by its id (`apr_…`).
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn approval(&self, id: &str) -> Result<Approval, Error> {
        self.get(&["v1", "approvals", id], &()).await
    }

    /// Approves what another person asked for.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 403 when the caller asked for it, or could not do it.
    pub async fn approve(&self, id: &str, decision: &DecideApproval) -> Result<Approval, Error> {
        self.post(&["v1", "approvals", id, "approve"], decision).await
    }

    /// Denies what another person asked for.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it was decided already.
    pub async fn deny(&self, id: &str, decision: &DecideApproval) -> Result<Approval, Error> {
        self.post(&["v1", "approvals", id, "deny"], decision).await
    }

    /// Makes or changes the key that was approved. A new key is shown only now.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it was not approved, or may not be done any more.
    pub async fn redeem_approval(&self, id: &str) -> Result<RedeemedKey, Error> {
        self.post_nothing(&["v1", "approvals", id, "redeem"]).await
    }

    /// Takes back what the caller asked for.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it is over.
    pub async fn withdraw_approval(&self, id: &str) -> Result<Approval, Error> {
        self.post_nothing(&["v1", "approvals", id, "withdraw"]).await
    }
}
