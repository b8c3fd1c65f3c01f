//! Policies in Cedar.

use crate::{Client, Error};
use keystead_api::{
    CreatePolicy, Page, Policy, PolicyQuery, PolicySchema, PolicyTestResult, TestPolicies, UpdatePolicy,
};

impl Client {
    /// A page of the organization's policies, or of those for one project, newest first.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_policies(&self, query: &PolicyQuery) -> Result<Page<Policy>, Error> {
        self.get(&["v1", "policies"], query).await
    }

    /// Writes a policy.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `invalid_field` says in which line what is wrong.
    pub async fn create_policy(&self, new: &CreatePolicy) -> Result<Policy, Error> {
        self.post(&["v1", "policies"], new).await
    }

    /// A policy by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn policy(&self, policy: &str) -> Result<Policy, Error> {
        self.get(&["v1", "policies", policy], &()).await
    }

    /// Changes a policy (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As [`Self::create_policy`]; with status 412 when it has changed since.
    pub async fn update_policy(
        &self,
        policy: &str,
        changes: &UpdatePolicy,
        if_match: Option<i64>,
    ) -> Result<Policy, Error> {
        self.patch(&["v1", "policies", policy], changes, if_match).await
    }

    /// Deletes a policy (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As [`Self::update_policy`].
    pub async fn delete_policy(&self, policy: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "policies", policy], if_match).await
    }

    /// What policies may speak about.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn policy_schema(&self) -> Result<PolicySchema, Error> {
        self.get(&["v1", "policies", "schema"], &()).await
    }

    /// Says what policies make of described requests; changes nothing.
    ///
    /// # Errors
    /// As every call. A case that comes out otherwise than expected is no error: it is in the answer.
    pub async fn test_policies(&self, test: &TestPolicies) -> Result<PolicyTestResult, Error> {
        self.ask(&["v1", "policies", "test"], test).await
    }
}
